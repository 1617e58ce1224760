// Package topology is what Pulssi is made of, as plain data: functions, routes,
// tables, and what triggers what. infra turns it into CDK and scripts/dev into
// a local stack, so the two can never differ. It imports nothing.
package topology

// Function is one Lambda function; its name is its folder under functions.
type Function string

// The functions.
const (
	Answer  Function = "answer"
	Vote    Function = "vote"
	Results Function = "results"
	Tally   Function = "tally"
)

// Functions lists the functions.
func Functions() []Function { return []Function{Answer, Vote, Results, Tally} }

// Route is one method and path of the HTTP API. Paths are written as API
// Gateway (HTTP API, payload version 2.0) writes them: {name} is one segment.
type Route struct {
	Method   string
	Path     string
	Function Function
}

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
		{"GET", "/{file}", Vote},
		{"GET", "/w/{file}", Vote},
		{"POST", "/v/{touchpoint}", Vote},
		{"OPTIONS", "/v/{touchpoint}", Vote},
		{"GET", "/api/results/{touchpoint}", Results},
		{"GET", "/api/touchpoints", Results},
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
			{Name: "byCohort", Hash: Attribute{"cohort", Number}, Range: Attribute{"id", String}, KeysOnly: true},
		},
	}
	Settings = Table{
		Name:  "settings",
		Hash:  Attribute{"kind", String},
		Range: Attribute{"id", String},
	}
)

// Tables lists the tables.
func Tables() []Table { return []Table{Responses, Tallies, Contacts, Settings} }

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

// Access says what a function does to a table.
type Access struct {
	Function Function
	Table    Table
	Actions  []Action
	// Index is whether the actions are on the table's indexes too.
	Index bool
}

// Action is one DynamoDB API call.
type Action string

// The calls that functions make.
const (
	GetItem    Action = "dynamodb:GetItem"
	UpdateItem Action = "dynamodb:UpdateItem"
	Query      Action = "dynamodb:Query"
)

// Accesses lists which calls each function makes on which table; nothing else
// is granted.
func Accesses() []Access {
	return []Access{
		{Answer, Responses, []Action{GetItem, UpdateItem}, false},
		{Answer, Settings, []Action{GetItem, Query}, false},
		{Vote, Responses, []Action{GetItem, UpdateItem}, false},
		{Vote, Settings, []Action{Query}, false},
		{Tally, Tallies, []Action{UpdateItem}, false},
		{Results, Tallies, []Action{Query}, false},
		{Results, Settings, []Action{GetItem, Query}, false},
	}
}
