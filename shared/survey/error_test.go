package survey

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// wantError fails unless err is an [Invalid] [Error] on field whose message
// has message in it, and alone; or nil where message is "".
func wantError(t *testing.T, err error, field, message string) {
	t.Helper()
	if message == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != Invalid || e.Field != field || !strings.Contains(e.Message, message) || strings.Contains(e.Message, "%!") {
		t.Errorf("%v (%#v), want invalid %s: %s", err, e, field, message)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) != 1 {
		t.Errorf("%d errors, want one: %v", len(joined.Unwrap()), err)
	}
}

func TestError(t *testing.T) {
	plain := Errorf(Invalid, "score", "score must be from %d to %d", 0, 10)
	if plain.Field != "score" || plain.Error() != "invalid: score must be from 0 to 10" || plain.Unwrap() != nil {
		t.Errorf("%#v", plain)
	}
	caused := &Error{Code: Unavailable, Message: "try again", Err: io.ErrUnexpectedEOF}
	if caused.Error() != "unavailable: try again: unexpected EOF" || !errors.Is(caused, io.ErrUnexpectedEOF) {
		t.Errorf("%v", caused)
	}
}

func TestCodeOf(t *testing.T) {
	closed := Errorf(Closed, "", "too late")
	for _, c := range []struct {
		err  error
		want Code
	}{
		{closed, Closed},
		{fmt.Errorf("answering: %w", closed), Closed},
		{errors.Join(io.EOF, closed, Errorf(NotFound, "", "no such thing")), Closed},
		{&Error{Code: Conflict, Err: closed}, Conflict},
		{io.EOF, Internal},
		{nil, Internal},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}
