package delivery_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/functions/delivery"
	"github.com/pulssi/pulssi/shared/survey"
)

// The notices of one ask end in the same state, however often each comes and in
// whatever order.
func TestNoticesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ask := survey.NewID()
		before := survey.Bounces{}
		if rapid.Bool().Draw(t, "bounced before") {
			before = survey.Bounces{Address: "maija@example.com", Ask: survey.NewID(), Soft: rapid.IntRange(0, survey.MaxSoftBounces).Draw(t, "soft")}
			if before.Soft == 0 || before.Soft == survey.MaxSoftBounces {
				before.StoppedAt = now.Add(-time.Hour)
			}
		}
		notices := map[string]string{
			"delivered": ses("Delivery", ask, `,"delivery":{"timestamp":"2026-11-21T10:00:02.000Z"}`),
			"soft":      bounce("Transient", ask),
			"hard":      bounce("Permanent", ask),
			"complaint": ses("Complaint", ask, `,"complaint":{"timestamp":"2026-11-21T10:05:00.000Z"}`),
			"send":      ses("Send", ask, ""),
		}
		kinds := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"delivered", "soft", "hard", "complaint", "send"}), 1, 4, rapid.ID).Draw(t, "kinds")
		end := func(order []string) string {
			m := &memory{
				asks: map[string]*survey.Ask{ask: {ID: ask, Channel: survey.Email, Contact: "c", SentAt: now}},
				contacts: map[string]*survey.Contact{"c": {
					ID: "c", Email: "maija@example.com", Bounces: map[survey.Channel]survey.Bounces{survey.Email: before},
				}},
			}
			h := &delivery.Handler{Store: m, Now: func() time.Time { return now }}
			for _, kind := range order {
				if err := h.Handle(t.Context(), json.RawMessage(notices[kind])); err != nil {
					t.Fatal(err)
				}
			}
			return fmt.Sprintf("%+v\n%+v", *m.asks[ask], *m.contacts["c"])
		}
		again := append(rapid.SliceOf(rapid.SampledFrom(kinds)).Draw(t, "again"), kinds...)
		order := rapid.Permutation(again).Draw(t, "order")
		if diff := cmp.Diff(end(kinds), end(order)); diff != "" {
			t.Errorf("from %+v: %v (-), %v (+)\n%s", before, kinds, order, diff)
		}
	})
}

// Whatever is written from a phone, nobody's ask is touched but its owner's last
// by SMS that is open, and nobody's opt-outs but the owner's.
func TestRepliesAreTheirOwn(t *testing.T) {
	phones := []string{"+358401234567", "+358401234568", "+46701234567"}
	rapid.Check(t, func(t *rapid.T) {
		m := &memory{asks: map[string]*survey.Ask{}, contacts: map[string]*survey.Contact{}}
		for i, p := range phones {
			c := fmt.Sprint("c", i)
			m.contacts[c] = &survey.Contact{ID: c, Phone: p}
		}
		for range rapid.IntRange(0, 8).Draw(t, "asks") {
			at := now.Add(-time.Duration(rapid.IntRange(0, 120*24).Draw(t, "hours ago")) * time.Hour)
			a := &survey.Ask{
				ID: survey.NewID(), Touchpoint: "shop", Metric: rapid.SampledFrom(survey.Metrics()).Draw(t, "metric"),
				Channel: rapid.SampledFrom([]survey.Channel{survey.SMS, survey.Email}).Draw(t, "channel"),
				Contact: rapid.SampledFrom([]string{"c0", "c1", "c2", ""}).Draw(t, "contact"), AskedAt: at, SentAt: at,
			}
			if rapid.IntRange(0, 4).Draw(t, "not sent") == 0 {
				a.SentAt = time.Time{}
			}
			m.asks[a.ID] = a
		}
		from := rapid.IntRange(0, len(phones)-1).Draw(t, "from")
		owner := fmt.Sprint("c", from)
		own, _ := m.AsksOf(t.Context(), owner)
		var open string
		for _, a := range own {
			if open == "" && a.Channel == survey.SMS && !a.SentAt.IsZero() && now.Before(a.Open()) {
				open = a.ID
			}
		}
		asks, people := map[string]string{}, map[string]string{}
		for id, a := range m.asks {
			asks[id] = fmt.Sprintf("%+v", *a)
		}
		for id, c := range m.contacts {
			people[id] = fmt.Sprintf("%+v", *c)
		}
		h := &delivery.Handler{Store: m, Now: func() time.Time { return now }}
		body := rapid.OneOf(rapid.SampledFrom([]string{"3", "1", "10/10", "stop", "aloita", "hei", "4 hyvä", "", "9 tai 10"}), rapid.String()).Draw(t, "body")
		if err := h.Handle(t.Context(), json.RawMessage(text(phones[from], body))); err != nil {
			t.Fatal(err)
		}
		for id, a := range m.asks {
			if got := fmt.Sprintf("%+v", *a); got != asks[id] && id != open {
				t.Errorf("%q from %s changed %s to\n%s", body, owner, asks[id], got)
			}
		}
		for id, c := range m.contacts {
			if got := fmt.Sprintf("%+v", *c); got != people[id] && id != owner {
				t.Errorf("%q from %s changed %s", body, owner, id)
			}
		}
	})
}
