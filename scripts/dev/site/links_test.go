package site

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// memory is a store of asks. race, where it is set, makes every ask exist by
// the time it is created, as a second page view at the same time would.
type memory struct {
	touchpoints []*survey.Touchpoint
	asks        map[string]*survey.Ask
	race        bool
}

func (m *memory) Touchpoints(context.Context) ([]*survey.Touchpoint, error) {
	return m.touchpoints, nil
}

func (m *memory) Ask(_ context.Context, id string) (*survey.Ask, error) {
	if a, ok := m.asks[id]; ok {
		return a, nil
	}
	return nil, survey.Errorf(survey.NotFound, "id", "there is no question with this id")
}

func (m *memory) CreateAsk(_ context.Context, a *survey.Ask) error {
	if _, ok := m.asks[a.ID]; ok {
		return survey.Errorf(survey.Conflict, "id", "there is an ask with this id")
	}
	m.asks[a.ID] = a
	if m.race {
		return survey.Errorf(survey.Conflict, "id", "there is an ask with this id")
	}
	return nil
}

func newMemory() *memory {
	email := []survey.Channel{survey.Email}
	return &memory{asks: map[string]*survey.Ask{}, touchpoints: []*survey.Touchpoint{
		{ID: "a", Metric: survey.NPS, Series: 1, Channels: email},
		{ID: "b", Metric: survey.NPS, Series: 3, Channels: []survey.Channel{survey.SMS, survey.Email}},
		{ID: "c", Metric: survey.CSAT, Series: 1, Channels: []survey.Channel{survey.Kiosk}},
		{ID: "d", Metric: survey.Thumbs, Series: 1, Channels: email},
	}}
}

func ids(t *testing.T, l *Links) []string {
	t.Helper()
	asks, err := l.Asks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range asks {
		out = append(out, a.ID)
	}
	return out
}

func TestLinks(t *testing.T) {
	m := newMemory()
	path := filepath.Join(t.TempDir(), "links.json")
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	open := func() *Links {
		t.Helper()
		l, err := OpenLinks(m, func() time.Time { return now }, path)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	first := ids(t, l)
	var what []string
	for _, id := range first {
		a := m.asks[id]
		what = append(what, a.Touchpoint+" "+a.Locale)
		if now.Sub(a.SentAt) != time.Minute || a.Channel != survey.Email || a.Series != map[string]int{"b": 3, "d": 1}[a.Touchpoint] {
			t.Errorf("ask %+v", a)
		}
	}
	if want := []string{"b fi", "b sv", "b en", "d fi", "d sv", "d en"}; !slices.Equal(what, want) {
		t.Errorf("asks of %v, want %v", what, want)
	}
	if again := ids(t, open()); !slices.Equal(again, first) {
		t.Error("other links after a restart")
	}
	if err := l.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	renewed := ids(t, open())
	for _, id := range renewed {
		if slices.Contains(first, id) {
			t.Errorf("%s is of the old set and of the fresh one", id)
		}
	}
	m.touchpoints[1].Series++
	if got := ids(t, l); got[0] == renewed[0] || got[3] != renewed[3] {
		t.Error("a new series has its own asks, and nothing else has")
	}
}

func TestLinksMadeTwiceAtOnce(t *testing.T) {
	m := newMemory()
	m.race = true
	l, err := OpenLinks(m, time.Now, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, l); len(got) != 6 {
		t.Errorf("%d asks", len(got))
	}
}

func TestABrokenStateIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLinks(newMemory(), time.Now, path); err == nil {
		t.Error("a broken file was read")
	}
}

func TestServes(t *testing.T) {
	for path, want := range map[string]bool{"/": true, "/results": false, "/links": true, "/dev/site.css": true, "/dev/": false, "/api/results/x": false, "/a/x": false, "/resultsx": false,
		"/contacts": true, "/contacts/x": true, "/contactsx": false, "/clock.json": true, "/queue/sent/1": true, "/api/contacts": false} {
		if Serves(path) != want {
			t.Errorf("%s: %t", path, !want)
		}
	}
}
