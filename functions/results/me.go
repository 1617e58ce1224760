package results

import (
	"context"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/signin"
)

// Demo knows whether generated answers are among those that are counted.
type Demo interface {
	// HasDemo is asked once with every start of the dashboard.
	HasDemo(ctx context.Context) (bool, error)
}

// me is the answer to GET /api/me: who asks, and what there is to see.
type me struct {
	ID          string      `json:"id"`
	Role        signin.Role `json:"role"`        // "" for somebody in no group
	Touchpoints []string    `json:"touchpoints"` // null for all
	Segments    []string    `json:"segments"`    // null for all
	Zone        string      `json:"zone"`
	Today       string      `json:"today"` // in the zone
	Demo        bool        `json:"demo"`
}

func (h *Handler) me(ctx context.Context, r *call) (apigw.Response, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return apigw.Response{}, err
	}
	out := me{
		ID: r.who.ID, Role: r.who.Role, Touchpoints: r.who.Touchpoints, Segments: r.who.Segments,
		Zone: h.Zone.String(), Today: h.today().Format(dateFormat),
	}
	if h.Demo != nil {
		var err error
		if out.Demo, err = h.Demo.HasDemo(ctx); err != nil {
			return apigw.Response{}, err
		}
	}
	return tagged(r, out), nil
}
