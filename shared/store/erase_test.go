package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// whole is an ask with everything that one can have.
func whole() *survey.Ask {
	at := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	return &survey.Ask{
		ID: survey.NewID(), Touchpoint: "shop-nps", Series: 2, Metric: survey.NPS, Channel: survey.Email, Locale: "fi",
		Segments: []string{"plan=gold", "vip"}, Contact: survey.NewID(), Occasion: "2026Q4", Demo: true,
		AskedAt: at(0), TriedAt: at(1), SentAt: at(1), DeliveredAt: at(2), BouncedAt: at(3), RemindedAt: at(4), RepliedAt: at(5),
		Score: 9, Comment: "Terveisin Maija", Trust: survey.Human, AnsweredAt: at(6), EditedAt: at(7), AutoAt: at(6),
		Ref: "4711", Page: "shop.example/maija", Attrs: map[string]string{"name": "Maija"},
	}
}

func asks(t *testing.T, s *store.Store) []*survey.Ask {
	t.Helper()
	var out []*survey.Ask
	if err := s.EachAsk(ctx, func(a *survey.Ask, err error) error {
		out = append(out, a)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// What becomes of an ask counts for the same, and has nothing else of it.
func TestAnonymiseAsk(t *testing.T) {
	s := testkit.NewTables(t).Store
	unanswered, unsent, suspect, test := whole(), whole(), whole(), whole()
	unanswered.Trust, unanswered.Score, unanswered.Comment, unanswered.AnsweredAt = "", 0, "", time.Time{}
	unsent.Trust, unsent.Score, unsent.Comment, unsent.AnsweredAt, unsent.SentAt = "", 0, "", time.Time{}, time.Time{}
	suspect.Trust = survey.Suspect
	test.Test = true
	for name, was := range map[string]*survey.Ask{"answered": whole(), "unanswered": unanswered, "never sent": unsent, "suspect": suspect, "test": test} {
		if err := s.CreateAsk(ctx, was); err != nil {
			t.Fatal(err)
		}
		if ok, err := s.AnonymiseAsk(ctx, was.ID); !ok || err != nil {
			t.Fatalf("%s: %t, %v", name, ok, err)
		}
		if ok, err := s.AnonymiseAsk(ctx, was.ID); ok || err != nil {
			t.Errorf("%s, again: %t, %v", name, ok, err)
		}
		left := asks(t, s)
		if was == unsent {
			if len(left) != 0 {
				t.Errorf("%s: %d are left", name, len(left))
			}
			continue
		}
		if len(left) != 1 {
			t.Fatalf("%s: %d are left", name, len(left))
		}
		changes := score.Changes{}
		changes.Replace(was, left[0], time.UTC)
		for k, sheet := range changes {
			if len(sheet) > 0 {
				t.Errorf("%s: %v changes by %v", name, k, sheet)
			}
		}
		want := *was
		want.ID = left[0].ID
		want.Locale, want.Contact, want.Occasion, want.Comment, want.Ref, want.Page, want.Attrs = "", "", "", "", "", "", nil
		want.TriedAt, want.RemindedAt, want.RepliedAt, want.EditedAt, want.AutoAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
		if diff := cmp.Diff(&want, left[0]); diff != "" || want.ID == was.ID {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if _, err := s.AnonymiseAsk(ctx, left[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DeleteDemoAsk(ctx, asks(t, s)[0].ID); err != nil {
			t.Fatal(err)
		}
	}
}

// Answers that come at the same time are in what is left, or come too late.
func TestAnonymiseAskWhileItIsAnswered(t *testing.T) {
	s := testkit.NewTables(t).Store
	a := whole()
	if err := s.CreateAsk(ctx, a); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	taken := make([]bool, 11)
	for n := range taken {
		wg.Go(func() {
			got, err := s.Answer(ctx, a.ID, survey.Answer{Score: n, Via: survey.ViaHuman}, a.AnsweredAt.Add(time.Hour))
			if err != nil && survey.CodeOf(err) != survey.NotFound {
				t.Error(err)
			}
			taken[n] = err == nil && got.Score == n
		})
	}
	wg.Go(func() {
		if ok, err := s.AnonymiseAsk(ctx, a.ID); !ok || err != nil {
			t.Errorf("%t, %v", ok, err)
		}
	})
	wg.Wait()
	left := asks(t, s)
	if len(left) != 1 || left[0].ID == a.ID || left[0].Contact != "" || !taken[left[0].Score] && left[0].Score != a.Score {
		t.Errorf("left %+v, taken %v", left, taken)
	}
}

func TestRemoveSaid(t *testing.T) {
	s := testkit.NewTables(t).Store
	a := whole()
	if ok, err := s.RemoveSaid(ctx, a.ID, store.Said()); ok || err != nil {
		t.Errorf("of none: %t, %v", ok, err)
	}
	if err := s.CreateAsk(ctx, a); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if ok, err := s.RemoveSaid(ctx, a.ID, []string{"comment", "attrs"}); !ok || err != nil {
			t.Errorf("%t, %v", ok, err)
		}
	}
	want := *a
	want.Comment, want.Attrs = "", nil
	if got, err := s.Ask(ctx, a.ID); err != nil || cmp.Diff(&want, got) != "" {
		t.Errorf("%v (-want +got):\n%s", err, cmp.Diff(&want, got))
	}
	if entries, _, err := s.Feed(ctx, a.Touchpoint, store.FeedAt(now), store.FeedAt(now.Add(24*time.Hour)), 0); err != nil || len(entries) > 0 {
		t.Errorf("the feed has %v, %v", entries, err)
	}
}

func TestEachStored(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	a := whole()
	if err := s.CreateAsk(ctx, a); err != nil {
		t.Fatal(err)
	}
	if err := s.PutDecision(ctx, survey.Decision{Contact: a.Contact, Touchpoint: "shop-nps", Occasion: "2026Q4", Verdict: survey.WasAsked, At: now, Ask: a.ID}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, table := range []topology.Table{topology.Responses, topology.Decisions} {
		if err := s.EachStored(ctx, table, func(it store.Stored) error {
			n++
			want := a.Contact + "/shop-nps#2026Q4"
			if table.Name == topology.Responses.Name {
				want = a.ID
				if expires := a.AskedAt.Add(tables.Config.Retention).Truncate(time.Second); !it.Expires.Equal(expires) {
					t.Errorf("it expires at %s, want %s", it.Expires, expires)
				}
				for _, text := range []store.Text{{Attribute: "attrs", Value: "name"}, {Attribute: "attrs", Value: "Maija"}, {Attribute: "segments", Value: "vip"}, {Attribute: "score", Value: "score"}} {
					if !slices.Contains(it.Texts, text) {
						t.Errorf("there is no %+v in %+v", text, it.Texts)
					}
				}
			}
			if it.Key != want || it.First("contact") != a.Contact || it.First("nothing") != "" {
				t.Errorf("%+v", it)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if n != 2 {
		t.Errorf("%d items", n)
	}
}
