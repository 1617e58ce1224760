package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

func TestCreateAskOnce(t *testing.T) {
	s := testkit.NewTables(t).Store
	a := create(t, s, func(a *survey.Ask) {
		full(a)
		a.BouncedAt, a.AnsweredAt, a.EditedAt, a.AutoAt = now, now, now, now
		a.Score, a.Trust, a.Comment, a.Page, a.Attrs = 0, survey.Human, "hei", "p", map[string]string{"a": "b"}
	})
	got, err := s.Ask(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	again := testkit.NewAsk(now)
	again.ID = a.ID
	wantCode(t, s.CreateAsk(ctx, again), survey.Conflict, "id")
	if got, err := s.Ask(ctx, a.ID); err != nil || got.Comment != "hei" {
		t.Errorf("%+v, %v: the first ask was overwritten", got, err)
	}
}

func TestCreateAskLimitsSegments(t *testing.T) {
	s := testkit.NewTables(t).Store
	a := create(t, s, func(a *survey.Ask) {
		for i := range survey.MaxSegmentsOfAsk {
			a.Segments = append(a.Segments, fmt.Sprintf("store=%02d", i))
		}
	})
	if got, err := s.Ask(ctx, a.ID); err != nil || !slices.Equal(got.Segments, a.Segments) {
		t.Errorf("%+v, %v: want %d segments", got, err, survey.MaxSegmentsOfAsk)
	}
	over := testkit.NewAsk(now)
	over.Segments = append(slices.Clone(a.Segments), "store=one more")
	wantCode(t, s.CreateAsk(ctx, over), survey.Invalid, "segments")
	if _, err := s.Ask(ctx, over.ID); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("%v: an ask of too many segments was made", err)
	}
}

func TestNoSuchAsk(t *testing.T) {
	_, err := testkit.NewTables(t).Store.Ask(ctx, survey.NewID())
	wantCode(t, err, survey.NotFound, "id")
}

func TestAsksExpire(t *testing.T) {
	tables := testkit.NewTables(t)
	a := create(t, tables.Store, func(*survey.Ask) {})
	v := newVote()
	if _, err := tables.Store.Vote(ctx, touchpoint(), v, a.AskedAt); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint(a.AskedAt.Add(tables.Config.Retention).Unix())
	for _, id := range []string{a.ID, v.ID} {
		out, err := tables.DB.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: aws.String(tables.Config.TablePrefix + topology.Responses.Name), Key: map[string]attribute{"id": text(id)},
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := out.Item[topology.Responses.TTL].(*types.AttributeValueMemberN); !ok || n.Value != want {
			t.Errorf("expiry %v, want %s", out.Item[topology.Responses.TTL], want)
		}
	}
	if got := tables.Store.KeptSince(now); !got.Equal(now.Add(-tables.Config.Retention)) {
		t.Errorf("kept since %s", got)
	}
}

func TestEachAskReadsEveryPage(t *testing.T) {
	tables := testkit.NewTables(t)
	var want, got, unreadable []string
	for range 280 { // over 1 MB, the most that one page has
		want = append(want, create(t, tables.Store, func(a *survey.Ask) {
			a.Trust, a.AnsweredAt, a.Comment = survey.Human, now, strings.Repeat("ä", survey.MaxComment)
		}).ID)
	}
	if _, err := tables.DB.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(tables.Config.TablePrefix + topology.Responses.Name),
		Item:      map[string]attribute{"id": text("corrupt"), "metric": number("1")},
	}); err != nil {
		t.Fatal(err)
	}
	if err := tables.Store.EachAsk(ctx, func(a *survey.Ask, err error) error {
		if err != nil {
			unreadable = append(unreadable, err.Error())
			return nil
		}
		got = append(got, a.ID)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asks (-want +got):\n%s", diff)
	}
	if len(unreadable) != 1 || !strings.Contains(unreadable[0], "corrupt") {
		t.Errorf("unreadable: %q", unreadable)
	}
	enough := errors.New("enough")
	if err := tables.Store.EachAsk(ctx, func(*survey.Ask, error) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error %v, want the caller's", err)
	}
}

// Whatever is in an item, it is refused or is an ask that comes back the same.
func FuzzUnmarshalAsk(f *testing.F) {
	// kinds has three bits for each attribute: missing, text, number or
	// something else.
	f.Add(uint64(0o2222222211121111), "id", "shop", "nps", "human", "email", "plan=gold", "plan", int64(1), int64(9), now.UnixMilli())
	f.Add(uint64(0o2222222211121111), "id", "shop", "csat", "suspect", "", "", "", int64(1), int64(0), int64(0))
	f.Add(uint64(0), "", "", "", "", "", "", "", int64(0), int64(0), int64(-1))
	f.Add(uint64(0o7777777777777777), "id", "shop", "nps", "robot", "x", "a,b,a", "k", int64(-1), int64(11), int64(1)<<62)
	s := store.New(nil, config.Config{Retention: time.Hour})
	f.Fuzz(func(t *testing.T, kinds uint64, id, touchpoint, metric, trust, channel, segments, attr string, series, points, at int64) {
		it := map[string]attribute{}
		for i, a := range []struct {
			name string
			s    string
			n    int64
		}{
			{"id", id, 0}, {"touchpoint", touchpoint, 0}, {"metric", metric, 0}, {"trust", trust, 0}, {"series", "", series},
			{"channel", channel, 0}, {"locale", attr, 0}, {"comment", segments, 0}, {"score", "", points},
			{"askedAt", "", at}, {"sentAt", "", at + 1}, {"deliveredAt", "", at + 2}, {"bouncedAt", "", at + 3},
			{"answeredAt", "", at + 4}, {"editedAt", "", at + 5}, {"autoAt", "", at + 6},
		} {
			switch kinds >> (3 * i) & 7 {
			case 0:
			case 1:
				it[a.name] = text(a.s)
			case 2:
				it[a.name] = number(fmt.Sprint(a.n))
			case 3:
				it[a.name] = number(a.s)
			default:
				it[a.name] = &types.AttributeValueMemberBOOL{}
			}
		}
		if segments != "" {
			it["segments"] = &types.AttributeValueMemberSS{Value: strings.Split(segments, ",")}
		}
		it["attrs"] = &types.AttributeValueMemberM{Value: map[string]attribute{attr: text(attr)}}
		a, err := store.UnmarshalAsk(it)
		if err != nil {
			return
		}
		again, err := store.UnmarshalAsk(s.MarshalAsk(a))
		if err != nil {
			t.Fatalf("%+v was read, and cannot be read again: %v", a, err)
		}
		if diff := cmp.Diff(a, again); diff != "" {
			t.Fatalf("it comes back otherwise (-first +second):\n%s", diff)
		}
		if a.Counted() && !a.Metric.Admits(a.Score) {
			t.Errorf("%+v is counted", a)
		}
	})
}

func TestUnmarshalAskRefuses(t *testing.T) {
	s := store.New(nil, config.Config{Retention: time.Hour})
	a := testkit.NewAsk(now)
	full(a)
	a.Score, a.Trust, a.AnsweredAt, a.Attrs = 9, survey.Click, now, map[string]string{"a": "b"}
	for name, change := range map[string]func(it map[string]attribute){
		"no id":                    func(it map[string]attribute) { delete(it, "id") },
		"no touchpoint":            func(it map[string]attribute) { delete(it, "touchpoint") },
		"no series":                func(it map[string]attribute) { delete(it, "series") },
		"no time":                  func(it map[string]attribute) { delete(it, "askedAt") },
		"an unknown metric":        func(it map[string]attribute) { it["metric"] = text("mood") },
		"an unknown trust":         func(it map[string]attribute) { it["trust"] = text("robot") },
		"a score over the scale":   func(it map[string]attribute) { it["score"] = number("11") },
		"a fraction":               func(it map[string]attribute) { it["score"] = number("9.5") },
		"a score of text":          func(it map[string]attribute) { it["score"] = text("9") },
		"no score":                 func(it map[string]attribute) { delete(it, "score") },
		"a score without trust":    func(it map[string]attribute) { delete(it, "trust") },
		"an answer without a time": func(it map[string]attribute) { delete(it, "answeredAt") },
		"segments of text":         func(it map[string]attribute) { it["segments"] = text("plan=gold") },
		"attrs of text":            func(it map[string]attribute) { it["attrs"] = text("a") },
		"attrs of numbers": func(it map[string]attribute) {
			it["attrs"] = &types.AttributeValueMemberM{Value: map[string]attribute{"a": number("1")}}
		},
	} {
		it := s.MarshalAsk(a)
		if _, err := store.UnmarshalAsk(it); err != nil {
			t.Fatal(err)
		}
		change(it)
		if got, err := store.UnmarshalAsk(it); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

func TestMarkSent(t *testing.T) {
	s := testkit.NewTables(t).Store
	a := create(t, s, func(*survey.Ask) {})
	for _, at := range []time.Time{now, now.Add(time.Hour)} { // the first time stands
		if err := s.MarkSent(ctx, a.ID, at); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Ask(ctx, a.ID); err != nil || !got.SentAt.Equal(now) {
			t.Errorf("%+v, %v: want sent at %s", got, err, now)
		}
	}
	id := survey.NewID()
	wantCode(t, s.MarkSent(ctx, id, now), survey.NotFound, "id")
	_, err := s.Ask(ctx, id)
	wantCode(t, err, survey.NotFound, "id")
}

func TestMarkReminded(t *testing.T) {
	s := testkit.NewTables(t).Store
	for name, c := range map[string]struct {
		tune func(*survey.Ask)
		ok   bool
	}{
		"unanswered":       {func(*survey.Ask) {}, true},
		"a scanner's":      {func(a *survey.Ask) { a.Trust, a.AnsweredAt = survey.Suspect, now }, true},
		"clicked":          {func(a *survey.Ask) { a.Trust, a.AnsweredAt = survey.Click, now }, false},
		"answered":         {func(a *survey.Ask) { a.Trust, a.AnsweredAt = survey.Human, now }, false},
		"reminded already": {func(a *survey.Ask) { a.RemindedAt = now.Add(-time.Minute) }, false},
	} {
		a := create(t, s, c.tune)
		err := s.MarkReminded(ctx, a.ID, now)
		if c.ok {
			a.RemindedAt = now
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else {
			wantCode(t, err, survey.Conflict, "id")
		}
		got, err := s.Ask(ctx, a.ID)
		if diff := cmp.Diff(a, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		if c.ok {
			wantCode(t, s.MarkReminded(ctx, a.ID, now.Add(time.Hour)), survey.Conflict, "id")
		}
	}
	wantCode(t, s.MarkReminded(ctx, survey.NewID(), now), survey.NotFound, "id")
}

func TestAsksOfAContact(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	contact, other := survey.NewID(), survey.NewID()
	var want []*survey.Ask
	for i := range 105 { // more than one call
		a := create(t, s, func(a *survey.Ask) {
			a.Contact, a.Occasion = contact, survey.Occasion(fmt.Sprintf("purchase.completed/order-%d", i))
			a.AskedAt = now.Add(-time.Duration(i) * time.Minute)
		})
		want = append(want, a)
	}
	create(t, s, func(a *survey.Ask) { a.Contact = other })
	create(t, s, func(*survey.Ask) {})
	got, err := small(tables, 20).AsksOf(ctx, contact)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asks, the newest first (-want +got):\n%s", diff)
	}
	if none, err := s.AsksOf(ctx, survey.NewID()); err != nil || len(none) != 0 {
		t.Errorf("%v, %v of nobody", none, err)
	}
}

// What fails is logged, so an error names neither an ask, which whoever knows its
// id can answer, nor a contact or what happened to it.
func TestErrorsNameNobody(t *testing.T) {
	s := testkit.NewTables(t).Store
	const event = "order-1"
	id := survey.NewID()
	a := testkit.NewAsk(now)
	a.ID = survey.NewID()
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, reading := s.Ask(over, a.ID)
	_, answering := s.Answer(over, a.ID, human(9), now)
	_, anonymising := s.AnonymiseAsk(over, a.ID)
	_, removing := s.RemoveSaid(over, a.ID, []string{"comment"})
	_, finding := s.Contact(over, id)
	_, findingAll := s.ContactsByID(over, []string{id})
	_, listing := s.AsksOf(over, id)
	_, deciding := s.Decision(over, id, "shop-nps", event)
	_, decided := s.Decisions(over, id)
	_, adding := s.AddContact(over, id, survey.Details{Email: "aino@example.com"}, now)
	_, changing := s.ChangeContact(over, id, 1, func(*survey.Contact) error { return nil }, now)
	_, optingOut := s.OptOut(over, id, []survey.Channel{survey.SMS}, false, now)
	_, seeking := s.FindContact(over, "email", "aino@example.com")
	for name, err := range map[string]error{
		"Ask": reading, "Answer": answering, "AnonymiseAsk": anonymising, "RemoveSaid": removing,
		"Contact": finding, "ContactsByID": findingAll, "AsksOf": listing, "Decision": deciding, "Decisions": decided,
		"AddContact": adding, "ChangeContact": changing, "OptOut": optingOut, "FindContact": seeking,
		"CreateAsk":       s.CreateAsk(over, a),
		"TryAsk":          s.TryAsk(over, a.ID, time.Time{}, now),
		"ReleaseAsk":      s.ReleaseAsk(over, a.ID, now),
		"RefuseAsk":       s.RefuseAsk(over, a.ID, now),
		"ReleaseReminder": s.ReleaseReminder(over, a.ID, now),
		"MarkSent":        s.MarkSent(over, a.ID, now),
		"MarkReminded":    s.MarkReminded(over, a.ID, now),
		"MarkDelivered":   s.MarkDelivered(over, a.ID, now),
		"MarkBounced":     s.MarkBounced(over, a.ID, now),
		"KeepReply":       s.KeepReply(over, a, "hei", now),
		"TakeTurn":        s.TakeTurn(over, store.Turn{Contact: id, Touchpoint: "shop-nps", Ask: a.ID, Channel: survey.Email, At: now}),
		"PutDecision":     s.PutDecision(over, survey.Decision{Contact: id, Touchpoint: "shop-nps", Occasion: event, At: now}),
		"DeleteDecisions": s.DeleteDecisions(over, id),
		"DeleteContact":   s.DeleteContact(over, id),
		"NoteBounces": s.NoteBounces(over, id, survey.Email, func(_ *survey.Contact, b survey.Bounces) survey.Bounces {
			return b
		}, now),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, named := range []string{a.ID, id, event, "aino"} {
			if strings.Contains(err.Error(), named) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Nor does the error about an item that cannot be read, but where it is for an
// operator.
func TestUnreadableItemsNameNobody(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	id := survey.NewID()
	put := func(table topology.Table, it map[string]attribute) {
		t.Helper()
		if _, err := tables.DB.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(tables.Config.TablePrefix + table.Name), Item: it}); err != nil {
			t.Fatal(err)
		}
	}
	put(topology.Responses, map[string]attribute{"id": text(id)})
	put(topology.Contacts, map[string]attribute{"id": text(id)})
	put(topology.Decisions, map[string]attribute{"contact": text(id), "occasion": text("order-1")})
	_, asking := s.Ask(ctx, id)
	_, contact := s.Contact(ctx, id)
	_, decisions := s.Decisions(ctx, id)
	for name, err := range map[string]error{"Ask": asking, "Contact": contact, "Decisions": decisions} {
		if err == nil || !strings.Contains(err.Error(), survey.Fingerprint(id)) || strings.Contains(err.Error(), id) || strings.Contains(err.Error(), "order-1") {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := s.EachAsk(ctx, func(_ *survey.Ask, err error) error { return err })
	if err == nil || !strings.Contains(err.Error(), id) {
		t.Errorf("EachAsk: %v", err)
	}
}
