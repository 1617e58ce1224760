// Package topology is what Pulssi is made of, as plain data: functions, routes,
// tables, and what triggers what. infra turns it into CDK and scripts/dev into
// a local stack, so the two can never differ. It imports nothing of ours.
package topology

import (
	"slices"
	"strings"
)

// Function is one Lambda function; its name is its folder under functions.
type Function string

// The functions.
const (
	Answer   Function = "answer"
	Vote     Function = "vote"
	Results  Function = "results"
	Tally    Function = "tally"
	Intake   Function = "intake"
	Plan     Function = "plan"
	Send     Function = "send"
	Delivery Function = "delivery"
	Publish  Function = "publish"
)

// Functions lists the functions.
func Functions() []Function {
	return []Function{Answer, Vote, Results, Tally, Intake, Plan, Send, Delivery, Publish}
}

// Route is one method and path of the HTTP API. Paths are written as API
// Gateway (HTTP API, payload version 2.0) writes them: {name} is one segment,
// and {name+} one or more at the end.
type Route struct {
	Method   string
	Path     string
	Function Function
}

// SignedIn reports whether the route is for people and programs that have
// signed in: all under /api/.
func (r Route) SignedIn() bool { return strings.HasPrefix(r.Path, "/api/") }

// Routes lists the routes of the HTTP API. A path of another method is
// answered by whatever the gateway answers.
func Routes() []Route {
	return []Route{
		{"GET", "/a/{id}", Answer},
		{"HEAD", "/a/{id}", Answer},
		{"POST", "/a/{id}", Answer},
		{"GET", "/t/{touchpoint}", Answer},
		{"HEAD", "/t/{touchpoint}", Answer},
		{"POST", "/t/{touchpoint}", Answer},
		{"GET", "/u/{id}", Answer},
		{"HEAD", "/u/{id}", Answer},
		{"POST", "/u/{id}", Answer},
		{"GET", "/{file}", Vote},
		{"GET", "/w/{file}", Vote},
		{"POST", "/v/{touchpoint}", Vote},
		{"OPTIONS", "/v/{touchpoint}", Vote},
		{"GET", "/", Results},
		{"GET", "/dashboard", Results},
		{"GET", "/dashboard/{proxy+}", Results},
		{"GET", "/s/{key}", Results},
		{"GET", "/api/results/{touchpoint}", Results},
		{"GET", "/api/responses", Results},
		{"GET", "/api/themes/{touchpoint}", Results},
		{"GET", "/api/touchpoints", Results},
		{"GET", "/api/touchpoints/{touchpoint}", Results},
		{"PUT", "/api/touchpoints/{touchpoint}", Results},
		{"POST", "/api/touchpoints/{touchpoint}/plan", Results},
		{"POST", "/api/touchpoints/{touchpoint}/preview", Results},
		{"GET", "/api/me", Results},
		{"GET", "/api/overview", Results},
		{"GET", "/api/compare/{touchpoint}", Results},
		{"GET", "/api/contacts", Results},
		{"POST", "/api/contacts", Results},
		{"GET", "/api/contacts/{id}", Results},
		{"PATCH", "/api/contacts/{id}", Results},
		{"DELETE", "/api/contacts/{id}", Results},
		{"GET", "/api/contacts/{id}/why", Results},
		{"POST", "/api/events", Results},
		{"GET", "/api/annotations", Results},
		{"POST", "/api/annotations", Results},
		{"PATCH", "/api/annotations/{id}", Results},
		{"DELETE", "/api/annotations/{id}", Results},
		{"GET", "/api/annotations/{id}/effect", Results},
		{"GET", "/api/shares", Results},
		{"POST", "/api/shares", Results},
		{"DELETE", "/api/shares/{id}", Results},
		{"GET", "/shared/{key}", Results},
		{"GET", "/api/export/{touchpoint}", Results},
		{"GET", "/api/audit", Results},
	}
}

// Table is one DynamoDB table: on demand, with point-in-time recovery.
type Table struct {
	Name  string // also of the environment variable that tells functions the deployed name
	Hash  Attribute
	Range Attribute // Name "" for none
	// Stream is whether the table has a stream of new and old images.
	Stream bool
	// TTL is the attribute (seconds since 1970) after which an item expires; "" for none.
	TTL     string
	Indexes []Index
}

// Attribute is one key attribute.
type Attribute struct {
	Name string
	Type AttributeType
}

// AttributeType is DynamoDB's name of a key's type.
type AttributeType string

// The types that keys have.
const (
	String AttributeType = "S"
	Number AttributeType = "N"
)

// Index is one global secondary index. KeysOnly projects the keys alone, so
// that a write to other attributes costs the index nothing; otherwise all
// attributes are projected.
type Index struct {
	Name        string
	Hash, Range Attribute
	KeysOnly    bool
}

// The tables. Package store's doc.go says what is in them and how they are
// read.
var (
	Responses = Table{
		Name:   "responses",
		Hash:   Attribute{"id", String},
		Stream: true,
		TTL:    "ttl",
		Indexes: []Index{
			{Name: "byContact", Hash: Attribute{"contact", String}, Range: Attribute{"askedAt", Number}, KeysOnly: true},
			{Name: "feed", Hash: Attribute{"feed", String}, Range: Attribute{"feedAt", String}},
		},
	}
	Tallies = Table{
		Name:  "tallies",
		Hash:  Attribute{"series", String},
		Range: Attribute{"period", String},
	}
	Contacts = Table{
		Name: "contacts",
		Hash: Attribute{"id", String},
		Indexes: []Index{
			{Name: "byCohort", Hash: Attribute{"cohort", Number}, Range: Attribute{"zoneId", String}, KeysOnly: true},
		},
	}
	Addresses = Table{
		Name: "addresses",
		Hash: Attribute{"address", String},
	}
	Decisions = Table{
		Name:  "decisions",
		Hash:  Attribute{"contact", String},
		Range: Attribute{"occasion", String},
		TTL:   "ttl",
	}
	Settings = Table{
		Name:  "settings",
		Hash:  Attribute{"kind", String},
		Range: Attribute{"id", String},
	}
	// Audit is what administrators did. Through Pulssi nothing changes or deletes
	// an entry but time: no function is granted that, and its own code only adds.
	// Whoever may put items with other code could put another in an entry's place.
	Audit = Table{
		Name:  "audit",
		Hash:  Attribute{"month", String},
		Range: Attribute{"at", String},
		TTL:   "ttl",
	}
)

// Tables lists the tables.
func Tables() []Table {
	return []Table{Responses, Tallies, Contacts, Addresses, Decisions, Settings, Audit}
}

// Stream says how a table's stream is fed to a function.
type Stream struct {
	Table    Table
	Function Function
	// Batch is the most records in one invocation, and BatchingSeconds how
	// long it may wait to fill.
	Batch           int
	BatchingSeconds int
	// WindowSeconds is the length of the tumbling window. Counting does not
	// need one: it is what makes Lambda tell the function its shard.
	WindowSeconds int
	// Bisect is whether a failed batch is halved; Retries how often one is
	// tried again; MaxAgeSeconds after which age a record goes to the
	// function's dead-letter queue instead.
	Bisect        bool
	Retries       int
	MaxAgeSeconds int
	// Parallel is the number of concurrent batches of one shard. More than 1
	// would give up order within the shard, on which counting relies.
	Parallel int
}

// Streams lists the mappings of streams to functions.
func Streams() []Stream {
	return []Stream{{
		Table: Responses, Function: Tally,
		Batch: 10_000, BatchingSeconds: 5, WindowSeconds: 30,
		Bisect: true, Retries: 20, MaxAgeSeconds: 20 * 3600, Parallel: 1,
	}}
}

// by returns the table with one of its indexes alone.
func (t Table) by(index string) Table {
	t.Indexes = slices.DeleteFunc(slices.Clone(t.Indexes), func(ix Index) bool { return ix.Name != index })
	return t
}

// Access says what a function does to a table, or to its indexes.
type Access struct {
	Function Function
	Table    Table
	Actions  []Action
	// Index is whether the actions are on the indexes that Table has here, and
	// not on the table itself.
	Index bool
}

// Action is one DynamoDB API call.
type Action string

// The calls that functions make.
const (
	GetItem    Action = "dynamodb:GetItem"
	UpdateItem Action = "dynamodb:UpdateItem"
	Query      Action = "dynamodb:Query"
	Scan       Action = "dynamodb:Scan"
	PutItem    Action = "dynamodb:PutItem"
	DeleteItem Action = "dynamodb:DeleteItem"
	// BatchGet and BatchWrite are granted apart from the single calls. A
	// transaction is granted by the calls that are in it.
	BatchGet   Action = "dynamodb:BatchGetItem"
	BatchWrite Action = "dynamodb:BatchWriteItem"
)

// Accesses lists which calls each function makes on which table and index;
// nothing else is granted, and scripts/grants holds the functions to it.
func Accesses() []Access {
	return []Access{
		{Answer, Responses, []Action{GetItem, UpdateItem}, false},
		{Answer, Settings, []Action{GetItem, Query}, false},
		{Answer, Contacts, []Action{GetItem, UpdateItem}, false},
		{Vote, Responses, []Action{GetItem, UpdateItem}, false},
		{Vote, Settings, []Action{Query}, false},
		{Tally, Tallies, []Action{UpdateItem}, false},
		{Results, Tallies, []Action{Query, BatchGet}, false},
		{Results, Settings, []Action{GetItem, Query, PutItem, UpdateItem, DeleteItem}, false},
		{Results, Responses, []Action{BatchGet}, false},
		{Results, Responses, []Action{Query}, true},
		{Results, Contacts, []Action{GetItem, Scan, PutItem, UpdateItem, DeleteItem}, false},
		{Results, Addresses, []Action{GetItem, BatchGet, PutItem, DeleteItem}, false},
		{Results, Decisions, []Action{Query, BatchWrite}, false},
		{Results, Audit, []Action{PutItem, Query}, false},
		{Delivery, Responses, []Action{GetItem, UpdateItem, BatchGet}, false},
		{Delivery, Responses.by("byContact"), []Action{Query}, true},
		{Delivery, Contacts, []Action{GetItem, UpdateItem}, false},
		{Delivery, Addresses, []Action{GetItem}, false},
		{Intake, Settings, []Action{GetItem, UpdateItem}, false},
		{Intake, Contacts, []Action{BatchGet, PutItem, UpdateItem}, false},
		{Intake, Addresses, []Action{BatchGet, PutItem, DeleteItem}, false},
		{Plan, Settings, []Action{GetItem, Query, UpdateItem}, false},
		{Plan, Contacts, []Action{GetItem, BatchGet, PutItem, UpdateItem}, false},
		{Plan, Contacts, []Action{Query}, true},
		{Plan, Addresses, []Action{GetItem, BatchGet, PutItem, DeleteItem}, false},
		{Plan, Decisions, []Action{GetItem, PutItem}, false},
		{Send, Settings, []Action{GetItem, Query}, false},
		{Send, Contacts, []Action{GetItem, UpdateItem}, false},
		{Send, Responses, []Action{GetItem, PutItem, UpdateItem}, false},
		{Send, Decisions, []Action{PutItem}, false},
	}
}

// Queue is one queue of messages, each batch of which invokes a function that
// tells which messages it could not handle; those come again. It has a
// dead-letter queue, [Queue.Failed].
type Queue struct {
	Name     string
	Function Function
	// Batch is the most messages in one invocation.
	Batch int
	// VisibilitySeconds is how long a message that was handed out stays
	// hidden; when it comes again, the first invocation is over.
	VisibilitySeconds int
	// Receives is how often a message is handed out before it goes to the
	// dead-letter queue.
	Receives int
	// Concurrency is the most invocations at once, at least 2; 0 for no limit.
	Concurrency int
}

// Failed is the name of the queue's dead-letter queue.
func (q Queue) Failed() string { return q.Name + "-failed" }

// The queues.
var (
	// Asks holds the asks that are due.
	Asks = Queue{Name: "asks", Function: Send, Batch: 10, VisibilitySeconds: 180, Receives: 50, Concurrency: 2}
	// Imports holds the notices of uploaded files. A file that is too large
	// for one invocation goes on in the next.
	Imports = Queue{Name: "imports", Function: Intake, Batch: 1, VisibilitySeconds: 900, Receives: 20, Concurrency: 2}
)

// Queues lists the queues.
func Queues() []Queue { return []Queue{Asks, Imports} }

// RefusedEvents is the name of the queue that keeps business events which
// could not be used, each with the reason, and invocations of plan that failed.
const RefusedEvents = "events-failed"

// Senders says which functions put messages into which queues, by name.
func Senders() map[Function][]string {
	return map[Function][]string{Plan: {Asks.Name, RefusedEvents}}
}

// Schedulers lists the functions that schedule messages to the queue of asks
// for later.
func Schedulers() []Function { return []Function{Plan, Send} }

// Tick invokes plan: with {"tick": "2026-11-21T09:00:00Z"}, the full hour.
const (
	TickFunction = Plan
	TickHours    = 1
)

// Business events come by the bus. Those that Pulssi itself publishes have the
// source OwnSource, and are not among them; those that came by its API have
// APISource.
const (
	EventFunction = Plan
	OwnSource     = "pulssi"
	APISource     = "pulssi.api"
)

// NoticeFunction hears what became of e-mails: the events of SES that come over
// the account's own (default) bus. ReplyFunction hears the text messages that
// people send, which come over the SNS topic named RepliesTopic.
const (
	NoticeFunction = Delivery
	ReplyFunction  = Delivery
	RepliesTopic   = "replies"
)

// PublishFunction is called by CloudFormation, as a custom resource, where a
// deployment brings other files for the CDN than the last.
const PublishFunction = Publish

// Publishers lists the functions that put events on the bus.
func Publishers() []Function { return []Function{Results} }

// Uploads is the folder of the bucket whose new files are imported, Reports
// that of what came of them, and Erasures that of the records of who was erased.
const (
	Uploads  = "uploads/"
	Reports  = "reports/"
	Erasures = "erasures/"
)
