package survey

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestShareCheck(t *testing.T) {
	today := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	long := strings.Repeat
	tests := []struct {
		name   string
		change func(*Share)
		field  string // "" where it is right
		rule   string
	}{
		{"a view of one touchpoint", func(*Share) {}, "", ""},
		{"a name of 100", func(s *Share) { s.Name = long("ä", 100) }, "", ""},
		{"a name of 101", func(s *Share) { s.Name = long("ä", 101) }, "name", "at most 100 characters"},
		{"no name", func(s *Share) { s.Name = " " }, "name", "must not be empty"},
		{"a name of two lines", func(s *Share) { s.Name = "a\nb" }, "name", "control characters"},
		{"another page", func(s *Share) { s.View.Page = "people" }, "view.page", "one of overview, touchpoint"},
		{"no touchpoint", func(s *Share) { s.View.Touchpoint = "" }, "view.touchpoint", "1 to 63 characters"},
		{"an overview", func(s *Share) { s.View = View{Page: OverviewPage, Last: 12, Segment: "vip"} }, "", ""},
		{"an overview of a touchpoint", func(s *Share) { s.View.Page = OverviewPage }, "view.touchpoint", "left out"},
		{"an overview by week", func(s *Share) { s.View = View{Page: OverviewPage, Last: 1, By: "week"} }, "view.by", "left out"},
		{"an overview by e-mail", func(s *Share) { s.View = View{Page: OverviewPage, Last: 1, Channel: "email"} }, "view.channel", "left out"},
		{"one month", func(s *Share) { s.View.Last = 1 }, "", ""},
		{"120 months", func(s *Share) { s.View.Last = 120 }, "", ""},
		{"121 months", func(s *Share) { s.View.Last = 121 }, "view.last", "from 1 to 120"},
		{"no range", func(s *Share) { s.View.Last = 0 }, "view.last", "from 1 to 120"},
		{"from and to", func(s *Share) { s.View.Last, s.View.From, s.View.To = 0, "2026-01-01", "2026-02-01" }, "", ""},
		{"from, to and last", func(s *Share) { s.View.From, s.View.To = "2026-01-01", "2026-02-01" }, "view.last", "together"},
		{"from alone", func(s *Share) { s.View.Last, s.View.From = 0, "2026-01-01" }, "view.to", "together with from"},
		{"to alone", func(s *Share) { s.View.Last, s.View.To = 0, "2026-01-01" }, "view.from", "together with to"},
		{"to tomorrow", func(s *Share) { s.Expires = "2026-11-22" }, "", ""},
		{"to today", func(s *Share) { s.Expires = "2026-11-21" }, "expires", "from 2026-11-22 to 2031-11-21"},
		{"for five years", func(s *Share) { s.Expires = "2031-11-21" }, "", ""},
		{"for longer", func(s *Share) { s.Expires = "2031-11-22" }, "expires", "at most 5 years"},
		{"to no day", func(s *Share) { s.Expires = "2027-02-29" }, "expires", "a date such as"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Share{Name: "Johto", View: View{Page: TouchpointPage, Touchpoint: "shop-nps", Last: 12}}
			tt.change(&s)
			wantBroken(t, s.Check(today), tt.field, tt.rule)
		})
	}
}

// wantBroken fails the test unless err is an Invalid error on field, or nil
// where field is "".
func wantBroken(t *testing.T, err error, field, rule string) {
	t.Helper()
	if field == "" {
		if err != nil {
			t.Errorf("error %v", err)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != Invalid || e.Field != field || !strings.HasPrefix(e.Message, field+" ") || !strings.Contains(e.Message, rule) {
		t.Errorf("error %v, want one on %s: %s", err, field, rule)
	}
}

func TestShareOpens(t *testing.T) {
	s := Share{Expires: "2026-11-21"}
	for day, want := range map[int]bool{20: true, 21: true, 22: false} {
		if s.Open(time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC)) != want {
			t.Errorf("on the %d.: %v", day, !want)
		}
	}
	if s.Expires = ""; !s.Open(time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)) {
		t.Error("a share without an end has ended")
	}
}

func TestShareIDTellsNoKey(t *testing.T) {
	key := NewID()
	id := ShareID(key)
	if CheckID("id", id) != nil || id == key || id != ShareID(key) || id == ShareID(NewID()) {
		t.Errorf("key %s has id %s", key, id)
	}
	// SHA-256 of "abc" begins ba7816bf 8f01cfea 414140de 5dae2223 (FIPS 180-4).
	if got := ShareID("abc"); got != "ungWv48Bz-pBQUDeXa4iI7" {
		t.Errorf("id of abc: %s", got)
	}
}
