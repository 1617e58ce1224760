package store_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// saved makes a copy of a table as it is, and returns it.
func saved(t *testing.T, tables *testkit.Tables, table topology.Table) *store.Copy {
	t.Helper()
	prefix := tables.Config.TablePrefix + "copy-"
	if err := store.CreateTables(ctx, tables.DB, prefix); err != nil {
		t.Fatal(err)
	}
	page, err := tables.DB.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(tables.Config.TablePrefix + table.Name)})
	if err != nil || len(page.Items) == 0 {
		t.Fatalf("%d items, %v", len(page.Items), err)
	}
	for _, it := range page.Items {
		if _, err := tables.DB.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(prefix + table.Name), Item: it}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := tables.Store.OpenCopy(ctx, table, prefix+table.Name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// missing returns the items of a copy that can be put back.
func missing(t *testing.T, c *store.Copy) (out []store.Saved) {
	t.Helper()
	if err := c.Each(ctx, func(page []store.Saved) error {
		out = append(out, slices.DeleteFunc(page, func(sv store.Saved) bool { return sv.State != store.Missing })...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// What is written between looking and putting back stands.
func TestPutBackChangesNothing(t *testing.T) {
	add := func(t *testing.T, s *store.Store, d survey.Details) string {
		t.Helper()
		out, err := s.Upsert(ctx, []survey.Details{d}, now)
		if err != nil {
			t.Fatal(err)
		}
		return out[0].Contact
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lose := func(t *testing.T, tables *testkit.Tables, table topology.Table, key string) {
		t.Helper()
		_, err := tables.DB.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: aws.String(tables.Config.TablePrefix + table.Name), Key: map[string]attribute{table.Hash.Name: text(key)},
		})
		must(t, err)
	}
	for name, c := range map[string]struct {
		table topology.Table
		// live prepares what is saved, and returns what loses some of it and what
		// is written after looking.
		live func(*testing.T, *testkit.Tables) (lose, meanwhile func())
		want int // put back
	}{
		"an ask": {topology.Responses, func(t *testing.T, tables *testkit.Tables) (func(), func()) {
			a := whole()
			must(t, tables.Store.CreateAsk(ctx, a))
			return func() { lose(t, tables, topology.Responses, a.ID) }, func() { must(t, tables.Store.CreateAsk(ctx, a)) }
		}, 0},
		"a contact whose address another took": {topology.Contacts, func(t *testing.T, tables *testkit.Tables) (func(), func()) {
			id := add(t, tables.Store, survey.Details{Email: "a@example.fi"})
			return func() { must(t, tables.Store.DeleteContact(ctx, id)) }, func() { add(t, tables.Store, survey.Details{Email: "a@example.fi"}) }
		}, 0},
		"an address that its contact gave up": {topology.Addresses, func(t *testing.T, tables *testkit.Tables) (func(), func()) {
			id := add(t, tables.Store, survey.Details{Email: "a@example.fi"})
			return func() {
				page, err := tables.DB.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(tables.Config.TablePrefix + topology.Addresses.Name)})
				must(t, err)
				lose(t, tables, topology.Addresses, page.Items[0]["address"].(*types.AttributeValueMemberS).Value)
			}, func() { lose(t, tables, topology.Contacts, id) }
		}, 0},
		"nothing meanwhile": {topology.Contacts, func(t *testing.T, tables *testkit.Tables) (func(), func()) {
			id := add(t, tables.Store, survey.Details{Email: "a@example.fi"})
			return func() { must(t, tables.Store.DeleteContact(ctx, id)) }, func() {}
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			tables := testkit.NewTables(t)
			lose, meanwhile := c.live(t, tables)
			copied := saved(t, tables, c.table)
			lose()
			back := missing(t, copied)
			if len(back) != 1 {
				t.Fatalf("%d are missing", len(back))
			}
			meanwhile()
			if n, err := copied.PutBack(ctx, back); n != c.want || err != nil {
				t.Errorf("%d were put back, %v", n, err)
			}
			if n, err := copied.PutBack(ctx, back); n != 0 || err != nil {
				t.Errorf("again: %d were put back, %v", n, err)
			}
		})
	}
}
