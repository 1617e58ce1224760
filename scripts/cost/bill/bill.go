package bill

import "math"

// Line is one line of a bill.
type Line struct {
	Service  string
	What     string
	Quantity float64 // that is to be paid
	Unit     string
	Price    float64 // US dollars for Per units
	Per      float64
	USD      float64
	Region   string
	Source   string // a key of the prices' sources, or what it is by
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
// its part in counting; Page is what it costs besides to open the answer page
// before it, and Front what CloudFront and WAF add to the request.
type PerMillion struct {
	Answers, Page, Front float64
}

// NewBill returns the bill of a month. With free, what AWS gives for nothing is
// not on it.
func NewBill(m Month, p Prices, free bool) Bill {
	idle := newBill(Month{Front: m.Front, Backup: m.Backup}, p, free)
	b := newBill(m, p, free)
	b.Fixed = idle.Total
	return b
}

// NewPerMillion returns the figure of the budget.
func NewPerMillion(p Prices) PerMillion {
	const million = 1e6
	counted := count(million, million/1000*batchSeconds)
	answers := &builder{prices: p}
	answers.request("", million, million*acceptedBytes, false)
	answers.add(dynamodbWrite, "", million*answerWrites)
	answers.tally(counted)
	page := &builder{prices: p}
	page.request("", million, million*pageBytes, false)
	page.add(dynamodbRead, "", million)
	front := &builder{prices: p}
	front.request("", million, million*acceptedBytes, true)
	behind := &builder{prices: p}
	behind.request("", million, million*acceptedBytes, false)
	return PerMillion{Answers: answers.Total, Page: page.Total, Front: front.Total - behind.Total}
}

// builder writes a bill.
type builder struct {
	Bill
	prices Prices
	free   map[string]float64 // what is left of it, by key; nil for none
}

func newBill(m Month, p Prices, free bool) Bill {
	b := &builder{prices: p}
	if free {
		b.free = map[string]float64{}
		for key, price := range p.Prices {
			b.free[key] = price.Free
		}
	}
	b.answers(m)
	b.popup(m)
	b.asking(m)
	b.dashboard(m)
	b.kept(m)
	b.standing(m)
	return b.Bill
}

// add adds a line. Nothing of something is no line.
func (b *builder) add(key, what string, quantity float64) {
	given := math.Min(quantity, b.free[key])
	if b.free != nil {
		b.free[key] -= given
		quantity -= given
	}
	if quantity <= 0 {
		return
	}
	price := b.prices.Prices[key]
	b.put(Line{
		Service: price.Service, What: what, Quantity: quantity, Unit: price.Unit, Price: price.USD, Per: price.Per,
		USD: b.prices.usd(key, quantity), Region: b.prices.region(key), Source: price.Source,
	})
}

func (b *builder) put(l Line) {
	b.Lines = append(b.Lines, l)
	b.Total += l.USD
}

// request adds what it takes to answer requests of customers, with so many bytes
// in all: at the edge where there is a front, and by the API and a function.
func (b *builder) request(what string, requests, bytes float64, front bool) {
	if front {
		b.add(cloudfrontRequest, what, requests)
		b.add(cloudfrontOut, what, bytes/gigabyte)
		b.add(wafRequest, what, requests)
	} else {
		b.add(transferOut, what, bytes/gigabyte)
	}
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
	b.request("answer pages", pages, pages*pageBytes, m.Front)
	b.add(dynamodbRead, "answer pages", pages)
	b.request("answers and votes", answers, answers*acceptedBytes, m.Front)
	b.add(dynamodbWrite, "answers and votes", answers*answerWrites)
	comments := float64(m.Comments)
	b.request("comments", comments, comments*acceptedBytes, m.Front)
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
	requests, bytes := (views+shown)*popupRequests, views*popupBytes+shown*shownBytes
	if m.Front {
		b.add(cloudfrontRequest, what, requests)
		b.add(cloudfrontOut, what, bytes/gigabyte)
		b.add(wafRequest, what, requests)
		b.function(what, requests*popupMisses)
		return
	}
	b.request(what, requests, bytes, false)
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
	const what = "dashboard"
	views := float64(m.DashboardHours) * hourViews
	requests, bytes := views*viewRequests, views*viewBytes
	if m.Front {
		b.add(cloudfrontRequest, what, requests)
		b.add(cloudfrontOut, what, bytes/gigabyte)
		b.add(wafRequest, what, requests)
	} else {
		b.add(transferOut, what, bytes/gigabyte)
	}
	b.add(apiRequest, what, requests)
	b.add(lambdaRequest, what, requests)
	b.add(lambdaCompute, what, views*viewCompute)
	b.add(dynamodbRead, what, views*viewReads)
	b.add(logsIngest, what, requests*accessBytes/gigabyte)
	b.add(cognitoUser, "sign-in", float64(m.Users))
}

// kept adds what it takes to keep the data.
func (b *builder) kept(m Month) {
	asks := float64(m.Emails + m.SMS + m.Votes) // an answer by a link is in its ask
	size := (float64(m.Contacts)*contactBytes + asks*keptMonths*askBytes) / gigabyte
	b.add(dynamodbStorage, "tables and indexes", size)
	b.add(dynamodbRecovery, "point-in-time recovery", size)
	if m.Backup {
		b.add(dynamodbBackup, "copies of days and months", size*backups)
	}
}

// standing adds what is there in every month.
func (b *builder) standing(m Month) {
	b.add(metricMonth, "metrics", metrics)
	b.add(alarmMonth, "alarms", alarms)
	b.add(dashboardMonth, "dashboard for operating", dashboards)
	b.add(secretMonth, "secrets", secrets)
	if m.Front {
		b.add(wafACL, "front", 1)
		b.add(wafRule, "front", frontRules)
	}
}
