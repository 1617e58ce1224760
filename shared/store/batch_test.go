package store_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// through returns a store on tables whose every call goes through do.
func through(tables *testkit.Tables, do func(context.Context, middleware.InitializeInput, middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error)) *store.Store {
	getenv := func(string) string { return "local" }
	return store.New(store.NewClient(tables.Config, getenv, func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Test", do), middleware.Before)
		})
	}), tables.Config)
}

// small returns a store on tables whose queries have pages of n items.
func small(tables *testkit.Tables, n int32) *store.Store {
	return through(tables, func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		if q, ok := in.Parameters.(*dynamodb.QueryInput); ok {
			q.Limit = aws.Int32(n)
		}
		return next.HandleInitialize(ctx, in)
	})
}

// partial returns a store on tables that does at most n items of a batch and
// gives back the rest, and the number of its batches.
func partial(tables *testkit.Tables, n int) (*store.Store, *atomic.Int32) {
	calls := &atomic.Int32{}
	return through(tables, func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		switch p := in.Parameters.(type) {
		case *dynamodb.BatchGetItemInput:
			calls.Add(1)
			rest := map[string]types.KeysAndAttributes{}
			some := map[string]types.KeysAndAttributes{}
			for table, ka := range p.RequestItems {
				cut := min(n, len(ka.Keys))
				one := ka
				if one.Keys = ka.Keys[cut:]; len(one.Keys) > 0 {
					rest[table] = one
				}
				ka.Keys = ka.Keys[:cut]
				some[table] = ka
			}
			in.Parameters = &dynamodb.BatchGetItemInput{RequestItems: some}
			out, meta, err := next.HandleInitialize(ctx, in)
			if err == nil {
				out.Result.(*dynamodb.BatchGetItemOutput).UnprocessedKeys = rest
			}
			return out, meta, err
		case *dynamodb.BatchWriteItemInput:
			calls.Add(1)
			rest := map[string][]types.WriteRequest{}
			some := map[string][]types.WriteRequest{}
			for table, rs := range p.RequestItems {
				cut := min(n, len(rs))
				if len(rs) > cut {
					rest[table] = rs[cut:]
				}
				some[table] = rs[:cut]
			}
			in.Parameters = &dynamodb.BatchWriteItemInput{RequestItems: some}
			out, meta, err := next.HandleInitialize(ctx, in)
			if err == nil {
				out.Result.(*dynamodb.BatchWriteItemOutput).UnprocessedItems = rest
			}
			return out, meta, err
		default:
			return next.HandleInitialize(ctx, in)
		}
	}), calls
}

// What DynamoDB leaves of a batch is done in the next, more often than it is
// tried without any headway.
func TestRestsOfBatches(t *testing.T) {
	tables := testkit.NewTables(t)
	ids := addMany(t, tables, 45, "Asia/Tokyo")
	s, calls := partial(tables, 2)
	got, err := s.ContactsByID(ctx, ids)
	if err != nil || len(got) != len(ids) || calls.Load() != 23 {
		t.Errorf("%d contacts in %d calls, %v; want %d in 23", len(got), calls.Load(), err, len(ids))
	}
	var ds []survey.Decision
	for i := range 60 {
		ds = append(ds, survey.Decision{Contact: ids[0], Touchpoint: "t", Occasion: survey.Occasion(fmt.Sprint(i)), Verdict: survey.Planned, At: now})
	}
	if err := s.PutDecisions(ctx, ds); err != nil {
		t.Fatal(err)
	}
	calls.Store(0)
	if err := s.DeleteContact(ctx, ids[0]); err != nil || calls.Load() != 13+13+5 {
		t.Errorf("%v in %d calls, want 31: 25, 25 and 10 by 2", err, calls.Load())
	}
	if n := len(scan(t, tables, topology.Decisions)); n != 0 {
		t.Errorf("%d decisions are left", n)
	}
}

// nothing is a DynamoDB that does nothing of any batch.
type nothing struct{ requests int }

func (n *nothing) RoundTrip(r *http.Request) (*http.Response, error) {
	n.requests++
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body := `{"Responses":{},"UnprocessedKeys":` + strings.TrimSuffix(strings.TrimPrefix(string(b), `{"RequestItems":`), "}") + "}"
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewBufferString(body)), Request: r}, nil
}

func TestBatchesWithoutHeadwayEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config.Config{Region: "eu-north-1"}
		n := &nothing{}
		s := store.New(store.NewClient(c, func(string) string { return "local" }, func(o *dynamodb.Options) {
			o.HTTPClient.(*http.Client).Transport = n
			o.DisableValidateResponseChecksum = true
		}), c)
		start := time.Now()
		if _, err := s.ContactsByID(t.Context(), []string{"a", "b"}); err == nil || n.requests != 9 {
			t.Errorf("error %v after %d requests, want one after 9", err, n.requests)
		}
		if took := time.Since(start); took == 0 || took > 12*time.Second {
			t.Errorf("it took %s", took)
		}
		n.requests = 0
		dead, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := s.ContactsByID(dead, []string{"a", "b"}); err == nil || n.requests > 2 {
			t.Errorf("error %v after %d requests: want an end with the context", err, n.requests)
		}
	})
}
