package generator

import (
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// theme is what a comment is about.
type theme int

const (
	delivery theme = iota
	price
	ordering // the checkout
	waiting  // for customer service
	service  // its help
	search
	product // pages that tell of products
	quality // of products
	returns
	staff // in the store
	queue // in the store
	leavingHow
	choice
)

// rhythm is what the number of asks of a touchpoint goes by.
type rhythm int

const (
	steady rhythm = iota
	withOrders
	withDeliveries
	withTrouble
	withLeaving
)

// profile is how a touchpoint of the local stack's file is.
type profile struct {
	metric  survey.Metric
	base    float64 // mood
	trend   float64 // of it, in a year
	feels   map[theme]float64
	follows rhythm
	week    [7]float64 // by day, from Sunday on
	sources []source
	// good and bad are what the happy and the unhappy write about.
	good, bad []weighted[theme]
	// silent is the share of those who would write anywhere else.
	silent float64
}

// source is a channel by which asks come about.
type source struct {
	channel  survey.Channel
	daily    float64 // asks of a usual day
	from, to int     // hours of the day
	page     string  // of a vote

	// Of what is sent:
	answers float64       // share that is answered
	bounces float64       // share that comes back
	delay   time.Duration // of a usual answer
}

func (s source) sent() bool { return s.delay > 0 }

const (
	// unheard is the share of messages of which no notice tells what became of
	// them.
	unheard = .012
	// scanned is the share of e-mails whose links a scanner opens.
	scanned = .008
)

func byEmail(daily, answers float64) source {
	return source{channel: survey.Email, daily: daily, from: 9, to: 18, answers: answers, bounces: .024, delay: 5 * time.Hour}
}

func bySMS(daily, answers float64) source {
	return source{channel: survey.SMS, daily: daily, from: 10, to: 19, answers: answers, bounces: .011, delay: 50 * time.Minute}
}

func onPage(ch survey.Channel, daily float64, page string) source {
	return source{channel: ch, daily: daily, from: 7, to: 23, page: "esimerkkikauppa.example" + page}
}

var (
	evenWeek  = [7]float64{1.1, 1, .95, .95, .95, 1, 1.05}
	workWeek  = [7]float64{.1, 1.35, 1.2, 1.15, 1.15, 1.1, .3}
	storeWeek = [7]float64{.7, .8, .8, .85, .95, 1.25, 1.65}
	sendWeek  = [7]float64{0, 1.4, 1.4, 1.4, 1.4, 1.4, 0}
)

// profiles are by id of the touchpoint.
var profiles = map[string]profile{
	"shop-nps": {
		metric: survey.NPS, base: .12, trend: .06, follows: withOrders, week: evenWeek,
		feels:   map[theme]float64{delivery: .45, ordering: .15, price: 1},
		sources: []source{byEmail(4, .25), bySMS(1.3, .32), onPage(survey.Popup, 2, "/kiitos"), onPage(survey.Link, .5, "")},
		good:    []weighted[theme]{{delivery, 4}, {choice, 3}, {ordering, 2}, {quality, 2}, {price, 1.5}, {service, 1}},
		bad:     []weighted[theme]{{delivery, 2}, {price, 1}, {ordering, 2}, {quality, 1}, {returns, 1}, {waiting, .6}},
	},
	"support-csat": {
		metric: survey.CSAT, base: .15, trend: .10, follows: withTrouble, week: workWeek,
		feels:   map[theme]float64{waiting: 1},
		sources: []source{byEmail(2.6, .28), bySMS(1.2, .35), onPage(survey.Link, .4, "")},
		good:    []weighted[theme]{{service, 6}, {waiting, 1}},
		bad:     []weighted[theme]{{waiting, 2}, {service, 2}, {returns, 1}, {delivery, .6}},
	},
	"shop-checkout": {
		metric: survey.CES, base: -.10, trend: .02, follows: withOrders, week: evenWeek,
		feels:   map[theme]float64{ordering: 1},
		sources: []source{onPage(survey.Popup, 3.4, "/kassa"), onPage(survey.Link, .3, "")},
		good:    []weighted[theme]{{ordering, 1}},
		bad:     []weighted[theme]{{ordering, 4}, {price, .3}, {search, .2}},
		silent:  .35,
	},
	"delivery-ces5": {
		metric: survey.CES5, base: .10, trend: .04, follows: withDeliveries, week: [7]float64{0, 1.2, 1.2, 1.2, 1.2, 1.2, 1},
		feels:   map[theme]float64{delivery: 1},
		sources: []source{bySMS(2.4, .34), byEmail(1.8, .23), onPage(survey.Link, .3, "")},
		good:    []weighted[theme]{{delivery, 1}},
		bad:     []weighted[theme]{{delivery, 5}, {returns, .4}, {waiting, .3}},
	},
	"store-smiley": {
		metric: survey.Smiley, base: .10, trend: .03, follows: withOrders, week: storeWeek,
		feels:   map[theme]float64{delivery: .1},
		sources: []source{{channel: survey.Kiosk, daily: 4.4, from: 10, to: 20}, {channel: survey.Link, daily: .5, from: 10, to: 22}},
		good:    []weighted[theme]{{staff, 3}, {choice, 1}},
		bad:     []weighted[theme]{{queue, 3}, {staff, 1}, {price, 1}},
		silent:  .85,
	},
	"shop-search": {
		metric: survey.Thumbs, base: .05, trend: .05, follows: withOrders, week: evenWeek,
		feels:   map[theme]float64{search: 1},
		sources: []source{onPage(survey.Popup, 3, "/haku"), onPage(survey.Link, .2, "")},
		good:    []weighted[theme]{{search, 1}},
		bad:     []weighted[theme]{{search, 4}, {product, 2}},
		silent:  .5,
	},
	"shop-product": {
		metric: survey.CSAT, base: 0, trend: .05, follows: withOrders, week: evenWeek,
		feels:   map[theme]float64{price: .3},
		sources: []source{onPage(survey.Popup, 2.4, "/tuotteet"), onPage(survey.App, .6, "")},
		good:    []weighted[theme]{{product, 3}, {choice, 1}},
		bad:     []weighted[theme]{{product, 4}, {price, .6}, {search, .5}},
		silent:  .45,
	},
	"relation-nps": {
		metric: survey.NPS, base: .05, trend: .05, follows: steady, week: sendWeek,
		feels:   map[theme]float64{price: .9, delivery: .2, ordering: .15},
		sources: []source{byEmail(2.8, .22), bySMS(.8, .29)},
		good:    []weighted[theme]{{choice, 3}, {service, 2}, {delivery, 2}, {quality, 2}, {price, 1}},
		bad:     []weighted[theme]{{price, 1}, {delivery, 1.5}, {quality, 1}, {waiting, 1}, {ordering, 1}, {returns, .6}},
	},
	"cancel-csat": {
		metric: survey.CSAT, base: -.15, trend: .05, follows: withLeaving, week: workWeek,
		feels:   map[theme]float64{price: .3, waiting: .3},
		sources: []source{byEmail(1.3, .30), onPage(survey.Link, .1, "")},
		good:    []weighted[theme]{{leavingHow, 2}, {price, .5}},
		bad:     []weighted[theme]{{leavingHow, 2}, {price, 1}, {waiting, .7}},
	},
}
