package bill_test

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/scripts/cost/bill"
	"github.com/pulssi/pulssi/shared/survey"
)

func listPrices(t testing.TB) bill.Prices {
	t.Helper()
	p, err := bill.ListPrices()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBudget holds the figure of the budget, $2.00 for a million answers, and
// that what is in it is what costs: the request, the write and the function.
func TestBudget(t *testing.T) {
	per := bill.NewPerMillion(listPrices(t))
	if per.Answers < 1.00+0.625+0.20 || per.Answers > 2.00 {
		t.Errorf("a million answers cost $%.3f, want between $1.825 and $2.00", per.Answers)
	}
	// Requests, WAF, 0.4 GB out at the front in the place of the region, 1 GB on.
	if want := 1.20 + 0.60 + 0.4*(0.085-0.09) + 0.02; math.Abs(per.Front-want) > 1e-9 {
		t.Errorf("the front adds $%.4f to a million answers, want $%.4f", per.Front, want)
	}
	if want := 0.60 - 0.4*0.09 + 0.02; math.Abs(per.FrontFree-want) > 1e-9 {
		t.Errorf("within the free tier it adds $%.4f, want $%.4f", per.FrontFree, want)
	}
	if per.Page < 1.20 {
		t.Errorf("a million pages cost $%.3f, less than their requests", per.Page)
	}
}

// TestPricesCount changes one price at a time: a bill that does not notice
// leaves something out. What goes out by the region is in the budget's figure
// alone.
func TestPricesCount(t *testing.T) {
	month := bill.Month{
		Contacts: 1000, Emails: 1000, SMS: 10, SMSPrice: 0.08, Answers: 10_000_000, Votes: 100, Comments: 50,
		PageViews: 1_000_000_000, Events: 100, DashboardHours: 10, Users: 3, Backup: true, Tracing: true,
	}
	total := func(p bill.Prices) float64 {
		return bill.NewBill(month, p, false).Total + bill.NewPerMillion(p).Answers
	}
	list := listPrices(t)
	was := total(list)
	for key, price := range list.Prices {
		p := listPrices(t)
		price.USD *= 2
		p.Prices[key] = price
		if now := total(p); !(now > was) {
			t.Errorf("with twice the price of %s the bill stays", key)
		}
	}
}

// TestByHand works a few lines out by hand.
func TestByHand(t *testing.T) {
	b := bill.NewBill(bill.Month{
		Emails: 10_000, Votes: 1_000_000, PageViews: 10_000_000, DashboardHours: 400, Users: 200, Backup: true, Tracing: true,
	}, listPrices(t), false)
	for _, want := range []struct {
		service, what, unit string
		quantity, usd       float64
	}{
		{"SES", "e-mails", "e-mails", 10_000, 1.60},
		{"API Gateway", "answers and votes", "requests", 1_000_000, 1.00},
		{"DynamoDB", "answers and votes", "write units", 1_000_000, 0.625},
		{"Lambda", "answers and votes", "GB-seconds", 1250, 0.016667},
		{"DynamoDB", "sending, notices", "write units", 60_000, 0.0375},
		{"Cognito", "sign-in", "users", 200, 3.00},
		{"WAF", "sign-in", "requests", 200*21*8 + 400, 0.0204},
		{"WAF", "sign-in", "web ACLs", 1, 5},
		{"WAF", "sign-in", "rules", 1, 1},
		{"WAF", "front", "rules", 6, 6},
		{"CloudFront", "answers and votes", "requests", 1_000_000, 1.20},
		{"CloudFront", "answers and votes", "GB", 0.4, 0.034},
		{"CloudFront", "answers and votes", "GB to the API", 1, 0.02},
		// Ten million page views and ten million times shown, a file and settings each.
		{"CloudFront", "popup", "requests", 40_000_000, 48},
		{"CloudFront", "popup", "GB", 22 + 40, 5.27},
		{"WAF", "popup", "requests", 40_000_000, 24},
		{"S3", "popup", "reads", 200_000, 0.08},
		{"API Gateway", "popup", "requests", 200_000, 0.20},
		{"CloudFront", "dashboard", "GB", 0.48 + 0.0896, 0.048416},
		{"CloudFront", "always free", "requests", 10_000_000, -12},
		{"CloudFront", "always free", "GB", 62.4 + 0.5696, -5.352416},
		{"AWS Backup", "copies of every night", "GB-months", 35 * (1e6 + 1e4) * 18 * 900 / 1e9, 57.267},
		{"CloudWatch", "alarms", "alarm metrics", 21, 2.10},
		{"Secrets Manager", "secrets", "secrets", 2, 0.80},
	} {
		found := false
		for _, l := range b.Lines {
			if l.Service != want.service || l.What != want.what || l.Unit != want.unit {
				continue
			}
			found = true
			if math.Abs(l.Quantity-want.quantity) > 1e-6*want.quantity || math.Abs(l.USD-want.usd) > 1e-6 {
				t.Errorf("%s, %s: %v %s at $%v, want %v at $%v", l.Service, l.What, l.Quantity, l.Unit, l.USD, want.quantity, want.usd)
			}
		}
		if !found {
			t.Errorf("there is no line %s, %s in %s", want.service, want.what, want.unit)
		}
	}
	if b.Messages != 1.60 {
		t.Errorf("$%v deliver messages, want 1.60", b.Messages)
	}
}

// TestTracing holds how many invocations are recorded to the first of each second
// and 5 % of the others: nearly all of a few, and of many little more than 5 %.
func TestTracing(t *testing.T) {
	const second = 365.25 / 12 * 86400 // of a month
	for _, m := range []bill.Month{{}, {Votes: 100}, {Votes: 1_000_000_000, DashboardHours: 10}} {
		invocations, functions, traces := 0.0, 0.0, 0.0
		m.Tracing = true
		for _, l := range bill.NewBill(m, listPrices(t), false).Lines {
			switch {
			case l.Service == "X-Ray":
				traces += l.Quantity
			case l.Service == "Lambda" && l.Unit == "requests":
				invocations, functions = invocations+l.Quantity, functions+1
			}
		}
		most := min(invocations, 0.05*invocations+0.95*functions*second)
		least := 0.05 * invocations
		if invocations < second/1000 {
			least = 0.999 * invocations
		}
		if traces < least || traces > most {
			t.Errorf("of %.0f invocations of %v functions %.0f are recorded, want %.0f to %.0f", invocations, functions, traces, least, most)
		}
		m.Tracing = false
		for _, l := range bill.NewBill(m, listPrices(t), false).Lines {
			if l.Service == "X-Ray" {
				t.Errorf("without tracing there is a line %+v", l)
			}
		}
	}
}

// TestFree holds what is given to CloudFront's part where nothing is said, and to
// no more than there is.
func TestFree(t *testing.T) {
	m := bill.Month{PageViews: 100_000_000, Emails: 1000, Users: 5, DashboardHours: 10}
	for _, free := range []bool{false, true} {
		services := map[string]int{}
		for _, l := range bill.NewBill(m, listPrices(t), free).Lines {
			if l.Tier > 0 {
				services[l.Service]++
			}
			if l.Service == "CloudFront" && l.Tier == 10_000_000 && l.USD != -12 {
				t.Errorf("of many requests at the front $%v are given, want 12.00", -l.USD)
			}
		}
		if services["CloudFront"] != 2 || (len(services) > 1) != free {
			t.Errorf("with free %t, lines of what is given: %v", free, services)
		}
	}
}

func months() *rapid.Generator[bill.Month] {
	return rapid.Custom(func(t *rapid.T) bill.Month {
		n := func(name string) int { return rapid.IntRange(0, 100_000_000).Draw(t, name) }
		m := bill.Month{
			Contacts: n("contacts"), Emails: n("emails"), SMS: n("sms"), SMSPrice: 0.08, Answers: n("answers"), Votes: n("votes"),
			PageViews: n("pageViews"), Events: n("events"), DashboardHours: n("hours"), Users: n("users"),
			Backup: rapid.Bool().Draw(t, "backup"), Tracing: rapid.Bool().Draw(t, "tracing"),
		}
		m.Comments = rapid.IntRange(0, m.Answers+m.Votes).Draw(t, "comments")
		return m
	})
}

// TestBills holds for every month: the lines are the total, each is its quantity
// at its price, more of anything never costs less, and what is free helps.
func TestBills(t *testing.T) {
	p := listPrices(t)
	rapid.Check(t, func(t *rapid.T) {
		m := months().Draw(t, "month")
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		b := bill.NewBill(m, p, false)
		sum := 0.0
		for _, l := range b.Lines {
			if !(l.Quantity > 0) || math.Abs(l.USD-l.Quantity*l.Price/l.Per) > 1e-9*math.Abs(l.USD) || (l.Tier > 0) != (l.USD < 0) || l.Tier > 0 && l.Quantity > l.Tier {
				t.Fatalf("line %+v", l)
			}
			sum += l.USD
		}
		if math.Abs(sum-b.Total) > 1e-9*sum || b.Messages+b.Fixed > b.Total+1e-9 {
			t.Fatalf("lines are %v of a total of %v, messages %v, fixed %v", sum, b.Total, b.Messages, b.Fixed)
		}
		more := m
		switch rapid.IntRange(0, 6).Draw(t, "more") {
		case 0:
			more.Votes++
		case 1:
			more.Answers++
		case 2:
			more.Emails++
		case 3:
			more.Contacts++
		case 4:
			more.PageViews++
		case 5:
			more.Events++
		case 6:
			more.DashboardHours++
		}
		if now := bill.NewBill(more, p, false).Total; now < b.Total {
			t.Fatalf("%+v costs %v, and %+v only %v", m, b.Total, more, now)
		}
		if free := bill.NewBill(m, p, true).Total; free > b.Total {
			t.Fatalf("without what is free %v, with it %v", b.Total, free)
		}
	})
}

func TestMonthsThatAreNone(t *testing.T) {
	for _, c := range []struct{ file, field, message string }{
		{"answers: -1", "answers", "answers must be from 0 to 1000000000000"},
		{"votes: 1000000000001", "votes", "votes must be from 0 to 1000000000000"},
		{"answers: 1\nvotes: 1\ncomments: 3", "comments", "comments must be at most as many as answers and votes together"},
		{"sms: 1", "smsPrice", "smsPrice must be given where there are SMS"},
		{"smsPrice: 10.01", "smsPrice", "smsPrice must be from 0 to 10 US dollars"},
		{"smsPrice: .nan", "smsPrice", "smsPrice must be from 0 to 10 US dollars"},
		{"replies: 1", "month", "replies"},
		{"answers: many", "month", "the month cannot be read"},
	} {
		var m bill.Month
		err := m.Read([]byte(c.file))
		if err == nil {
			err = m.Check()
		}
		refused(t, c.file, err, c.field, c.message)
	}
	for _, file := range []string{"{}", "answers: 1\nvotes: 1\ncomments: 2", "votes: 1000000000000", "sms: 1\nsmsPrice: 10"} {
		var m bill.Month
		if err := m.Read([]byte(file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if err := m.Check(); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func refused(t *testing.T, what string, err error, field, message string) {
	t.Helper()
	e, ok := errors.AsType[*survey.Error](err)
	if !ok || e.Code != survey.Invalid || e.Field != field || !strings.Contains(err.Error(), message) {
		t.Errorf("%s: error %v, want %q on %q", what, err, message, field)
	}
}

func TestPricesThatAreNone(t *testing.T) {
	file, err := os.ReadFile("prices/us-east-1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const line = "  waf.acl: {service: WAF, unit: web ACLs, usd: 5.00, per: 1, region: all regions, source: waf}\n"
	for _, c := range []struct{ old, new, field, message string }{
		{"region: us-east-1\n", "", "region", "region must be given"},
		{line, "", "prices.waf.acl", "prices.waf.acl must be given"},
		{line, line + "  waf.acls: {service: WAF, unit: web ACLs, usd: 5, per: 1, source: waf}\n", "prices.waf.acls", "is not known"},
		{"usd: 5.00", "usd: -0.01", "prices.waf.acl", "usd and free of at least 0, and per over 0"},
		{"usd: 5.00, per: 1", "usd: 5.00, per: 0", "prices.waf.acl", "usd and free of at least 0, and per over 0"},
		{"usd: 5.00, per: 1", "usd: 5.00, per: 1, free: -1", "prices.waf.acl", "usd and free of at least 0, and per over 0"},
		{"unit: web ACLs, ", "", "prices.waf.acl", "must have a service and a unit"},
		{"region: all regions, source: waf}", "region: all regions}", "prices.waf.acl", "must have a source that is among sources"},
		{"freeSource: cloudfront-free", "freeSource: cloudfront-gone", "prices.cloudfront.request", "must have a freeSource that is among sources"},
		{"date: 2026-07-22", "date: July 2026", "sources.ses", "must have a date as 2026-11-22"},
		{"from: the AWS price list, AmazonSES, plan Essentials", "from: \"\"", "sources.ses", "must have a url"},
		{"usd: 5.00", "eur: 5.00", "prices", "prices cannot be read"},
	} {
		if !strings.Contains(string(file), c.old) {
			t.Fatalf("the file has no %q", c.old)
		}
		_, err := bill.ReadPrices([]byte(strings.Replace(string(file), c.old, c.new, 1)))
		refused(t, c.old+" -> "+c.new, err, c.field, c.message)
	}
}
