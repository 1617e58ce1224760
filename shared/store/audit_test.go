package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// recorded records a deed.
func recorded(t testing.TB, s *store.Store, at time.Time, a survey.Action, subject string, before, after any) survey.Deed {
	t.Helper()
	d, err := survey.NewDeed("u1", "admin", a, subject, before, after, at)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Record(ctx, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// allDeeds reads page by page, and returns all, and how many pages there were.
func allDeeds(t testing.TB, s *store.Store, q store.DeedQuery) (all []survey.Deed, pages int) {
	t.Helper()
	for {
		page, cursor, err := s.Deeds(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > q.Limit {
			t.Fatalf("a page of %d", len(page))
		}
		all, pages = append(all, page...), pages+1
		if q.Cursor = cursor; cursor == "" {
			return all, pages
		}
	}
}

func TestAuditLog(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	// Two months meet, and two deeds in one moment.
	put := recorded(t, s, at, survey.TouchpointPut, "shop-nps", map[string]any{"goal": 40, "name": "Ä <b>"}, map[string]any{"goal": 50})
	stop := recorded(t, s, at, survey.TouchpointStop, "shop-nps", nil, nil)
	add := recorded(t, s, at.Add(-time.Millisecond), survey.ShareAdd, survey.NewID(), nil, map[string]string{"page": "overview"})
	failed := put.Failure(at.Add(time.Hour))
	if err := s.Record(ctx, failed); err != nil {
		t.Fatal(err)
	}
	together := []survey.Deed{put, stop}
	slices.SortFunc(together, func(a, b survey.Deed) int { return strings.Compare(b.ID, a.ID) })
	newest := []survey.Deed{failed, together[0], together[1], add}
	year := store.DeedQuery{From: at.AddDate(-1, 0, 0), To: at.AddDate(0, 1, 0), Limit: store.MaxDeeds}

	for name, tt := range map[string]struct {
		ask  func(*store.DeedQuery)
		want []survey.Deed
	}{
		"everything":         {func(*store.DeedQuery) {}, newest},
		"one at a time":      {func(q *store.DeedQuery) { q.Limit = 1 }, newest},
		"two at a time":      {func(q *store.DeedQuery) { q.Limit = 2 }, newest},
		"from a moment on":   {func(q *store.DeedQuery) { q.From = at }, newest[:3]},
		"until before it":    {func(q *store.DeedQuery) { q.To = at }, newest[3:]},
		"of nothing":         {func(q *store.DeedQuery) { q.Subjects = []string{"other"} }, nil},
		"of one of two":      {func(q *store.DeedQuery) { q.Subjects = []string{"other", add.Subject} }, newest[3:]},
		"of an action":       {func(q *store.DeedQuery) { q.Action = survey.TouchpointStop }, []survey.Deed{stop}},
		"an action of one":   {func(q *store.DeedQuery) { q.Action, q.Subjects = survey.ShareAdd, []string{"shop-nps"} }, nil},
		"of one, one a page": {func(q *store.DeedQuery) { q.Limit, q.Subjects = 1, []string{"shop-nps"} }, newest[:3]},
	} {
		t.Run(name, func(t *testing.T) {
			q := year
			tt.ask(&q)
			got, _ := allDeeds(t, s, q)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}

	t.Run("what is there stays", func(t *testing.T) {
		again := put
		again.Who, again.After = "somebody else", nil
		for _, d := range []survey.Deed{put, again} {
			if err := s.Record(ctx, d); err != nil {
				t.Fatal(err)
			}
		}
		if got, _ := allDeeds(t, s, year); !cmp.Equal(got, newest) {
			t.Error(cmp.Diff(newest, got))
		}
	})
	t.Run("is kept for five years", func(t *testing.T) {
		out, err := tables.DB.Query(ctx, &dynamodb.QueryInput{
			TableName: aws.String(tables.Config.TablePrefix + topology.Audit.Name), KeyConditionExpression: aws.String("#m = :m"),
			ExpressionAttributeNames:  map[string]string{"#m": "month"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":m": &types.AttributeValueMemberS{Value: "2026-10"}},
		})
		if err != nil || len(out.Items) != 1 {
			t.Fatalf("%d items, %v", len(out.Items), err)
		}
		// date -u -d 2031-10-31T23:59:59 +%s
		if ttl, ok := out.Items[0]["ttl"].(*types.AttributeValueMemberN); !ok || ttl.Value != "1951257599" {
			t.Errorf("ttl is %+v", out.Items[0]["ttl"])
		}
	})
	t.Run("a broken rule", func(t *testing.T) {
		d := put
		d.Who = ""
		wantCode(t, s.Record(ctx, d), survey.Invalid, "who")
	})
	t.Run("cursors", func(t *testing.T) {
		_, cursor, err := s.Deeds(ctx, store.DeedQuery{From: at, To: year.To, Limit: 1})
		if err != nil || !strings.HasSuffix(cursor, "#"+failed.ID) {
			t.Fatalf("%q, %v", cursor, err)
		}
		for _, q := range []store.DeedQuery{
			{Cursor: "x"}, {Cursor: cursor + "x"}, {Cursor: "2026-13-01T00:00:00.000Z"}, {Cursor: "2026-11-01T00:00:00Z"},
			{Cursor: cursor, To: at.Add(time.Minute)}, {Cursor: cursor, From: at.Add(2 * time.Hour)},
		} {
			if q.From.IsZero() {
				q.From = at
			}
			if q.To.IsZero() {
				q.To = year.To
			}
			q.Limit = 1
			_, _, err := s.Deeds(ctx, q)
			wantCode(t, err, survey.Invalid, "cursor")
		}
	})
	for _, limit := range []int{0, store.MaxDeeds + 1} {
		if _, _, err := s.Deeds(ctx, store.DeedQuery{From: at, To: year.To, Limit: limit}); err == nil {
			t.Errorf("a page of %d is read", limit)
		}
	}
}

// A page ends where it is large, and where it was looked for far.
func TestPagesOfTheAuditLogEnd(t *testing.T) {
	s := testkit.NewTables(t).Store
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	large := strings.Repeat("x", survey.MaxDeedState-2)
	var want []survey.Deed
	for i := range 20 { // 2.5 MB, of which DynamoDB reads 1 MB at once
		want = append(want, recorded(t, s, at.Add(-time.Duration(i)*time.Second), survey.TouchpointPut, fmt.Sprint("t", i%2), large, large))
	}
	q := store.DeedQuery{From: at.AddDate(0, 0, -1), To: at.AddDate(0, 0, 1), Limit: store.MaxDeeds}
	got, pages := allDeeds(t, s, q)
	if diff := cmp.Diff(want, got); diff != "" || pages < 3 {
		t.Errorf("%d pages, -want +got:\n%.2000s", pages, diff)
	}
	q.Subjects, q.Limit = []string{"t1"}, 7
	if got, _ = allDeeds(t, s, q); len(got) != 10 {
		t.Errorf("%d of one subject, want 10", len(got))
	}
	q = store.DeedQuery{From: at.AddDate(-10, 0, 0), To: at.AddDate(0, 0, -1), Limit: 1}
	old := recorded(t, s, at.AddDate(-10, 0, 1), survey.Export, "", nil, nil)
	got, pages = allDeeds(t, s, q)
	if !cmp.Equal(got, []survey.Deed{old}) || pages != 2 {
		t.Errorf("of ten years %d pages, %+v", pages, got)
	}
}
