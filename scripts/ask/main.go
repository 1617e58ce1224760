// Command ask sends one ask to oneself, to see what customers get:
//
//	go run ./scripts/ask -touchpoint shop-nps -to me@example.com
//	go run ./scripts/ask -touchpoint shop-nps -locale sv -to +358401234567
//	go run ./scripts/ask -touchpoint shop-nps -print
//
// The links work, and what is answered is not counted. While the local stack
// runs, the message goes to its inbox; otherwise through SES, from the address
// in PULSSI_SENDER, or through SNS.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/dev/post"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/mail"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/sms"
	"github.com/pulssi/pulssi/shared/survey"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "ask:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	touchpoint, to, locale, name string
	print, reminder              bool
	replies                      bool // whether text messages can be replied to
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("ask", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.touchpoint, "touchpoint", "", "the id of the touchpoint")
	f.StringVar(&o.to, "to", "", "your own e-mail address or phone number")
	f.StringVar(&o.locale, "locale", "", "the language, fi, sv or en; the deployment's where not given")
	f.StringVar(&o.name, "name", "Maija", "the first name that the message greets")
	f.BoolVar(&o.print, "print", false, "print the message, and send nothing")
	f.BoolVar(&o.reminder, "reminder", false, "the reminder instead of the ask")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("%q is not known: see -help", f.Arg(0))
	case o.touchpoint == "":
		return o, errors.New("say which touchpoint with -touchpoint ID: `go run ./scripts/ask -help`")
	case o.to == "" && !o.print:
		return o, errors.New("say whom with -to and your own address, or -print to see the message only")
	}
	return o, nil
}

func run(args []string, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	d, err := connect.Open(ctx)
	if err != nil {
		return err
	}
	if d.URL == "" {
		return fmt.Errorf("set %s to where customers reach Pulssi, so that the links lead there", config.PublicURL)
	}
	o.replies = number(d) != ""
	return ask(ctx, d, o, out)
}

// number is the number that people can reply to, "" for none.
func number(d connect.Deployment) string {
	if d.Services != "" {
		return cmp.Or(os.Getenv(config.SMSNumber), post.SMSNumber)
	}
	return os.Getenv(config.SMSNumber)
}

// ask writes the message, and sends it unless it is only to be printed.
func ask(ctx context.Context, d connect.Deployment, o options, out io.Writer) error {
	all, err := d.Store.Touchpoints(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t *survey.Touchpoint) bool { return t.ID == o.touchpoint })
	if i < 0 {
		ids := make([]string, len(all))
		for i, t := range all {
			ids[i] = t.ID
		}
		return fmt.Errorf("there is no touchpoint %q; there are: %s", o.touchpoint, strings.Join(ids, ", "))
	}
	rules, err := d.Store.Rules(ctx)
	if err != nil {
		return err
	}
	now := d.Now()
	m, err := letter(all[i], rules, o, d.URL, now)
	if err != nil {
		return err
	}
	if o.print {
		_, err := fmt.Fprint(out, printed(m))
		return err
	}
	by, err := operator.Of(ctx, d)
	if err != nil {
		return err
	}
	err = by.Do(ctx, survey.TestAsk, all[i].ID, nil, map[string]survey.Channel{"channel": m.Channel}, func(ctx context.Context) error {
		err := d.Store.CreateAsk(ctx, &survey.Ask{
			ID: m.Ask, Touchpoint: all[i].ID, Series: all[i].Series, Metric: all[i].Metric, Channel: m.Channel,
			Locale: cmp.Or(o.locale, rules.Locale), AskedAt: now, SentAt: now, Test: true,
		})
		if err != nil {
			return err
		}
		return send(ctx, d, m)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Sent by %s, about %s. What you answer is not counted: %s/a/%s\n", m.Channel, all[i].ID, d.URL, m.Ask)
	return err
}

// printed is the message as a text.
func printed(m message.Message) string {
	subject := ""
	if m.Channel == survey.Email {
		subject = "Subject: " + m.Subject + "\n\n"
	}
	return subject + strings.TrimSuffix(m.Text, "\n") + "\n"
}

// letter writes the message as send would, about an example of the touchpoint's
// event.
func letter(t *survey.Touchpoint, rules survey.Rules, o options, url string, now time.Time) (message.Message, error) {
	m := message.Message{
		Channel: survey.Email, To: o.to, Name: rules.Company, ReplyTo: rules.ReplyTo, Ask: survey.NewID(), Touchpoint: t.ID, Reminder: o.reminder,
	}
	var err error
	switch {
	case o.to == "":
	case strings.Contains(o.to, "@"):
		m.To, err = address.Email(o.to)
	default:
		m.Channel = survey.SMS
		m.To, err = address.Phone(o.to, rules.Country)
	}
	if err != nil {
		return m, err
	}
	if o.print && o.to == "" && !slices.Contains(t.Channels, survey.Email) && slices.Contains(t.Channels, survey.SMS) {
		m.Channel = survey.SMS
	}
	if !slices.Contains(t.Channels, m.Channel) {
		return m, fmt.Errorf("%s is not asked by %s: its channels are %v", t.ID, m.Channel, t.Channels)
	}
	if o.locale != "" && !slices.Contains(t.Locales, o.locale) && !slices.Contains(t.Locales, survey.Language(o.locale)) {
		return m, fmt.Errorf("%s has no texts in %q: its locales are %s", t.ID, o.locale, strings.Join(t.Locales, ", "))
	}
	zone, err := time.LoadLocation(rules.Zone)
	if err != nil {
		return m, err
	}
	l := message.Letter{
		Ask: m.Ask, Touchpoint: t, Contact: &survey.Contact{FirstName: o.name}, Locale: cmp.Or(o.locale, rules.Locale), Link: url,
		Company: rules.Company, Postal: rules.Postal, Zone: zone, Reminder: o.reminder, Replies: o.replies,
	}
	if t.Trigger != nil && t.Trigger.Event != "" {
		l.Event, l.At = t.Trigger.Event, now
		if sample, err := events.Sample(l.Event); err == nil {
			if e, err := events.Decode(sample); err == nil {
				l.About, _ = e.Data["about"].(string)
			}
		}
	}
	if m.Channel == survey.SMS {
		m.Written = l.SMS()
		return m, nil
	}
	m.Written, err = l.Email()
	return m, err
}

// send sends the message into the local stack's inbox, or through AWS.
func send(ctx context.Context, d connect.Deployment, m message.Message) error {
	ac, sender, smsSender, err := services(ctx, d)
	if err != nil {
		return err
	}
	if m.Channel == survey.SMS {
		if smsSender == "" {
			return fmt.Errorf("set %s to whom an SMS is from", config.SMSSender)
		}
		c, err := sms.New(sns.NewFromConfig(ac, sms.Options), smsSender)
		if err == nil {
			c.Number = number(d)
			_, err = c.Send(ctx, m)
		}
		return err
	}
	if sender == "" {
		return fmt.Errorf("set %s to an address that SES knows as verified", config.Sender)
	}
	c, err := mail.New(sesv2.NewFromConfig(ac, mail.Options), sender, d.Now)
	if err != nil {
		return err
	}
	c.Set = os.Getenv(config.MailSet)
	_, err = c.Send(ctx, m)
	return err
}

// services returns how the services of mail and SMS are called, and whom the
// messages are from.
func services(ctx context.Context, d connect.Deployment) (ac aws.Config, sender, smsSender string, err error) {
	sender, smsSender = os.Getenv(config.Sender), os.Getenv(config.SMSSender)
	if d.Services == "" {
		if ac, err = awsconfig.LoadDefaultConfig(ctx); err != nil {
			err = fmt.Errorf("reading the AWS settings: %w", err)
		}
		return ac, sender, smsSender, err
	}
	env := map[string]string{awsenv.Endpoint: d.Services, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
	ac = awsenv.Config(config.Config{Region: "eu-north-1"}, func(name string) string { return env[name] })
	return ac, cmp.Or(sender, post.Sender), cmp.Or(smsSender, post.SMSSender), nil
}
