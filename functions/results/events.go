package results

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Bus takes business events to where plan gets them.
type Bus interface {
	// Put puts events on the bus. After an error some of them may be on it;
	// they can all be put again, as plan asks once for each.
	Put(ctx context.Context, source string, es ...events.Event) error
}

// maxEvents is the most business events in one request: as many as EventBridge
// takes in one call.
const maxEvents = 10

// takenEvents is the answer to POST /api/events.
type takenEvents struct {
	Accepted int      `json:"accepted"`
	IDs      []string `json:"ids"` // the company's own, in the order of the request
}

// takeEvents puts the business events of the body on the bus: all of them, or
// none where one breaks a rule.
func (h *Handler) takeEvents(ctx context.Context, r *call) (apigw.Response, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return apigw.Response{}, err
	}
	b, err := jsonBody(r)
	if err != nil {
		return apigw.Response{}, err
	}
	es, places, err := decodeEvents(b)
	if err != nil {
		return apigw.Response{}, err
	}
	if err := h.addresses(ctx, es, places); err != nil {
		return apigw.Response{}, err
	}
	if err := h.Bus.Put(ctx, topology.APISource, es...); err != nil {
		return apigw.Response{}, err
	}
	out := takenEvents{Accepted: len(es)}
	for _, e := range es {
		out.IDs = append(out.IDs, e.ID)
	}
	return apigw.JSON(http.StatusAccepted, out), nil
}

// addresses returns what is wrong with the first address in the events that
// nobody could be asked by: whoever posts it can mend it now.
func (h *Handler) addresses(ctx context.Context, es []events.Event, places []string) error {
	country, err := h.country(ctx)
	if err != nil {
		return err
	}
	for i, e := range es {
		errs := address.Clean(&survey.Details{Email: e.Contact.Email, Phone: e.Contact.Phone}, country)
		if broken, ok := errors.AsType[*survey.Error](errors.Join(errs...)); ok {
			field := "contact." + broken.Field
			return toldOf(places[i], &events.Error{Field: field, Message: field + ": " + broken.Message})
		}
	}
	return nil
}

// decodeEvents reads a body that is one event, or {"events": [...]}, and returns
// with each its place in the body: "" or "events[2]". The error is about the
// first that breaks a rule, and names its field: "events[2].contact.email".
func decodeEvents(b []byte) (es []events.Event, places []string, err error) {
	var several struct {
		Events json.RawMessage `json:"events"`
	}
	// What is no object is for Decode to tell.
	if err := json.Unmarshal(b, &several); err != nil || several.Events == nil {
		e, err := events.Decode(b)
		if err != nil {
			return nil, nil, toldOf("", err)
		}
		return []events.Event{e}, []string{""}, nil
	}
	var in struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := apigw.DecodeJSON(b, &in); err != nil {
		return nil, nil, err
	}
	if n := len(in.Events); n < 1 || n > maxEvents {
		return nil, nil, survey.Errorf(survey.Invalid, "events", "events must be from 1 to %d", maxEvents)
	}
	for i, raw := range in.Events {
		at := fmt.Sprintf("events[%d]", i)
		e, err := events.Decode(raw)
		if err != nil {
			return nil, nil, toldOf(at, err)
		}
		es, places = append(es, e), append(places, at)
	}
	return es, places, nil
}

// toldOf returns what is wrong with the event at a place of the body as an
// error of this request.
func toldOf(at string, err error) error {
	e, ok := errors.AsType[*events.Error](err)
	if !ok {
		return fmt.Errorf("reading an event: %w", err)
	}
	out := &survey.Error{Code: survey.Invalid, Field: e.Field, Message: e.Message}
	if e.Unknown {
		out.Code = survey.UnknownField
	}
	switch {
	case at == "" && e.Field == "":
		out.Field = "body"
	case at != "" && e.Field == "":
		out.Field, out.Message = at, at+": "+e.Message
	case at != "":
		out.Field, out.Message = at+"."+e.Field, at+"."+e.Message
	}
	return out
}
