package apigw

import (
	"context"
	"crypto/subtle"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/survey"
)

// Handler answers one request.
type Handler = func(context.Context, Request) (Response, error)

// BehindFront returns handle for those requests alone that the CDN has handed on:
// with the key ([config.FrontKey]) in their [config.FrontHeader], which handle does
// not see. Others are answered with [survey.Forbidden]. An empty key stands for no
// CDN: all pass.
func BehindFront(key string, handle Handler) Handler {
	if key == "" {
		return handle
	}
	return func(ctx context.Context, r Request) (Response, error) {
		given := r.Headers[config.FrontHeader]
		delete(r.Headers, config.FrontHeader)
		if subtle.ConstantTimeCompare([]byte(given), []byte(key)) == 0 {
			return Error(ctx, &r, survey.Errorf(survey.Forbidden, "host", "host must be the public one, by which alone the API is reached")), nil
		}
		return handle(ctx, r)
	}
}
