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

// recorded records an entry.
func recorded(t testing.TB, s *store.Store, at time.Time, a survey.Action, subject string, before, after any) survey.AuditEntry {
	t.Helper()
	d, err := survey.NewAuditEntry("u1", "admin", a, subject, before, after, at)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Record(ctx, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// allEntries reads page by page, and returns all, and how many pages there were.
func allEntries(t testing.TB, s *store.Store, q store.AuditQuery) (all []survey.AuditEntry, pages int) {
	t.Helper()
	for {
		page, cursor, err := s.AuditEntries(ctx, q)
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
	// Two months meet, and two entries in one moment.
	put := recorded(t, s, at, survey.TouchpointPut, "shop-nps", map[string]any{"goal": 40, "name": "Ä <b>"}, map[string]any{"goal": 50})
	stop := recorded(t, s, at, survey.TouchpointStop, "shop-nps", nil, nil)
	add := recorded(t, s, at.Add(-time.Millisecond), survey.ShareAdd, survey.NewID(), nil, map[string]string{"page": "overview"})
	failed := put.Failure(at.Add(time.Hour))
	if err := s.Record(ctx, failed); err != nil {
		t.Fatal(err)
	}
	together := []survey.AuditEntry{put, stop}
	slices.SortFunc(together, func(a, b survey.AuditEntry) int { return strings.Compare(b.ID, a.ID) })
	newest := []survey.AuditEntry{failed, together[0], together[1], add}
	year := store.AuditQuery{From: at.AddDate(-1, 0, 0), To: at.AddDate(0, 1, 0), Limit: store.MaxAuditEntries}

	for name, tt := range map[string]struct {
		ask  func(*store.AuditQuery)
		want []survey.AuditEntry
	}{
		"everything":         {func(*store.AuditQuery) {}, newest},
		"one at a time":      {func(q *store.AuditQuery) { q.Limit = 1 }, newest},
		"two at a time":      {func(q *store.AuditQuery) { q.Limit = 2 }, newest},
		"from a moment on":   {func(q *store.AuditQuery) { q.From = at }, newest[:3]},
		"until before it":    {func(q *store.AuditQuery) { q.To = at }, newest[3:]},
		"of nothing":         {func(q *store.AuditQuery) { q.Subjects = []string{"other"} }, nil},
		"of one of two":      {func(q *store.AuditQuery) { q.Subjects = []string{"other", add.Subject} }, newest[3:]},
		"of an action":       {func(q *store.AuditQuery) { q.Action = survey.TouchpointStop }, []survey.AuditEntry{stop}},
		"an action of one":   {func(q *store.AuditQuery) { q.Action, q.Subjects = survey.ShareAdd, []string{"shop-nps"} }, nil},
		"of one, one a page": {func(q *store.AuditQuery) { q.Limit, q.Subjects = 1, []string{"shop-nps"} }, newest[:3]},
	} {
		t.Run(name, func(t *testing.T) {
			q := year
			tt.ask(&q)
			got, _ := allEntries(t, s, q)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}

	t.Run("what is there stays", func(t *testing.T) {
		again := put
		again.Who, again.After = "somebody else", nil
		for _, d := range []survey.AuditEntry{put, again} {
			if err := s.Record(ctx, d); err != nil {
				t.Fatal(err)
			}
		}
		if got, _ := allEntries(t, s, year); !cmp.Equal(got, newest) {
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
		_, cursor, err := s.AuditEntries(ctx, store.AuditQuery{From: at, To: year.To, Limit: 1})
		if err != nil || !strings.HasSuffix(cursor, "#"+failed.ID) {
			t.Fatalf("%q, %v", cursor, err)
		}
		for _, q := range []store.AuditQuery{
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
			_, _, err := s.AuditEntries(ctx, q)
			wantCode(t, err, survey.Invalid, "cursor")
		}
	})
	for _, limit := range []int{0, store.MaxAuditEntries + 1} {
		if _, _, err := s.AuditEntries(ctx, store.AuditQuery{From: at, To: year.To, Limit: limit}); err == nil {
			t.Errorf("a page of %d is read", limit)
		}
	}
}

// A page ends where it is large, and where it was looked for far.
func TestPagesOfTheAuditLogEnd(t *testing.T) {
	s := testkit.NewTables(t).Store
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	large := strings.Repeat("x", survey.MaxAuditState-2)
	var want []survey.AuditEntry
	for i := range 20 { // 2.5 MB, of which DynamoDB reads 1 MB at once
		want = append(want, recorded(t, s, at.Add(-time.Duration(i)*time.Second), survey.TouchpointPut, fmt.Sprint("t", i%2), large, large))
	}
	q := store.AuditQuery{From: at.AddDate(0, 0, -1), To: at.AddDate(0, 0, 1), Limit: store.MaxAuditEntries}
	got, pages := allEntries(t, s, q)
	if diff := cmp.Diff(want, got); diff != "" || pages < 3 {
		t.Errorf("%d pages, -want +got:\n%.2000s", pages, diff)
	}
	q.Subjects, q.Limit = []string{"t1"}, 7
	if got, _ = allEntries(t, s, q); len(got) != 10 {
		t.Errorf("%d of one subject, want 10", len(got))
	}
	q = store.AuditQuery{From: at.AddDate(-10, 0, 0), To: at.AddDate(0, 0, -1), Limit: 1}
	old := recorded(t, s, at.AddDate(-10, 0, 1), survey.Export, "", nil, nil)
	got, pages = allEntries(t, s, q)
	if !cmp.Equal(got, []survey.AuditEntry{old}) || pages != 2 {
		t.Errorf("of ten years %d pages, %+v", pages, got)
	}
}

// A page that may take one call ends in the middle of a month that has more, and
// the next one goes on from there: nothing is left out or told twice.
func TestAPageEndsInTheMiddleOfAMonth(t *testing.T) {
	s := testkit.NewTables(t).Store
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	large := strings.Repeat("x", survey.MaxAuditState-2)
	var want []survey.AuditEntry
	for i := range 20 { // 1.3 MB, of which DynamoDB reads 1 MB at once
		want = append(want, recorded(t, s, at.Add(-time.Duration(i)*time.Second), survey.TouchpointPut, "shop-nps", large, nil))
	}
	q := store.AuditQuery{From: at.AddDate(0, 0, -1), To: at.Add(time.Second), Action: survey.TouchpointPut, Limit: store.MaxAuditEntries}
	first, cursor, err := store.AuditPage(s, ctx, q, 1)
	if err != nil || len(first) == 0 || len(first) == len(want) || !strings.HasSuffix(cursor, "#"+first[len(first)-1].ID) {
		t.Fatalf("a page of %d, cursor %q, %v", len(first), cursor, err)
	}
	q.Cursor = cursor
	second, cursor, err := store.AuditPage(s, ctx, q, 1)
	if diff := cmp.Diff(want, append(first, second...)); diff != "" || cursor != "" || err != nil {
		t.Errorf("then a page of %d, cursor %q, %v, -want +got:\n%.2000s", len(second), cursor, err, diff)
	}
}
