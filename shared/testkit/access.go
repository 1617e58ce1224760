package testkit

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/topology"
)

// Access notes which calls a function makes on which tables, because DynamoDB
// Local grants everything. It is safe for concurrent use.
type Access struct {
	prefix string

	mu   sync.Mutex
	used map[string]bool // "contacts dynamodb:GetItem"
}

// NewAccess returns an Access with nothing noted yet, and a store of the tables
// whose calls it notes.
func NewAccess(tables *Tables) (*Access, *store.Store) {
	a := &Access{prefix: tables.Config.TablePrefix, used: map[string]bool{}}
	db := store.NewClient(tables.Config, func(string) string { return "local" }, func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Access", a.note), middleware.Before)
		})
	})
	return a, store.New(db, tables.Config)
}

// IsGranted holds the calls that were made against those that the function is
// granted: neither may have one that the other has not.
func (a *Access) IsGranted(t testing.TB, f topology.Function) {
	t.Helper()
	granted := map[string]bool{}
	for _, g := range topology.Accesses() {
		for _, action := range g.Actions {
			if g.Function == f {
				granted[g.Table.Name+" "+string(action)] = true
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(a.used)), slices.Sorted(maps.Keys(granted))); diff != "" {
		t.Errorf("%s: -used +granted:\n%s", f, diff)
	}
}

func (a *Access) note(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	a.mu.Lock()
	add := func(action topology.Action, table string) {
		a.used[strings.TrimPrefix(table, a.prefix)+" "+string(action)] = true
	}
	switch p := in.Parameters.(type) {
	case *dynamodb.GetItemInput:
		add(topology.GetItem, *p.TableName)
	case *dynamodb.PutItemInput:
		add(topology.PutItem, *p.TableName)
	case *dynamodb.DeleteItemInput:
		add(topology.DeleteItem, *p.TableName)
	case *dynamodb.UpdateItemInput:
		add(topology.UpdateItem, *p.TableName)
	case *dynamodb.QueryInput:
		add(topology.Query, *p.TableName)
	case *dynamodb.ScanInput:
		add(topology.Scan, *p.TableName)
	case *dynamodb.BatchGetItemInput:
		for table := range p.RequestItems {
			add(topology.BatchGet, table)
		}
	case *dynamodb.BatchWriteItemInput:
		for table := range p.RequestItems {
			add(topology.BatchWrite, table)
		}
	case *dynamodb.TransactWriteItemsInput:
		for _, w := range p.TransactItems {
			switch {
			case w.Put != nil:
				add(topology.PutItem, *w.Put.TableName)
			case w.Update != nil:
				add(topology.UpdateItem, *w.Update.TableName)
			case w.Delete != nil:
				add(topology.DeleteItem, *w.Delete.TableName)
			default:
				a.used["another part of a transaction"] = true
			}
		}
	default:
		a.used[middleware.GetOperationName(ctx)] = true
	}
	a.mu.Unlock()
	return next.HandleInitialize(ctx, in)
}
