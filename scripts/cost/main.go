// Command cost prints what a month of a deployment costs on AWS, line by line:
//
//	go run ./scripts/cost [-month FILE] [-emails N] [-answers N] ... [-prices FILE] [-free] [-all]
//
// The month is described by flags, or by a YAML file with the same names as
// month.yaml beside this file; a flag that comes after -month changes what the
// file says. What is not said is nothing, so that without any of it the bill is
// that of a deployment that nobody uses.
//
// The prices are the list prices of us-east-1, before tax, in package bill, each
// with its source and date; -prices takes another file, of another region. What
// AWS gives for nothing in every month has lines of its own: CloudFront's part
// always, the rest where -free is given. Text messages cost what -smsPrice says:
// that goes by country.
//
// Below the bill stands the figure of the budget, what a million answers cost,
// and apart from it what the front adds. How the units were found is in package
// bill: measured ones by `make bench`.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/pulssi/pulssi/scripts/cost/bill"
	"github.com/pulssi/pulssi/shared/survey"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "cost:", words(err))
		os.Exit(1)
	}
}

// words says what is wrong without the codes that are for programs.
func words(err error) string {
	if e, ok := errors.AsType[*survey.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("cost", flag.ContinueOnError)
	flags.SetOutput(out)
	var m bill.Month
	flags.Func("month", "`FILE` that describes the month; flags after it change it", func(name string) error {
		return readInto(name, m.Read)
	})
	flags.IntVar(&m.Contacts, "contacts", 0, "people who are known")
	flags.IntVar(&m.Emails, "emails", 0, "e-mails that are sent, reminders too")
	flags.IntVar(&m.SMS, "sms", 0, "text messages that are sent")
	flags.Float64Var(&m.SMSPrice, "smsPrice", 0, "what a text message costs in your country, in `USD`")
	flags.IntVar(&m.Answers, "answers", 0, "answers by a link")
	flags.IntVar(&m.Votes, "votes", 0, "answers by the popup or an app")
	flags.IntVar(&m.Comments, "comments", 0, "how many of both have a comment")
	flags.IntVar(&m.PageViews, "pageViews", 0, "views of pages with the popup, by browsers that do not have it yet")
	flags.IntVar(&m.Events, "events", 0, "business events that come by the bus")
	flags.IntVar(&m.DashboardHours, "dashboardHours", 0, "hours at the dashboard, of all people together")
	flags.IntVar(&m.Users, "users", 0, "people who sign in")
	flags.BoolVar(&m.Backup, "backup", false, "with copies of the tables every night, as stage prod has them")
	flags.BoolVar(&m.Tracing, "tracing", false, "with X-Ray, which records a sample of the invocations")
	prices, err := bill.ListPrices()
	if err != nil {
		return err
	}
	flags.Func("prices", "`FILE` with the prices of another region", func(name string) error {
		return readInto(name, func(file []byte) (err error) {
			prices, err = bill.ReadPrices(file)
			return err
		})
	})
	free := flags.Bool("free", false, "without what AWS gives for nothing in every month, where nothing else in the account has it")
	all := flags.Bool("all", false, "show lines of less than half a cent too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q: the file goes after -month", flags.Arg(0))
	}
	if err := m.Check(); err != nil {
		return err
	}
	return report(out, bill.NewBill(m, prices, *free), bill.NewPerMillion(prices), prices, *all)
}

// readInto reads a file. The error names it.
func readInto(name string, read func([]byte) error) error {
	file, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := read(file); err != nil {
		return fmt.Errorf("%s: %s", name, words(err))
	}
	return nil
}

// small is what a line costs, in US dollars, that is shown with -all alone.
const small = 0.005

// report prints a bill, and where its prices are from. Without all, lines that
// round to nothing are one.
func report(out io.Writer, b bill.Bill, per bill.PerMillion, prices bill.Prices, all bool) error {
	var shown []bill.Line
	hidden, less := 0, 0.0
	var sources []string
	for _, l := range b.Lines {
		if !all && math.Abs(l.USD) < small {
			hidden, less = hidden+1, less+l.USD
			continue
		}
		shown = append(shown, l)
		if _, ok := prices.Sources[l.Source]; ok && !slices.Contains(sources, l.Source) {
			sources = append(sources, l.Source)
		}
	}
	slices.Sort(sources)
	rows := [][]string{{"service", "for", "quantity", "unit", "USD each", "USD", "region", "source"}}
	for _, l := range shown {
		source := "as given"
		if i := slices.Index(sources, l.Source); i >= 0 {
			source = fmt.Sprintf("[%d]", i+1)
		}
		what := l.What
		if l.Tier > 0 {
			what += ", of " + amount(l.Tier)
		}
		rows = append(rows, []string{l.Service, what, amount(l.Quantity), l.Unit, price(l), usd(l.USD), l.Region, source})
	}
	if hidden > 0 {
		rows = append(rows, []string{fmt.Sprintf("%d smaller lines", hidden), "(-all shows them)", "", "", "", usd(less), "", ""})
	}
	rows = append(rows, []string{"total", "", "", "", "", usd(b.Total), "", ""})
	if err := table(out, rows, 2, 5); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nOf the total, %s USD deliver e-mails and SMS, and %s USD are there in every month.\n", usd(b.Messages), usd(b.Fixed))
	fmt.Fprintf(out, "A million answers more, as they come after a mailing, e-mails and SMS apart: %s USD (budget 2.00).\n", usd(per.Answers))
	fmt.Fprintf(out, "Besides, opening the answer page before each: %s USD.\n", usd(per.Page))
	fmt.Fprintf(out, "Besides, CloudFront and WAF in front of each answer: %s USD after CloudFront's free tier, %s USD within it.\n", usd(per.Front), usd(per.FrontFree))
	fmt.Fprintln(out, "\nPrices before tax, each with the day since which it holds, of which it is, or on which it was read:")
	for i, name := range sources {
		fmt.Fprintf(out, "[%d] %s\n", i+1, prices.Sources[name])
	}
	return nil
}

// table prints rows in columns, with the numbers of some at their right.
func table(out io.Writer, rows [][]string, right ...int) error {
	for _, column := range right {
		width := 0
		for _, row := range rows {
			width = max(width, len(row[column]))
		}
		for _, row := range rows {
			row[column] = fmt.Sprintf("%*s", width, row[column])
		}
	}
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(tw, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return tw.Flush()
}

// price returns what the units of a line cost, as 0.20 / 1M.
func price(l bill.Line) string {
	out := strconv.FormatFloat(l.Price, 'f', -1, 64)
	if _, decimals, _ := strings.Cut(out, "."); len(decimals) < 2 {
		out = strconv.FormatFloat(l.Price, 'f', 2, 64)
	}
	switch l.Per {
	case 1:
		return out
	case 1e6:
		return out + " / 1M"
	default:
		return out + " / " + amount(l.Per)
	}
}

// usd returns a sum to the cent.
func usd(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// amount returns a quantity: to the unit where there are many, else to three
// digits.
func amount(v float64) string {
	if v < 100 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
