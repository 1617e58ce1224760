package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

func TestFeed(t *testing.T) {
	tables := testkit.NewTables(t)
	october := time.Date(2026, 10, 31, 23, 59, 59, 999e6, time.UTC)
	november := october.Add(time.Millisecond)
	for i, at := range []time.Time{october, november, november, november.Add(time.Hour)} {
		a := create(t, tables.Store, func(a *survey.Ask) {
			a.ID = fmt.Sprintf("id-%05d--------------", i)
			a.AskedAt = at.Add(-time.Hour)
		})
		answer(t, tables.Store, a.ID, with(human(3), fmt.Sprint("words ", i)), at)
	}
	other := create(t, tables.Store, func(a *survey.Ask) { a.Touchpoint = "other" })
	answer(t, tables.Store, other.ID, with(human(9), "elsewhere"), now)
	answer(t, tables.Store, create(t, tables.Store, func(*survey.Ask) {}).ID, human(9), now) // without words
	start, end := store.FeedAt(november), store.FeedAt(november.AddDate(0, 1, 0))
	read := func(from, to store.FeedPosition, limit int) (got []store.FeedPosition, words []string, more bool) {
		t.Helper()
		entries, more, err := tables.Store.Feed(ctx, "shop-nps", from, to, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got, words = append(got, e.At), append(words, e.Ask.Comment)
		}
		return got, words, more
	}
	at, words, more := read(start, end, 0)
	if diff := cmp.Diff([]string{"words 3", "words 2", "words 1"}, words); diff != "" || more {
		t.Fatalf("more %v, -want +got:\n%s", more, diff)
	}
	if want := store.FeedPosition("2026-11-01T00:00:00.000Z#id-00002"); at[1] != want || !at[1].Time().Equal(november) {
		t.Errorf("the second is at %s (%s), want %s", at[1], at[1].Time(), want)
	}
	for _, tt := range []struct {
		name     string
		from, to store.FeedPosition
		limit    int
		want     []string
		more     bool
	}{
		{"a part", start, end, 2, []string{"words 3", "words 2"}, true},
		{"as many as there are", start, end, 4, []string{"words 3", "words 2", "words 1"}, false},
		{"after the first", start, at[0], 0, []string{"words 2", "words 1"}, false},
		{"after the second, of the same moment", start, at[1], 0, []string{"words 1"}, false},
		{"after the last", start, at[2], 0, nil, false},
		{"up to a moment", start, store.FeedAt(november.Add(time.Hour)), 0, []string{"words 2", "words 1"}, false},
		{"from a moment", store.FeedAt(november.Add(time.Hour)), end, 0, []string{"words 3"}, false},
		{"the month before", store.FeedAt(october.AddDate(0, 0, -30)), start, 0, []string{"words 0"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, words, more := read(tt.from, tt.to, tt.limit)
			if diff := cmp.Diff(tt.want, words); diff != "" || more != tt.more {
				t.Errorf("more %v, -want +got:\n%s", more, diff)
			}
		})
	}
}

func FuzzParseFeedPosition(f *testing.F) {
	for _, s := range []string{"", "2026-11-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z#id-00002", "2026-11-01T00:00:00.000Z#", "2026-13-01T00:00:00.000Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := store.ParseFeedPosition(s)
		if err != nil {
			return
		}
		if string(p) != s || p.Time().IsZero() && s[:4] != "0001" {
			t.Errorf("%q is read as %q, of %s", s, p, p.Time())
		}
		if before, after := store.FeedAt(p.Time()), store.FeedAt(p.Time().Add(time.Millisecond)); p < before || after <= p && s[:4] != "9999" {
			t.Errorf("%q is not between %q and %q", p, before, after)
		}
	})
}
