package apigw

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/pulssi/pulssi/shared/survey"
)

// statuses is the one table from the code of an error to the status of the
// response.
var statuses = map[survey.Code]int{
	survey.Invalid:         http.StatusBadRequest,
	survey.UnknownField:    http.StatusBadRequest,
	survey.NotFound:        http.StatusNotFound,
	survey.Forbidden:       http.StatusForbidden,
	survey.Closed:          http.StatusGone,
	survey.Conflict:        http.StatusConflict,
	survey.TooLarge:        http.StatusRequestEntityTooLarge,
	survey.UnsupportedType: http.StatusUnsupportedMediaType,
	survey.Unavailable:     http.StatusServiceUnavailable,
	survey.Internal:        http.StatusInternalServerError,
}

// Status returns the HTTP status of a code.
func Status(c survey.Code) int {
	if s, ok := statuses[c]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// Known returns the error as it may be told to the client, and its status.
// Anything but a [survey.Error] is logged here, once, with the request's id,
// and becomes an opaque [survey.Internal].
func Known(ctx context.Context, r *Request, err error) (*survey.Error, int) {
	if e, ok := errors.AsType[*survey.Error](err); ok && e.Code != survey.Internal {
		return e, Status(e.Code)
	}
	slog.ErrorContext(ctx, "request failed", "request", r.RequestContext.RequestID, "route", r.RouteKey, "error", err.Error())
	return &survey.Error{
		Code:    survey.Internal,
		Message: "something went wrong on our side, request " + r.RequestContext.RequestID,
	}, http.StatusInternalServerError
}

// JSON returns v as JSON. It may be stored by nobody unless the caller sets
// another cache-control, and no browser may take it for anything but JSON: it
// can hold what a stranger wrote.
func JSON(status int, v any) Response {
	b, err := json.Marshal(v)
	if err != nil {
		panic("apigw: a response that is no JSON: " + err.Error()) // a type of ours, never data
	}
	return Response{StatusCode: status, Body: string(b), Headers: map[string]string{
		"content-type":           "application/json",
		"cache-control":          "no-store",
		"x-content-type-options": "nosniff",
	}}
}

// Error returns err as JSON: {"error":{"code","field","message"}}, the field
// only where one is to blame.
func Error(ctx context.Context, r *Request, err error) Response {
	e, status := Known(ctx, r, err)
	type body struct {
		Code    survey.Code `json:"code"`
		Field   string      `json:"field,omitempty"`
		Message string      `json:"message"`
	}
	return JSON(status, map[string]body{"error": {e.Code, e.Field, e.Message}})
}
