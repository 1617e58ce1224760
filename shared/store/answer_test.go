package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

var (
	ctx = context.Background()
	now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

// create writes an ask made an hour ago, changed by tune.
func create(t testing.TB, s *store.Store, tune func(*survey.Ask)) *survey.Ask {
	t.Helper()
	a := testkit.NewAsk(now.Add(-time.Hour))
	tune(a)
	if err := s.CreateAsk(ctx, a); err != nil {
		t.Fatal(err)
	}
	return a
}

func answer(t testing.TB, s *store.Store, id string, in survey.Answer, at time.Time) *survey.Ask {
	t.Helper()
	a, err := s.Answer(ctx, id, in, at)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func auto(score int) survey.Answer  { return survey.Answer{Score: score, Via: survey.Auto} }
func human(score int) survey.Answer { return survey.Answer{Score: score, Via: survey.ViaHuman} }

func with(in survey.Answer, comment string) survey.Answer {
	in.Comment = &comment
	return in
}

func wantCode(t testing.TB, err error, code survey.Code, field string) {
	t.Helper()
	e, ok := errors.AsType[*survey.Error](err)
	if !ok || e.Code != code || e.Field != field {
		t.Errorf("error %v, want %s on %q", err, code, field)
	}
}

func full(a *survey.Ask) {
	a.Contact, a.Occasion, a.Segments = "c-1", "2026Q4", []string{"country=fi", "plan=gold"}
	a.SentAt, a.DeliveredAt = a.AskedAt.Add(time.Second), a.AskedAt.Add(2*time.Second)
	a.RemindedAt = a.AskedAt.Add(time.Minute)
	a.Ref = "TICKET-7"
}

func TestUsualAnswerIsOneWriteUnit(t *testing.T) {
	tables := testkit.NewTables(t)
	gold := &survey.Touchpoint{ID: "shop-nps", Series: 1, Metric: survey.NPS, Segments: map[string][]string{"plan": {"gold"}}}
	vote := survey.Vote{ID: survey.NewID(), Score: 9, Channel: survey.Popup, Locale: "fi", Page: "shop.example.com/kiitos", Attrs: map[string]string{"plan": "gold"}}
	for name, call := range map[string]func(t *testing.T){
		"auto, bare": func(t *testing.T) {
			answer(t, tables.Store, create(t, tables.Store, func(*survey.Ask) {}).ID, auto(9), now)
		},
		"auto, of a contact":  func(t *testing.T) { answer(t, tables.Store, create(t, tables.Store, full).ID, auto(9), now) },
		"human, of a contact": func(t *testing.T) { answer(t, tables.Store, create(t, tables.Store, full).ID, human(9), now) },
		"human after auto": func(t *testing.T) {
			a := create(t, tables.Store, full)
			answer(t, tables.Store, a.ID, auto(9), now)
			tables.Meter.Reset()
			answer(t, tables.Store, a.ID, human(3), now.Add(time.Second))
		},
		"vote": func(t *testing.T) {
			if _, err := tables.Store.Vote(ctx, gold, vote, now); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			tables.Meter.Reset()
			call(t)
			calls := slices.DeleteFunc(tables.Meter.Calls(), func(c testkit.Call) bool { return c.Operation == "PutItem" }) // making the ask
			want := []testkit.Call{{Operation: "UpdateItem", Table: tables.Config.TablePrefix + "responses", Units: 1}}
			if diff := cmp.Diff(want, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswerToNothing(t *testing.T) {
	s := testkit.NewTables(t).Store
	for _, in := range []survey.Answer{auto(9), human(9), with(human(9), "hei"), human(11)} {
		_, err := s.Answer(ctx, survey.NewID(), in, now)
		wantCode(t, err, survey.NotFound, "id")
	}
}

func TestAnswerOutsideTheScale(t *testing.T) {
	s := testkit.NewTables(t).Store
	a := create(t, s, func(a *survey.Ask) { a.Metric = survey.CSAT })
	for _, in := range []survey.Answer{auto(0), human(6), human(11), human(-1), with(human(6), "hei")} {
		_, err := s.Answer(ctx, a.ID, in, now)
		wantCode(t, err, survey.Invalid, "score")
	}
	if got, err := s.Ask(ctx, a.ID); err != nil || got.Answered() {
		t.Errorf("%v, %v: an invalid score was taken", got, err)
	}
}

// after is what the rules of trust make of an ask: the pure decision, and the
// fields that follow from it.
func after(a survey.Ask, in survey.Answer, at time.Time) (*survey.Ask, error) {
	step, trust, err := a.Decide(in, at)
	if err != nil {
		return nil, err
	}
	if step == survey.Keep {
		return &a, nil
	}
	counted := a.Counted()
	if step == survey.Take && !counted || !a.Answered() {
		a.AnsweredAt = at
	}
	if step == survey.Take || !a.Answered() {
		a.Score = in.Score
	}
	a.Trust = trust
	if in.Via == survey.ViaHuman {
		a.EditedAt = at
	} else {
		a.AutoAt = at
	}
	if in.Comment != nil {
		a.Comment = *in.Comment
	}
	return &a, nil
}

// Whatever the state, the answer and the time, down to the millisecond at the
// edges of the windows, the table holds what the pure decision says.
func TestAnswerIsTheDecision(t *testing.T) {
	s := testkit.NewTables(t).Store
	edge := rapid.SampledFrom([]time.Duration{-time.Millisecond, 0, time.Millisecond})
	rapid.Check(t, func(rt *rapid.T) {
		before := func(label string, windows ...time.Duration) time.Time {
			return now.Add(-rapid.SampledFrom(windows).Draw(rt, label) + edge.Draw(rt, label+" edge"))
		}
		a := testkit.NewAsk(before("asked", time.Hour, survey.AnswerWindow))
		a.Metric = rapid.SampledFrom(survey.Metrics()).Draw(rt, "metric")
		if rapid.Bool().Draw(rt, "sent") {
			a.SentAt = before("sent", 30*time.Minute, survey.SendGrace)
		}
		low, high := a.Metric.Scale()
		if a.Trust = rapid.SampledFrom([]survey.Trust{"", survey.Click, survey.Human, survey.Suspect}).Draw(rt, "trust"); a.Answered() {
			a.Score = rapid.IntRange(low, high).Draw(rt, "score")
			a.AnsweredAt = before("answered", time.Minute, survey.EditWindow)
			if a.Trust == survey.Human {
				a.EditedAt = a.AnsweredAt
			} else {
				a.AutoAt = before("auto", time.Second, survey.ScannerWindow)
			}
		}
		if err := s.CreateAsk(ctx, a); err != nil {
			rt.Fatal(err)
		}
		at := now
		for range rapid.IntRange(1, 5).Draw(rt, "answers") {
			in := survey.Answer{
				Score: rapid.IntRange(low-1, high+1).Draw(rt, "answer"),
				Via:   rapid.SampledFrom([]survey.Via{survey.Auto, survey.ViaHuman}).Draw(rt, "via"),
			}
			if in.Via == survey.ViaHuman && rapid.Bool().Draw(rt, "comment") {
				in = with(in, rapid.SampledFrom([]string{"", "hei"}).Draw(rt, "text"))
			}
			want, wantErr := after(*a, in, at)
			got, err := s.Answer(ctx, a.ID, in, at)
			if diff := cmp.Diff(wantErr, err); diff != "" {
				rt.Fatalf("%v at %s on %+v: error (-want +got):\n%s", in, at, a, diff)
			}
			if err == nil {
				a = want
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Fatalf("%v at %s: returned (-want +got):\n%s", in, at, diff)
				}
			}
			stored, err := s.Ask(ctx, a.ID)
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(a, stored); diff != "" {
				rt.Fatalf("%v at %s: stored (-want +got):\n%s", in, at, diff)
			}
			at = at.Add(rapid.SampledFrom([]time.Duration{0, time.Second, survey.ScannerWindow, survey.EditWindow}).Draw(rt, "later") + edge.Draw(rt, "later edge"))
		}
	})
}

// The rules of trust as they are told, end to end.
func TestTrust(t *testing.T) {
	s := testkit.NewTables(t).Store
	type step struct {
		in    survey.Answer
		after time.Duration // since sending
		trust survey.Trust
		score int
	}
	for name, steps := range map[string][]step{
		"a click counts":                        {{auto(9), time.Minute, survey.Click, 9}},
		"the same click again":                  {{auto(9), time.Minute, survey.Click, 9}, {auto(9), 61 * time.Second, survey.Click, 9}},
		"a click within 5 s of sending":         {{auto(9), 4999 * time.Millisecond, survey.Suspect, 9}},
		"a click 5 s after sending":             {{auto(9), 5 * time.Second, survey.Click, 9}},
		"another score within 120 s":            {{auto(9), time.Minute, survey.Click, 9}, {auto(3), 3*time.Minute - time.Millisecond, survey.Suspect, 9}},
		"another score 120 s later":             {{auto(9), time.Minute, survey.Click, 9}, {auto(3), 3 * time.Minute, survey.Click, 3}},
		"suspect stays suspect":                 {{auto(9), 0, survey.Suspect, 9}, {auto(9), time.Hour, survey.Suspect, 9}},
		"a human after a suspect":               {{auto(9), 0, survey.Suspect, 9}, {human(2), time.Hour, survey.Human, 2}},
		"a human replaces a click":              {{auto(9), time.Minute, survey.Click, 9}, {human(3), 61 * time.Second, survey.Human, 3}},
		"a human is never downgraded":           {{human(3), time.Minute, survey.Human, 3}, {auto(9), 61 * time.Second, survey.Human, 3}, {auto(1), 62 * time.Second, survey.Human, 3}},
		"a human within 5 s of sending":         {{human(3), time.Second, survey.Human, 3}},
		"a human changes her mind":              {{human(3), time.Minute, survey.Human, 3}, {human(10), time.Hour, survey.Human, 10}},
		"a human confirms with the score there": {{auto(9), time.Minute, survey.Click, 9}, {human(9), time.Hour, survey.Human, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			a := create(t, s, full)
			for _, st := range steps {
				got := answer(t, s, a.ID, st.in, a.SentAt.Add(st.after))
				if got.Trust != st.trust || got.Score != st.score {
					t.Fatalf("after %v: %s %d, want %s %d", st.in, got.Trust, got.Score, st.trust, st.score)
				}
			}
		})
	}
}

func TestElevenClicksAtOnceAreAScanner(t *testing.T) {
	s := testkit.NewTables(t).Store
	a := create(t, s, full)
	var wg sync.WaitGroup
	for i := range 11 {
		wg.Go(func() {
			if _, err := s.Answer(ctx, a.ID, auto(i), now.Add(time.Duration(i)*50*time.Millisecond)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := s.Ask(ctx, a.ID); err != nil || got.Trust != survey.Suspect || got.Counted() {
		t.Fatalf("%+v, %v: want suspect, not counted", got, err)
	}
	got := answer(t, s, a.ID, human(7), now.Add(time.Minute))
	if got.Trust != survey.Human || got.Score != 7 || !got.Counted() || !got.AnsweredAt.Equal(now.Add(time.Minute)) {
		t.Errorf("%+v: want a human's 7, from now on", got)
	}
}

// Of humans who answer the same ask at once, with and without comments, one
// is the last, whole: her score goes with her comment.
func TestHumansAtOnce(t *testing.T) {
	s := testkit.NewTables(t).Store
	for range 5 {
		a := create(t, s, full)
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				if _, err := s.Answer(ctx, a.ID, with(human(i), fmt.Sprint(i)), now); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := s.Ask(ctx, a.ID)
		if err != nil || got.Trust != survey.Human || got.Comment != fmt.Sprint(got.Score) || !got.AnsweredAt.Equal(now) {
			t.Fatalf("%+v, %v: want one answer, whole", got, err)
		}
	}
}

// feedOf returns the ids in the feed of shop-nps in November.
func feedOf(t testing.TB, tables *testkit.Tables) (ids []string) {
	t.Helper()
	out, err := tables.DB.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String(tables.Config.TablePrefix + topology.Responses.Name), IndexName: aws.String("feed"),
		KeyConditionExpression:    aws.String("feed = :feed"),
		ExpressionAttributeValues: map[string]attribute{":feed": text("shop-nps#2026-11")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range out.Items {
		a, err := store.UnmarshalAsk(it)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	return ids
}

func TestCommentsMakeTheFeed(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	late, early, silent := create(t, s, full), create(t, s, full), create(t, s, full)
	answer(t, s, silent.ID, human(9), now)
	answer(t, s, late.ID, with(human(9), "toinen"), now.Add(time.Minute))
	answer(t, s, early.ID, with(human(3), "ensimmäinen"), now)
	if diff := cmp.Diff([]string{early.ID, late.ID}, feedOf(t, tables)); diff != "" {
		t.Errorf("feed (-want +got):\n%s", diff)
	}
	// An edit keeps its place, and a score alone keeps the comment.
	answer(t, s, early.ID, with(human(4), "korjattu"), now.Add(time.Hour))
	if got := answer(t, s, early.ID, human(5), now.Add(2*time.Hour)); got.Comment != "korjattu" || got.Score != 5 {
		t.Errorf("%+v: want the comment kept", got)
	}
	if diff := cmp.Diff([]string{early.ID, late.ID}, feedOf(t, tables)); diff != "" {
		t.Errorf("feed after edits (-want +got):\n%s", diff)
	}
	if got := answer(t, s, early.ID, with(human(5), ""), now.Add(3*time.Hour)); got.Comment != "" {
		t.Errorf("%+v: want the comment gone", got)
	}
	if diff := cmp.Diff([]string{late.ID}, feedOf(t, tables)); diff != "" {
		t.Errorf("feed after removal (-want +got):\n%s", diff)
	}
	tables.Meter.Reset()
	answer(t, s, early.ID, human(6), now.Add(4*time.Hour))
	if c := tables.Meter.Calls(); len(c) != 1 || c[0].IndexUnits != 0 {
		t.Errorf("%+v: an answer without a comment writes an index", c)
	}
}
