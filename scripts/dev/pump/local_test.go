package pump

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
	"github.com/pulssi/pulssi/shared/topology"
)

func getenv(string) string { return "local" }

// table is the responses of one DynamoDB Local, and its stream.
type table struct {
	store   *store.Store
	streams *dynamodbstreams.Client
	arn     string
}

func openTable(t *testing.T, endpoint, prefix string) table {
	t.Helper()
	c := config.Config{Region: "eu-north-1", DynamoDBEndpoint: endpoint, TablePrefix: prefix, Retention: 1095 * 24 * time.Hour}
	db := store.NewClient(c, getenv)
	if err := store.CreateTables(t.Context(), db, prefix); err != nil {
		t.Fatal(err)
	}
	out, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(prefix + topology.Responses.Name)})
	if err != nil {
		t.Fatal(err)
	}
	o := db.Options()
	return table{
		store: store.New(db, c),
		arn:   *out.Table.LatestStreamArn,
		streams: dynamodbstreams.New(dynamodbstreams.Options{
			Region: o.Region, Credentials: o.Credentials, HTTPClient: o.HTTPClient, BaseEndpoint: o.BaseEndpoint,
		}),
	}
}

// collect runs a pump on the table until the function has dealt with want
// records of asks, and returns their ids. On its way every batch fails once in
// every way.
func (tb table) collect(t *testing.T, checkpoints string, want int) []string {
	t.Helper()
	c, err := OpenCheckpoints(checkpoints)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var mu sync.Mutex
	var ids []string
	calls := 0
	handle := func(_ context.Context, e events.DynamoDBTimeWindowEvent) (events.DynamoDBTimeWindowEventResponse, error) {
		mu.Lock()
		defer mu.Unlock()
		var out events.DynamoDBTimeWindowEventResponse
		if e.ShardID == "" || e.Window.Start.IsZero() {
			return out, errors.New("no shard or no window")
		}
		switch calls++; calls {
		case 1:
			return out, errors.New("broken")
		case 2:
			panic("broken")
		}
		for i, r := range e.Records {
			if calls == 3 && i == len(e.Records)/2 {
				out.BatchItemFailures = []events.DynamoDBBatchItemFailure{{ItemIdentifier: r.Change.SequenceNumber}}
				break
			}
			if r.EventName != "INSERT" || r.Change.NewImage["touchpoint"].String() != "shop-nps" || r.Change.OldImage != nil {
				t.Errorf("record %+v", r)
			}
			ids = append(ids, r.Change.Keys["id"].String())
		}
		if len(ids) >= want {
			stop()
		}
		return out, nil
	}
	p := &Pump{
		Streams: tb.streams, ARN: tb.arn, Checkpoints: c, Failed: &bytes.Buffer{}, Log: slog.New(slog.DiscardHandler),
		Mapping:  topology.Stream{Batch: 10_000, WindowSeconds: 30, Bisect: true, Retries: 5},
		Function: local.Function(handle),
	}
	p.Run(ctx)
	return ids
}

func (tb table) ask(t *testing.T, n int) (ids []string) {
	t.Helper()
	for range n {
		a := testkit.NewAsk(time.Now())
		a.Segments, a.Attrs = []string{"plan=gold", "vip"}, map[string]string{"plan": "gold"}
		// On a busy machine the client may lose the answer to a write and try
		// it again: the id is the test's own, so it is there.
		if err := tb.store.CreateAsk(t.Context(), a); err != nil && survey.CodeOf(err) != survey.Conflict {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	return ids
}

// TestOnDynamoDBLocal stops and starts the pump and the database, with writes
// before, between and after: every record comes through once and in order.
func TestOnDynamoDBLocal(t *testing.T) {
	dir := t.TempDir()
	prefix := survey.NewID() + "-"
	var want, got []string
	for range 2 {
		server, err := dynamodblocal.Start(t.Context(), dynamodblocal.Options{Dir: filepath.Join(dir, "tables")})
		if err != nil {
			t.Fatal(err)
		}
		tb := openTable(t, server.Endpoint(), prefix)
		for range 2 {
			ids := tb.ask(t, 7)
			got = append(got, tb.collect(t, filepath.Join(dir, "checkpoints.json"), len(ids))...)
			want = append(want, ids...)
		}
		want = append(want, tb.ask(t, 1)...) // for the next start
		got = append(got, tb.collect(t, filepath.Join(dir, "checkpoints.json"), 1)...)
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}
