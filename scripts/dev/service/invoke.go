package service

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/pulssi/pulssi/shared/topology"
)

// invoke invokes a function with JSON as Lambda does it: an invocation has an
// id and a deadline, and a panic fails it alone.
func (s *Services) invoke(ctx context.Context, f topology.Function, limit time.Duration, event any) (out []byte, err error) {
	payload, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("writing the event: %w", err)
	}
	id := newID()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			s.log.WarnContext(ctx, "an invocation failed", "function", f, "request", id, "error", err.Error())
		}
	}()
	h, ok := s.functions[f]
	if !ok {
		return nil, fmt.Errorf("there is no function %s", f)
	}
	ctx, cancel := context.WithTimeout(lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: id}), limit)
	defer cancel()
	return h.Invoke(ctx, payload)
}
