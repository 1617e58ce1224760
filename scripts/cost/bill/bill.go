package bill

import (
	"math"
	"slices"
)

// Line is one line of a bill.
type Line struct {
	Service  string
	What     string
	Quantity float64
	Unit     string
	Price    float64 // US dollars for Per units; less than nothing where they are given
	Per      float64
	USD      float64
	Region   string
	Source   string  // a key of the prices' sources, or what it is by
	Tier     float64 // of what is given, how much may be in a month; 0 for what is to be paid
}

// Bill is what a month costs.
type Bill struct {
	Lines []Line
	Total float64
	// Messages is what of it goes to those who deliver e-mails and SMS.
	Messages float64
	// Fixed is what of it would be there without anything that happens.
	Fixed float64
}

// PerMillion is what a million more answers cost, e-mails and SMS apart, where
// they come as they do after a mailing: a thousand while a batch gathers. It is
// the figure of the budget. Each is one request that is accepted, one write, and
// its part in counting, as if nothing stood in front of the API; Page is what it
// costs besides to open the answer page before it. Front is what CloudFront and
// WAF add to the request, after CloudFront's free tier, and FrontFree within it.
type PerMillion struct {
	Answers, Page, Front, FrontFree float64
}

// NewBill returns the bill of a month. Of what AWS gives for nothing, CloudFront's
// part is taken off in any case, and the rest with free.
func NewBill(m Month, p Prices, free bool) Bill {
	idle := newBill(Month{Backup: m.Backup, Tracing: m.Tracing}, p, free)
	b := newBill(m, p, free)
	b.Fixed = idle.Total
	return b
}

// NewPerMillion returns the figure of the budget.
func NewPerMillion(p Prices) PerMillion {
	const million = 1e6
	direct := func(bytes float64) *builder {
		b := newBuilder(p)
		b.add(transferOut, "", bytes/gigabyte)
		b.function("", million)
		return b
	}
	answers := direct(million * acceptedBytes)
	answers.add(dynamodbWrite, "", million*answerWrites)
	answers.tally(count(million, million/1000*batchSeconds))
	page := direct(million * pageBytes)
	page.add(dynamodbRead, "", million)
	front := newBuilder(p)
	front.request("", million, million*acceptedBytes)
	added := front.Total - direct(million*acceptedBytes).Total
	return PerMillion{
		Answers: answers.Total, Page: page.Total, Front: added,
		FrontFree: added - p.usd(cloudfrontRequest, million) - p.usd(cloudfrontOut, million*acceptedBytes/gigabyte),
	}
}

// builder writes a bill.
type builder struct {
	Bill
	prices  Prices
	used    map[string]float64 // by key
	tracing bool
	traces  float64
}

func newBuilder(p Prices) *builder { return &builder{prices: p, used: map[string]float64{}} }

func newBill(m Month, p Prices, free bool) Bill {
	b := newBuilder(p)
	b.tracing = m.Tracing
	b.answers(m)
	b.popup(m)
	b.asking(m)
	b.dashboard(m)
	b.kept(m)
	b.standing()
	b.add(xrayTrace, "tracing", b.traces)
	b.give(free)
	return b.Bill
}

// add adds a line. Nothing of something is no line.
func (b *builder) add(key, what string, quantity float64) {
	if quantity <= 0 {
		return
	}
	b.used[key] += quantity
	if b.tracing && key == lambdaRequest {
		b.traces += sampled(quantity)
	}
	price := b.prices.Prices[key]
	b.put(Line{
		Service: price.Service, What: what, Quantity: quantity, Unit: price.Unit, Price: price.USD, Per: price.Per,
		USD: b.prices.usd(key, quantity), Region: b.prices.region(key), Source: price.Source,
	})
}

// frontFree is what is given on every bill: few accounts use up what CloudFront
// gives, and without it the front would seem to cost three times as much. What
// other services give is little, and other things in the account may have it.
var frontFree = []string{cloudfrontRequest, cloudfrontOut}

// give adds a line for each service that gives something for nothing in every
// month: CloudFront, or all.
func (b *builder) give(all bool) {
	for _, key := range keys {
		price := b.prices.Prices[key]
		given := min(b.used[key], price.Free)
		if given <= 0 || !all && !slices.Contains(frontFree, key) {
			continue
		}
		source := price.FreeSource
		if source == "" {
			source = price.Source
		}
		b.put(Line{
			Service: price.Service, What: "always free", Quantity: given, Unit: price.Unit, Price: -price.USD, Per: price.Per,
			USD: -b.prices.usd(key, given), Region: b.prices.region(key), Source: source, Tier: price.Free,
		})
	}
}

func (b *builder) put(l Line) {
	b.Lines = append(b.Lines, l)
	b.Total += l.USD
}

// edge adds what it takes that requests come to the front, and so many bytes in
// all go back.
func (b *builder) edge(what string, requests, bytes float64) {
	b.add(cloudfrontRequest, what, requests)
	b.add(cloudfrontOut, what, bytes/gigabyte)
	b.add(wafRequest, what, requests)
}

// request adds what it takes to answer requests of customers: at the front, which
// hands them on, and by the API and a function.
func (b *builder) request(what string, requests, bytes float64) {
	b.edge(what, requests, bytes)
	b.add(cloudfrontOrigin, what, requests*requestBytes/gigabyte)
	b.function(what, requests)
}

// function adds what it takes to have the API and a function answer requests.
func (b *builder) function(what string, requests float64) {
	b.add(apiRequest, what, requests)
	b.add(lambdaRequest, what, requests)
	b.add(lambdaCompute, what, requests*publicCompute)
	b.add(logsIngest, what, requests*accessBytes/gigabyte)
}

func (b *builder) tally(c counting) {
	const what = "counting"
	b.add(lambdaRequest, what, c.Invocations)
	b.add(lambdaCompute, what, c.Invocations*tallyCompute)
	b.add(dynamodbWrite, what, c.Writes*sheetUnits)
	b.add(logsIngest, what, c.Invocations*metricBytes/gigabyte)
}

func (b *builder) answers(m Month) {
	pages, answers := float64(m.Answers), float64(m.Answers+m.Votes)
	b.request("answer pages", pages, pages*pageBytes)
	b.add(dynamodbRead, "answer pages", pages)
	b.request("answers and votes", answers, answers*acceptedBytes)
	b.add(dynamodbWrite, "answers and votes", answers*answerWrites)
	comments := float64(m.Comments)
	b.request("comments", comments, comments*acceptedBytes)
	b.add(dynamodbWrite, "comments", comments*commentWrites)
	b.add(dynamodbRead, "comments", comments)
	c := count(answers+comments, monthSeconds)
	// Of messages the tally counts that they were sent and that they arrived.
	// They come by the burst, which is one touchpoint's.
	bursts := 2 * math.Ceil(float64(m.Emails+m.SMS)/burst) * shards
	c.Invocations += bursts
	c.Writes += 2 * bursts
	b.tally(c)
}

func (b *builder) popup(m Month) {
	const what = "popup"
	views, shown := float64(m.PageViews), float64(m.Votes)*shownPerVote
	files, settings := (views+shown)*popupFiles, (views+shown)*popupSettings
	b.edge(what, files+settings, views*popupBytes+shown*shownBytes)
	b.add(s3Get, what, files*popupMisses)
	b.function(what, settings*popupMisses)
}

func (b *builder) asking(m Month) {
	messages := float64(m.Emails + m.SMS)
	b.add(sesEmail, "e-mails", float64(m.Emails))
	if m.SMS > 0 {
		b.put(Line{
			Service: "SNS", What: "SMS", Quantity: float64(m.SMS), Unit: "messages", Price: m.SMSPrice, Per: 1,
			USD: float64(m.SMS) * m.SMSPrice, Region: "by country", Source: "smsPrice",
		})
	}
	b.Messages = b.prices.usd(sesEmail, float64(m.Emails)) + float64(m.SMS)*m.SMSPrice
	b.add(lambdaRequest, "sending, notices", messages*2)
	b.add(lambdaCompute, "sending, notices", messages*(sendCompute+noticeCompute))
	b.add(dynamodbWrite, "sending, notices", messages*messageWrites)
	b.add(dynamodbRead, "sending, notices", messages*messageReads)
	b.add(sqsRequest, "sending", messages*queueRequests)
	b.add(sqsRequest, "looking into empty queues", idlePolls)
	b.add(logsIngest, "sending, notices", messages*(messageBytes+metricBytes)/gigabyte)

	contacts, events := float64(m.Contacts), float64(m.Events)
	b.add(schedulerCall, "every hour", ticks)
	b.add(schedulerCall, "asks after an event", events)
	b.add(lambdaRequest, "planning", ticks+events)
	b.add(lambdaCompute, "planning", ticks*tickCompute+contacts*contactCompute+events*eventCompute)
	b.add(dynamodbRead, "planning", contacts*planReads+events*eventReads)
	b.add(busEvent, "business events", events)
	b.add(dynamodbWrite, "business events", events*eventWrites)
}

func (b *builder) dashboard(m Month) {
	const what, signin = "dashboard", "sign-in"
	hours, users := float64(m.DashboardHours), float64(m.Users)
	views := hours * hourViews
	requests, loads := views*viewRequests, users*deployments
	b.edge(what, requests+loads*dashboardFiles, views*viewBytes+loads*dashboardBytes)
	b.add(cloudfrontOrigin, what, requests*requestBytes/gigabyte)
	b.add(apiRequest, what, requests)
	b.add(lambdaRequest, what, requests)
	b.add(lambdaCompute, what, views*viewCompute)
	b.add(dynamodbRead, what, views*viewReads)
	b.add(logsIngest, what, requests*accessBytes/gigabyte)
	b.add(s3Get, what, loads*dashboardFiles) // at worst
	b.add(cognitoUser, signin, users)
	b.add(wafRequest, signin, users*signIns*signInRequests+hours)
}

// kept adds what it takes to keep the data.
func (b *builder) kept(m Month) {
	asks := float64(m.Emails + m.SMS + m.Votes) // an answer by a link is in its ask
	size := (float64(m.Contacts)*contactBytes + asks*keptMonths*askBytes) / gigabyte
	b.add(dynamodbStorage, "tables and indexes", size)
	b.add(dynamodbRecovery, "point-in-time recovery", size)
	if m.Backup {
		b.add(dynamodbBackup, "copies of every night", size*backups)
	}
}

// standing adds what is there in every month.
func (b *builder) standing() {
	b.add(metricMonth, "metrics", metrics)
	b.add(alarmMonth, "alarms", alarmMetrics)
	b.add(dashboardMonth, "dashboard for operating", dashboards)
	b.add(secretMonth, "secrets", secrets)
	b.add(wafACL, "front", 1)
	b.add(wafRule, "front", frontRules)
	b.add(wafACL, "sign-in", 1)
	b.add(wafRule, "sign-in", signinRules)
	b.add(s3Storage, "files that are served", servedBytes/gigabyte)
	b.add(s3Put, "files that are served", deployments*servedFiles)
}
