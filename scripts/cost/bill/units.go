package bill

import "math"

// What happens takes these units. "Measured" is what `make bench` and the tests
// of the functions measure; "assumed" is a guess on the safe side, with its
// reason; what is neither follows from what the functions do (package store has
// the table of calls) or how infra sets them up.
const (
	// answerWrites is the write units of an answer or vote: measured.
	answerWrites = 1.0
	// commentWrites is those of a comment, which comes in a request of its own:
	// the item, and the index that comments are read by.
	commentWrites = 2.0
	// contactBytes and askBytes are what items take with their indexes and their
	// 100 bytes of overhead: assumed, from the fields that are usually set.
	contactBytes = 1500
	askBytes     = 900
	// keptMonths is for how long there were months like this one: half of the
	// three years for which asks are kept by default.
	keptMonths = 18

	// publicCompute is the GB-seconds of a request that a customer makes: 128 MB
	// for 10 ms, of which the function takes less than one (measured) and
	// DynamoDB the rest (assumed).
	publicCompute = 0.125 * 0.010
	// requestBytes is a request as the front hands it on, with its headers:
	// assumed, from what browsers send.
	requestBytes = 1000
	// acceptedBytes is the reply to an answer with its headers, pageBytes the
	// answer page, popupBytes what the popup's script and settings take where it
	// does not show, and shownBytes what more they take where it does: the
	// budgets, which are measured.
	acceptedBytes = 400
	pageBytes     = 8000
	popupBytes    = 1600 + 2*300
	shownBytes    = 3400 + 2*300
	// shownPerVote is how often the popup is shown for one vote: assumed.
	shownPerVote = 10
	// A page view takes a file, the script, and one request for settings, and as
	// many again where the popup is shown.
	popupFiles    = 1
	popupSettings = 1
	// popupMisses is the share of them that CloudFront does not have: it asks the
	// bucket for files, which it keeps for an hour and longer, and the API for
	// settings, which it keeps for a minute. Assumed.
	popupMisses = 0.01

	// accessBytes is a line of the API's log, with the 26 bytes that CloudWatch
	// Logs adds; messageBytes the line about a message that was sent; and
	// metricBytes a line of metrics.
	accessBytes  = 85 + 26
	messageBytes = 300 + 26
	metricBytes  = 600 + 26

	// Sending a message creates an ask (with its index), takes the contact's
	// turn, keeps that it was sent and that the contact was asked; hearing that
	// it arrived is one more.
	messageWrites = 6.0
	// Planning, sending and hearing read the contact, its decisions and the ask.
	messageReads = 6.0
	// sendCompute is 256 MB for the 200 ms that each message takes at 10 a
	// second by two invocations; noticeCompute is 128 MB for 20 ms: assumed.
	sendCompute   = 0.25 * 0.2
	noticeCompute = 0.125 * 0.020
	// queueRequests is sending, receiving and deleting a message, ten at a time
	// where they come together and one at a time where not: assumed.
	queueRequests = 3.0 / 5
	// idlePolls is how often Lambda looks into an empty queue in a month: five
	// pollers for each of two queues, each for 20 s (AWS Lambda Developer Guide:
	// using Lambda with Amazon SQS).
	idlePolls = 2 * 5 * monthSeconds / 20
	// Each contact is read about once a month to see whose turn it is, in items
	// of less than 4 kB, and not consistently.
	planReads = 0.5
	// ticks is the full hours of a month, each of which plan is invoked at: 512
	// MB for a second, and for a thousandth more for each contact.
	ticks          = monthSeconds / 3600
	tickCompute    = 0.5 * 1
	contactCompute = 0.5 * 0.001
	// An event finds its contact, or adds it with its addresses in a transaction.
	eventReads   = 3.0
	eventWrites  = 4.0
	eventCompute = 0.5 * 0.050

	// Somebody who looks at the dashboard for an hour opens so many views, of
	// which each takes so many requests, read units, bytes and GB-seconds (1,769
	// MB for 50 ms): assumed, from the budget of a view.
	hourViews    = 40
	viewRequests = 3
	viewReads    = 60.0
	viewBytes    = 30_000
	viewCompute  = viewRequests * 1.73 * 0.050
	// With each deployment, one a week, a browser loads the dashboard's files anew:
	// assumed; their size is measured.
	deployments    = 4
	dashboardFiles = 3
	dashboardBytes = 112_000
	// Somebody who uses the dashboard signs in on each working day, by so many
	// requests of the pages that the user pool has for it; for each hour after
	// that the token is renewed once. Assumed.
	signIns        = 21
	signInRequests = 8

	// The tables have five touchpoints' sheets written at a time, in two write
	// units each: assumed.
	touchpoints = 5
	sheetUnits  = 2.0
	// shards is how many there are of the stream: a new table on demand takes
	// 4,000 writes a second, each of its partitions 1,000 (Amazon DynamoDB
	// Developer Guide: on-demand capacity mode).
	shards = 4
	// batchSeconds is for how long a batch gathers, and windowSeconds how long a
	// window is, at whose end the tally is invoked once more (package topology).
	batchSeconds  = 5
	windowSeconds = 30
	// tallyCompute is 512 MB for 50 ms: assumed.
	tallyCompute = 0.5 * 0.050
	// burst is how many messages are sent while a batch gathers, at 10 a second.
	burst = 50

	// What is there in every month, with stage prod and text messages. An alarm
	// about the ratio of two metrics costs as much as two.
	metrics      = 8
	alarmMetrics = 21 // of 16 alarms
	dashboards   = 1
	secrets      = 2 // one for the ids of asks, one that the front shows to the API
	frontRules   = 6 // three rates, three groups that AWS keeps
	signinRules  = 1
	// servedFiles is how many files are in the bucket behind the front, and
	// servedBytes what they take, with those of former versions: assumed.
	servedFiles = 10
	servedBytes = 5_000_000
	// backups is how many copies of the tables are kept: those of 35 nights. Each
	// is a whole one.
	backups = 35

	// monthSeconds is a twelfth of a year.
	monthSeconds = 365.25 / 12 * 86400
	gigabyte     = 1e9
)

// counting is what it takes to count changes.
type counting struct {
	Invocations float64
	Writes      float64 // of sheets
}

// count returns what it takes to count n changes that come at any time of a
// number of seconds, each as likely as any other.
func count(n, seconds float64) counting {
	if n == 0 {
		return counting{}
	}
	// gathered returns in how many spans there is at least one change, and how
	// many there are in such a one.
	gathered := func(span float64) (spans, each float64) {
		all := shards * seconds / span
		spans = all * -math.Expm1(-n/all)
		return spans, n / spans
	}
	batches, each := gathered(batchSeconds)
	windows, _ := gathered(windowSeconds)
	// Of each touchpoint there are two sheets, of the day and of the month.
	touched := touchpoints * (1 - math.Pow(1-1.0/touchpoints, each))
	return counting{Invocations: batches + windows, Writes: batches * 2 * touched}
}

// sampled returns how many of n invocations, at any time of a month, X-Ray
// records: the first of each second and 5 % of the others (AWS X-Ray Developer
// Guide: configuring sampling rules).
func sampled(n float64) float64 {
	first := monthSeconds * -math.Expm1(-n/monthSeconds)
	return first + 0.05*(n-first)
}
