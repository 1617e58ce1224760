package survey

import (
	"errors"
	"fmt"
)

// Code is what kind of mistake an [Error] is. Codes are part of the HTTP
// contract: clients branch on them, so a code never changes its meaning.
type Code string

// The codes, and who can mend the mistake.
const (
	Invalid         Code = "invalid"          // the caller: a field breaks a rule
	UnknownField    Code = "unknown_field"    // the caller: a field nobody reads
	NotFound        Code = "not_found"        // nobody: there is no such thing
	Forbidden       Code = "forbidden"        // the owner: not allowed from here
	Closed          Code = "closed"           // nobody: the time to answer or edit is over
	Conflict        Code = "conflict"         // the caller: the id belongs to something else
	TooLarge        Code = "too_large"        // the caller: the body is over its limit
	UnsupportedType Code = "unsupported_type" // the caller: the content type is not read here
	Unavailable     Code = "unavailable"      // time: try again
	Internal        Code = "internal"         // us
)

// Error is a mistake that can be told to whoever made it: a code for
// programs, the field and the rule for people. It never carries personal data
// or an internal detail in Message; Err, which is never shown, may.
type Error struct {
	Code    Code
	Field   string // the field as the caller named it; empty where none is to blame
	Message string // names the field and the rule, in English, without a full stop
	Err     error  // the cause, for logs
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an [Error] about field ("" for none) with a formatted
// message.
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of the first [Error] in err's chain, and [Internal]
// where there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
