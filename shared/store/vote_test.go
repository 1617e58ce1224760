package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

func touchpoint() *survey.Touchpoint {
	return &survey.Touchpoint{
		ID: "shop-nps", Version: 1, Series: 1, Metric: survey.NPS, Channels: []survey.Channel{survey.Popup},
		Segments: map[string][]string{"plan": {"basic", "gold"}, "country": {"fi"}},
	}
}

func newVote() survey.Vote {
	return survey.Vote{
		ID: survey.NewID(), Score: 9, Channel: survey.Popup, Locale: "fi", Page: "shop.example.com/kiitos", Ref: "R1",
		Attrs: map[string]string{"plan": "gold", "country": "se", "age": "30"},
	}
}

func TestVote(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	v := newVote()
	want := &survey.Ask{
		ID: v.ID, Touchpoint: "shop-nps", Series: 1, Metric: survey.NPS, Channel: survey.Popup, Locale: "fi",
		Segments: []string{"plan=gold"}, // neither a value nor an attribute that the touchpoint does not list
		AskedAt:  now, Score: 9, Trust: survey.Human, AnsweredAt: now, EditedAt: now,
		Ref: "R1", Page: "shop.example.com/kiitos", Attrs: v.Attrs,
	}
	post := func(v survey.Vote, at time.Time) {
		t.Helper()
		got, err := s.Vote(ctx, touchpoint(), v, at)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := s.Ask(ctx, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		for kind, a := range map[string]*survey.Ask{"returned": got, "stored": stored} {
			if diff := cmp.Diff(want, a); diff != "" {
				t.Errorf("%s (-want +got):\n%s", kind, diff)
			}
		}
	}
	post(v, now)
	post(v, now) // the response was lost

	v.Score, v.Attrs, v.Page = 3, map[string]string{"plan": "basic"}, "elsewhere" // only the answer can be changed
	want.Score, want.EditedAt = 3, now.Add(time.Hour)
	post(v, now.Add(time.Hour))

	comment := "kallis"
	v.Comment, want.Comment, want.EditedAt = &comment, comment, now.Add(2*time.Hour)
	post(v, now.Add(2*time.Hour))
	if diff := cmp.Diff([]string{v.ID}, feedOf(t, tables)); diff != "" {
		t.Errorf("feed (-want +got):\n%s", diff)
	}

	v.Comment, want.EditedAt = nil, now.Add(3*time.Hour) // leaves it
	post(v, now.Add(3*time.Hour))

	empty := ""
	v.Comment, want.Comment, want.EditedAt = &empty, "", now.Add(4*time.Hour)
	post(v, now.Add(4*time.Hour))
	if ids := feedOf(t, tables); len(ids) > 0 {
		t.Errorf("feed has %v after the comment was removed", ids)
	}

	last := now.Add(survey.EditWindow - time.Millisecond)
	want.EditedAt = last
	v.Comment = nil
	post(v, last)
	_, err := s.Vote(ctx, touchpoint(), v, now.Add(survey.EditWindow))
	wantCode(t, err, survey.Closed, "")
}

func TestVoteUnderAnIDOfSomethingElse(t *testing.T) {
	s := testkit.NewTables(t).Store
	v := newVote()
	if _, err := s.Vote(ctx, touchpoint(), v, now); err != nil {
		t.Fatal(err)
	}
	other, next := touchpoint(), touchpoint()
	other.ID, next.Series = "other-nps", 2
	sent, reserved, ofContact := newVote(), newVote(), newVote()
	sent.ID = create(t, s, func(a *survey.Ask) { a.SentAt = a.AskedAt }).ID
	reserved.ID = create(t, s, func(*survey.Ask) {}).ID
	ofContact.ID = create(t, s, func(a *survey.Ask) { a.Contact = "c" }).ID
	for name, tc := range map[string]struct {
		t *survey.Touchpoint
		v survey.Vote
	}{
		"another touchpoint":   {other, v},
		"another series":       {next, v},
		"an ask that was sent": {touchpoint(), sent},
		"a reserved ask":       {touchpoint(), reserved},
		"a contact's ask":      {touchpoint(), ofContact},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := s.Ask(ctx, tc.v.ID)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Vote(ctx, tc.t, tc.v, now)
			wantCode(t, err, survey.Conflict, "id")
			after, err := s.Ask(ctx, tc.v.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestVoteTwiceAtOnceIsOneResponse(t *testing.T) {
	s := testkit.NewTables(t).Store
	v := newVote()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			comment := "hei"
			v := v
			v.Comment = &comment
			if _, err := s.Vote(ctx, touchpoint(), v, now.Add(time.Duration(i)*time.Millisecond)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := 0
	if err := s.EachAsk(ctx, func(_ *survey.Ask, err error) error { n++; return err }); err != nil || n != 1 {
		t.Errorf("%d responses, %v", n, err)
	}
}

// interrupted returns a store on the same tables whose first calls of an
// operation, as many as times says, wait until happens has run.
func interrupted(tables *testkit.Tables, operation string, times int, happens func()) *store.Store {
	db := dynamodb.New(tables.DB.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Interrupted",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					if middleware.GetOperationName(ctx) == operation && times > 0 {
						times--
						happens()
					}
					return next.HandleInitialize(ctx, in)
				}), middleware.Before)
		})
	})
	return store.New(db, tables.Config)
}

func erase(t testing.TB, tables *testkit.Tables, id string) {
	t.Helper()
	if _, err := tables.DB.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(tables.Config.TablePrefix + topology.Responses.Name), Key: map[string]attribute{"id": text(id)},
	}); err != nil {
		t.Fatal(err)
	}
}

// The feed has a comment at the time of its answer, whatever happens to the
// response between the moment that a vote reads it and the moment that it
// writes it.
func TestCommentIsPlacedByTheAnswerThatStands(t *testing.T) {
	earlier := now.Add(-time.Hour) // an hour before a post that overtakes it
	for name, c := range map[string]struct {
		first   bool // whether there is a response before
		happens func(t *testing.T, tables *testkit.Tables, v survey.Vote)
		want    time.Time
	}{
		"nothing": {false, func(*testing.T, *testkit.Tables, survey.Vote) {}, now},
		"the first post comes in": {false, func(t *testing.T, tables *testkit.Tables, v survey.Vote) {
			if _, err := tables.Store.Vote(ctx, touchpoint(), v, earlier); err != nil {
				t.Error(err)
			}
		}, earlier},
		"the response is erased": {true, func(t *testing.T, tables *testkit.Tables, v survey.Vote) { erase(t, tables, v.ID) }, now},
	} {
		t.Run(name, func(t *testing.T) {
			tables := testkit.NewTables(t)
			v := newVote()
			if c.first {
				if _, err := tables.Store.Vote(ctx, touchpoint(), v, earlier); err != nil {
					t.Fatal(err)
				}
			}
			s := interrupted(tables, "UpdateItem", 1, func() { c.happens(t, tables, v) })
			comment := "hei"
			commented := v
			commented.Comment = &comment
			got, err := s.Vote(ctx, touchpoint(), commented, now)
			if err != nil || !got.AnsweredAt.Equal(c.want) || got.Comment != comment {
				t.Fatalf("%+v, %v: want the comment, answered at %s", got, err, c.want)
			}
			out, err := tables.DB.GetItem(ctx, &dynamodb.GetItemInput{
				TableName: aws.String(tables.Config.TablePrefix + topology.Responses.Name), Key: map[string]attribute{"id": text(v.ID)},
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tables.Store.MarshalAsk(got)["feedAt"], out.Item["feedAt"], cmpopts.IgnoreUnexported(types.AttributeValueMemberS{})); diff != "" {
				t.Errorf("place in the feed (-by its answer +stored):\n%s", diff)
			}
		})
	}
}

// Somebody who makes and erases the response all the time keeps a comment out,
// and not the function.
func TestCommentGivesUp(t *testing.T) {
	tables := testkit.NewTables(t)
	v := newVote()
	there := false
	s := interrupted(tables, "UpdateItem", 100, func() {
		if there = !there; there {
			if _, err := tables.Store.Vote(ctx, touchpoint(), v, now); err != nil {
				t.Error(err)
			}
			return
		}
		erase(t, tables, v.ID)
	})
	comment := "hei"
	commented := v
	commented.Comment = &comment
	_, err := s.Vote(ctx, touchpoint(), commented, now)
	wantCode(t, err, survey.Unavailable, "")
}
