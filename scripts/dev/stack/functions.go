package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/pulssi/pulssi/functions/answer"
	"github.com/pulssi/pulssi/functions/delivery"
	"github.com/pulssi/pulssi/functions/intake"
	"github.com/pulssi/pulssi/functions/plan"
	"github.com/pulssi/pulssi/functions/results"
	"github.com/pulssi/pulssi/functions/send"
	"github.com/pulssi/pulssi/functions/tally"
	"github.com/pulssi/pulssi/functions/vote"
	"github.com/pulssi/pulssi/scripts/dev/ledger"
	"github.com/pulssi/pulssi/scripts/dev/post"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/mail"
	"github.com/pulssi/pulssi/shared/sms"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// requestLimit is how long a function may take to answer a request: the
// gateway gives up after 30 seconds (Amazon API Gateway quotas, HTTP API).
const requestLimit = 30 * time.Second

// functions are the functions wired as their lambda/main.go does it, each with
// a client of its own.
type functions struct {
	handlers map[topology.Function]lambda.Handler
	send     *send.Handler
	now      func() time.Time
}

// newFunctions wires the functions to the services of s. All go by its clock
// but the tally, which compares its own time with that of the database's
// stream.
func newFunctions(s *Stack, getenv func(string) string, o Options) (functions, error) {
	secret, err := readSecret(o.Dir)
	if err != nil {
		return functions{}, err
	}
	c, now := s.Config, s.Clock.Now
	open := func(f topology.Function) (*store.Store, *store.Catalog) {
		t := store.New(store.NewClient(c, getenv, func(do *dynamodb.Options) { o.Tune(f, do) }), c)
		return t, store.NewCatalog(t, now)
	}
	answers, answerCatalog := open(topology.Answer)
	votes, voteCatalog := open(topology.Vote)
	sheets, resultCatalog := open(topology.Results)
	tallies, _ := open(topology.Tally)
	imports, _ := open(topology.Intake)
	plans, planCatalog := open(topology.Plan)
	asks, askCatalog := open(topology.Send)
	notices, _ := open(topology.Delivery)

	services := awsenv.Config(c, getenv)
	mails, err := mail.New(sesv2.NewFromConfig(services, mail.Options), post.Sender, now)
	if err != nil {
		return functions{}, err
	}
	texts, err := sms.New(sns.NewFromConfig(services, sms.Options), post.SMSSender)
	if err != nil {
		return functions{}, err
	}

	plan := &plan.Handler{
		Store: noted{plans, s.Ledger}, Catalog: planCatalog,
		Queue: s.Services, Schedules: s.Services, Refused: s.Services, Now: now,
	}
	texts.Number = post.SMSNumber
	send := &send.Handler{
		Replies: true,
		Store:   noted{asks, s.Ledger}, Catalog: askCatalog, Schedules: s.Services, Queue: s.Services,
		Transports: map[survey.Channel]send.Transport{survey.Email: mails, survey.SMS: texts},
		Secret:     secret, PublicURL: c.PublicURL, Now: now,
	}
	delivery := &delivery.Handler{Store: notices, Now: now}
	return functions{map[topology.Function]lambda.Handler{
		topology.Answer: local.Function((&answer.Handler{Asks: answers, Contacts: answers, Touchpoints: answerCatalog, Now: now}).Handle),
		topology.Vote:   local.Function((&vote.Handler{Votes: votes, Touchpoints: voteCatalog, Now: now, PublicURL: c.PublicURL}).Handle),
		topology.Results: local.Function((&results.Handler{
			Sheets: sheets, Feed: sheets, Annotations: sheets, Shares: sheets, Touchpoints: resultCatalog, Definitions: resultCatalog, Contacts: sheets, History: sheets, Rules: resultCatalog, Demo: sheets, Audit: sheets,
			Bus: s.Services.Bus, Zone: o.Zone, Now: now,
			Signin: results.Signin{URL: getenv(config.SigninURL), Client: getenv(config.SigninClient)},
		}).Handle),
		topology.Tally:    local.Function((&tally.Handler{Sheets: tallies, Zone: o.Zone, Now: time.Now}).Handle),
		topology.Intake:   local.Function((&intake.Handler{Files: s.Services.Files, Contacts: imports, Now: now}).Handle),
		topology.Plan:     local.Function(func(ctx context.Context, body json.RawMessage) (any, error) { return nil, plan.Handle(ctx, body) }),
		topology.Send:     local.Function(send.Handle),
		topology.Delivery: local.Function(func(ctx context.Context, event json.RawMessage) (any, error) { return nil, delivery.Handle(ctx, event) }),
	}, send, now}, nil
}

// nextTurn returns the first moment after one, and not after another, at which
// the turn of somebody may come, so that a clock that is moved need not stop
// at every hour.
func nextTurn(t *store.Store, c *store.Catalog) func(ctx context.Context, after, until time.Time) (time.Time, bool, error) {
	return func(ctx context.Context, after, until time.Time) (next time.Time, ok bool, err error) {
		book, err := c.Rulebook(ctx)
		if err != nil {
			return next, false, err
		}
		all, err := c.All(ctx)
		if err != nil {
			return next, false, err
		}
		zones, err := t.Zones(ctx)
		if err != nil {
			return next, false, err
		}
		for _, name := range zones {
			zone, err := time.LoadLocation(name)
			if err != nil {
				continue // which plan tells of
			}
			for _, tp := range all {
				for _, turn := range book.Turns(tp, zone, after, until) {
					if !ok || turn.Due.Before(next) {
						next, ok = turn.Due, true
					}
				}
			}
		}
		return next, ok, nil
	}
}

// noted notes every decision that is kept in the ledger.
type noted struct {
	*store.Store
	ledger *ledger.Ledger
}

func (n noted) PutDecision(ctx context.Context, d survey.Decision) error {
	if err := n.Store.PutDecision(ctx, d); err != nil {
		return err
	}
	n.note(ctx, d)
	return nil
}

func (n noted) PutDecisions(ctx context.Context, ds []survey.Decision) error {
	if err := n.Store.PutDecisions(ctx, ds); err != nil {
		return err
	}
	n.note(ctx, ds...)
	return nil
}

// note fails nothing: a count on a page is not worth a second ask.
func (n noted) note(ctx context.Context, ds ...survey.Decision) {
	if err := n.ledger.Note(ds...); err != nil {
		slog.ErrorContext(ctx, "noting decisions", "error", err.Error())
	}
}

// readSecret returns the secret that the ids of asks are made with, and makes
// one where the folder has none yet.
func readSecret(dir string) ([]byte, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // documented never to return an error
	if dir == "" {
		return fresh, nil
	}
	path := filepath.Join(dir, "secret")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(path+".new", fresh, 0o600); err != nil {
			return nil, err
		}
		return fresh, os.Rename(path+".new", path)
	}
	if err == nil && len(b) != len(fresh) {
		err = fmt.Errorf("it has %d bytes, not %d", len(b), len(fresh))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the secret %s: %w", path, err)
	}
	return b, nil
}

// reply has the function that hears text messages take one, as SNS would.
func (f functions) reply(ctx context.Context, from, to, body string) error {
	event, err := post.Reply(from, to, body)
	if err == nil {
		_, err = invoke(f.handlers[topology.ReplyFunction])(ctx, event)
	}
	return err
}

// api returns the routes of package topology, guarded by an authorizer.
func (f functions) api(authorize local.Authorizer) http.Handler {
	invokes := map[topology.Function]local.Invoke{}
	for name, h := range f.handlers {
		invokes[name] = invoke(h)
	}
	api := local.New(topology.Routes(), invokes, f.now)
	api.Authorize = authorize
	return api
}

// everybodyIsAdmin is an authorizer for requests that are made in this process,
// and for a stack without a sign-in.
func everybodyIsAdmin(*http.Request) (map[string]string, error) {
	return map[string]string{"sub": "local", "cognito:groups": "[admin]"}, nil
}

// invoke invokes a function as Lambda does it: an invocation has an id and a
// deadline, outlives a client that goes away, and a panic fails it alone.
func invoke(h lambda.Handler) local.Invoke {
	return func(ctx context.Context, event []byte) (out []byte, err error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestLimit)
		defer cancel()
		ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: rand.Text()})
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return h.Invoke(ctx, event)
	}
}
