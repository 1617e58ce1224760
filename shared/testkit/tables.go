package testkit

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
)

// Tables is a set of fresh tables on DynamoDB Local, of one test alone.
type Tables struct {
	Config config.Config
	DB     *dynamodb.Client
	Store  *store.Store
	Meter  *Meter
}

// NewTables makes the tables of package topology under a prefix of the test's
// own. It needs what `make setup` installs and fails the test without it.
func NewTables(t testing.TB) *Tables {
	t.Helper()
	env := map[string]string{
		config.Region:           "eu-north-1",
		config.TablePrefix:      "t" + survey.NewID() + "-",
		config.DynamoDBEndpoint: dynamodblocal.Shared(t),
		"AWS_ACCESS_KEY_ID":     "local",
		"AWS_SECRET_ACCESS_KEY": "local",
	}
	getenv := func(name string) string { return env[name] }
	c, err := config.Read(getenv)
	if err != nil {
		t.Fatal(err)
	}
	m := &Meter{}
	db := store.NewClient(c, getenv, m.Attach)
	if err := store.CreateTables(context.Background(), db, c.TablePrefix); err != nil {
		t.Fatal(err)
	}
	return &Tables{Config: c, DB: db, Store: store.New(db, c), Meter: m}
}

// Clock is a clock that stands until it is moved. It is safe for concurrent
// use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at a time, to the millisecond.
func NewClock(at time.Time) *Clock { return &Clock{now: at.Truncate(time.Millisecond)} }

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock by d, which may be negative.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Meter measures what a client's calls cost: it asks DynamoDB for the capacity
// that each call consumed. A write whose condition fails reports nothing. It
// is safe for concurrent use.
type Meter struct {
	mu    sync.Mutex
	calls []Call
}

// Call is one call to DynamoDB: its name, the units it consumed in all, and
// those of them in indexes.
type Call struct {
	Operation  string
	Table      string
	Units      float64
	IndexUnits float64
	WasRefused bool // by its condition
}

// Attach makes the meter measure a client. It fits [store.NewClient].
func (m *Meter) Attach(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Meter", m.measure), middleware.Before)
	})
}

// Calls returns the calls since the last Reset, in the order they ended.
func (m *Meter) Calls() []Call {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Call(nil), m.calls...)
}

// Reset forgets the calls.
func (m *Meter) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = nil
}

func (m *Meter) measure(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	switch p := in.Parameters.(type) {
	case *dynamodb.UpdateItemInput:
		p.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
	case *dynamodb.PutItemInput:
		p.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
	case *dynamodb.GetItemInput:
		p.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
	case *dynamodb.QueryInput:
		p.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
	}
	out, meta, err := next.HandleInitialize(ctx, in)
	call := Call{Operation: middleware.GetOperationName(ctx), WasRefused: err != nil}
	var used *types.ConsumedCapacity
	switch r := out.Result.(type) {
	case *dynamodb.UpdateItemOutput:
		used = r.ConsumedCapacity
	case *dynamodb.PutItemOutput:
		used = r.ConsumedCapacity
	case *dynamodb.GetItemOutput:
		used = r.ConsumedCapacity
	case *dynamodb.QueryOutput:
		used = r.ConsumedCapacity
	}
	if used != nil {
		call.Table, call.Units = *used.TableName, *used.CapacityUnits
		for _, ix := range used.GlobalSecondaryIndexes {
			call.IndexUnits += *ix.CapacityUnits
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, call)
	return out, meta, err
}
