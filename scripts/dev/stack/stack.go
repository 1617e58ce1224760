// Package stack is Pulssi on one machine: the functions of package topology
// behind the events that AWS would send them, on DynamoDB Local.
//
// Each HTTP request becomes an API Gateway event, each function takes JSON and
// returns JSON as on Lambda, and a pump reads the stream of the responses as
// Lambda's event source mapping does. Queues, schedules, the bus and the bucket
// are those of package service; what is sent goes by the clients of SES and SNS to
// package post. Handlers cannot tell it from AWS.
//
// All but the counting goes by a clock that can be moved (package clock), and
// is kept with the data: moved ahead once, it stays ahead.
//
// What it does not imitate: permissions (IAM), quotas and throttling, cold
// starts and memory limits, the spread of a table over partitions and so of a
// stream over many shards, encryption, backups, metrics and alarms, the CDN,
// and the reputation of a mail sender. Nor does it lose or repeat anything on
// its own, as networks do; the functions' tests do that.
package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/pulssi/pulssi/scripts/apply/touchpoints"
	"github.com/pulssi/pulssi/scripts/dev/clock"
	"github.com/pulssi/pulssi/scripts/dev/ledger"
	"github.com/pulssi/pulssi/scripts/dev/post"
	"github.com/pulssi/pulssi/scripts/dev/pump"
	"github.com/pulssi/pulssi/scripts/dev/service"
	"github.com/pulssi/pulssi/scripts/dev/shop"
	"github.com/pulssi/pulssi/scripts/dev/signin"
	"github.com/pulssi/pulssi/scripts/dev/site"
	"github.com/pulssi/pulssi/scripts/history/demo"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
	"github.com/pulssi/pulssi/shared/topology"
)

// DefaultPrefix is that of the tables' names where none is given.
const DefaultPrefix = "local-"

// Options say how a stack runs. The zero Options keep everything in memory and
// take any free port.
type Options struct {
	// Dir is the folder that keeps the data and how far they are counted, so
	// that nothing is lost between two runs; only one stack may use it at a
	// time. Each Endpoint has a folder of its own in it: what is kept beside
	// the tables of one means nothing to those of another. Empty for memory
	// only.
	Dir string
	// Port is where to listen on this machine; 0 for a free one.
	Port int
	// Endpoint is a DynamoDB to use, whose tables under the prefix are then
	// the stack's own; empty to start one.
	Endpoint string
	// Prefix is that of the tables; [DefaultPrefix] where empty.
	Prefix string
	// Zone is the reporting zone; nil for the default one of package config.
	Zone *time.Location
	// Touchpoints is a touchpoints file, applied where the store has none.
	Touchpoints []byte
	// SignIn is whether the API and the dashboard are for those alone who sign
	// in, at a provider that is started with the stack. Without it everybody is
	// an admin.
	SignIn bool
	// Welcome is whether a demonstration customer is then asked at once, so
	// that an e-mail waits in the inbox.
	Welcome bool
	// Say is told in words what is being done; nil for nobody.
	Say func(format string, args ...any)
	// Tune may change the options of the DynamoDB client of a function; it is
	// for measuring.
	Tune func(topology.Function, *dynamodb.Options)
	// Mapping may change how a stream is fed to its function; it is for tests,
	// which need not wait for batches to fill. Nil for as deployed.
	Mapping func(topology.Stream) topology.Stream
}

// Stack is a running stack.
type Stack struct {
	// URL is where it listens, http://localhost:8080.
	URL string
	// Config is what the functions run on; its endpoint and prefix lead
	// other programs to the tables.
	Config config.Config
	// Store is the tables, by a client of its own.
	Store *store.Store
	// Clock is the stack's own, and Services go by it.
	Clock    *clock.Clock
	Services *service.Services
	// Box has what was sent, by the services of mail and SMS at PostURL, and
	// Ledger counts what was decided.
	Box     *post.Box
	PostURL string
	Ledger  *ledger.Ledger
	// SignIn is where people and programs sign in; nil for nowhere.
	SignIn *signin.Provider
	// Fresh is whether this run applied the touchpoints.
	Fresh bool

	clockFile string
	stops     []func() error // in the order that things were started
}

// stopLimit is how long requests under way may take when the stack closes.
const stopLimit = time.Second

// region stands in the names of things; everything is on this machine.
const region = "eu-north-1"

// Start starts a stack and returns when it answers. ctx bounds only the start.
// The error says what to do where the port is taken or something is missing.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	if o.Tune == nil {
		o.Tune = func(topology.Function, *dynamodb.Options) {}
	}
	if o.Mapping == nil {
		o.Mapping = func(m topology.Stream) topology.Stream { return m }
	}
	if o.Zone == nil {
		if o.Zone, err = time.LoadLocation(config.DefaultZone); err != nil {
			return nil, err
		}
	}
	s := &Stack{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	listener, err := s.listen(ctx, o.Port)
	if err != nil {
		return nil, err
	}
	if err := s.lock(o.Dir); err != nil {
		return nil, err
	}
	if o.Dir != "" && o.Endpoint != "" {
		o.Dir = filepath.Join(o.Dir, "endpoint-"+url.PathEscape(o.Endpoint))
		if err := os.MkdirAll(o.Dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := s.post(ctx, o); err != nil {
		return nil, err
	}
	if err := s.signIn(ctx, o); err != nil {
		return nil, err
	}
	if err := s.database(ctx, &o); err != nil {
		return nil, err
	}
	getenv := s.environment(o)
	if s.Config, err = config.Read(getenv); err != nil {
		return nil, err
	}
	db := store.NewClient(s.Config, getenv)
	if err := store.CreateTables(ctx, db, o.Prefix); err != nil {
		return nil, err
	}
	s.Store = store.New(db, s.Config)
	if err := s.applyTouchpoints(ctx, o); err != nil {
		return nil, err
	}
	if err := s.services(o); err != nil {
		return nil, err
	}
	f, err := newFunctions(s, getenv, o)
	if err != nil {
		return nil, err
	}
	if err := s.pump(ctx, db, f, o); err != nil {
		return nil, err
	}
	s.Services.NextTurn = nextTurn(s.Store, store.NewCatalog(s.Store, s.Clock.Now))
	s.Services.Start(f.handlers)
	handler, err := s.handler(ctx, f, o)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // returns when closed, which is no failure
	s.stops = append(s.stops, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			return server.Close() // a client that holds on
		}
		return nil
	})
	if s.Fresh && o.Welcome {
		if err := s.welcome(ctx, f.send); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close stops everything, in the order opposite to the start: requests and
// invocations that are under way may finish, within about two seconds. With a
// Dir, a later Start goes on where this one stopped.
func (s *Stack) Close() error {
	var errs []error
	for len(s.stops) > 0 {
		last := len(s.stops) - 1
		errs = append(errs, s.stops[last]())
		s.stops = s.stops[:last]
	}
	return errors.Join(errs...)
}

// listen takes the port first, since that is what fails most.
func (s *Stack) listen(ctx context.Context, port int) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken by another program: choose another with PORT=%d make dev", port, port+1)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on port %d, which PORT changes: %w", port, err)
	}
	s.stops = append(s.stops, func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) { // the server closes it too
			return err
		}
		return nil
	})
	s.URL = "http://localhost:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	return l, nil
}

// lock keeps two stacks from using one folder, which would spoil its data.
func (s *Stack) lock(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("another local stack is using %s: stop it first", dir), f.Close())
	}
	s.stops = append(s.stops, f.Close) // which unlocks it
	return nil
}

// signIn starts the provider that people sign in at.
func (s *Stack) signIn(ctx context.Context, o Options) (err error) {
	if !o.SignIn {
		return nil
	}
	o.Say("Starting the sign-in.")
	if s.SignIn, err = signin.Start(ctx, s.URL); err != nil {
		return err
	}
	s.stops = append(s.stops, s.SignIn.Stop)
	return nil
}

func (s *Stack) database(ctx context.Context, o *Options) error {
	if o.Endpoint != "" {
		o.Say("Using DynamoDB at %s.", o.Endpoint)
		return nil
	}
	o.Say("Starting DynamoDB Local.")
	var opts dynamodblocal.Options
	if o.Dir != "" {
		opts.Dir = filepath.Join(o.Dir, "tables")
	}
	server, err := dynamodblocal.Start(ctx, opts)
	if err != nil {
		return err
	}
	o.Endpoint = server.Endpoint()
	s.stops = append(s.stops, server.Stop)
	return nil
}

// environment returns the variables as Lambda would set them.
func (s *Stack) environment(o Options) func(string) string {
	env := map[string]string{
		config.Region:           region,
		config.TablePrefix:      o.Prefix,
		config.PublicURL:        s.URL,
		config.Zone:             o.Zone.String(),
		config.DynamoDBEndpoint: o.Endpoint,
		awsenv.Endpoint:         s.PostURL,
		"AWS_ACCESS_KEY_ID":     "local",
		"AWS_SECRET_ACCESS_KEY": "local",
	}
	if s.SignIn != nil {
		env[config.SigninURL], env[config.SigninClient] = s.SignIn.Issuer, s.SignIn.Client
	}
	return func(name string) string { return env[name] }
}

// applyTouchpoints fills a store that has no touchpoints.
func (s *Stack) applyTouchpoints(ctx context.Context, o Options) error {
	stored, err := s.Store.Touchpoints(ctx)
	if err != nil || len(stored) > 0 || len(o.Touchpoints) == 0 {
		return err
	}
	file, err := touchpoints.Read("touchpoints.yaml", o.Touchpoints)
	if err != nil {
		return err
	}
	rules, err := s.Store.Rules(ctx)
	if err != nil {
		return err
	}
	plan, err := touchpoints.NewPlan(file, touchpoints.Stored{Rules: rules}, nil, time.Now())
	if err != nil {
		return err
	}
	s.Fresh = true
	o.Say("First start: writing %d touchpoints, with a link for every metric and language.", len(plan.Steps))
	return plan.Apply(ctx, s.Store)
}

// in returns a path in the folder, "" where there is none.
func (o Options) in(name string) string {
	if o.Dir == "" {
		return ""
	}
	return filepath.Join(o.Dir, name)
}

// post opens the clock and starts the services of mail and SMS, which the
// functions find by their environment. They stop after the functions do.
func (s *Stack) post(ctx context.Context, o Options) (err error) {
	s.clockFile = o.in("clock.json")
	if s.Clock, err = clock.Open(s.clockFile, time.Now); err != nil {
		return err
	}
	if s.Box, err = post.Open(o.in("post")); err != nil {
		return err
	}
	s.stops = append(s.stops, s.Box.Close)
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for mail and SMS: %w", err)
	}
	s.PostURL = "http://" + l.Addr().String()
	notice := func(event []byte) {
		if err := s.Services.Notice(event); err != nil {
			slog.ErrorContext(ctx, "keeping a notice", "error", err.Error())
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/", &post.Services{Box: s.Box, Now: s.Clock.Now, Notice: notice})
	s.serveTraces(mux)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // returns when closed, which is no failure
	s.stops = append(s.stops, server.Close)
	return nil
}

// services opens what goes by the clock.
func (s *Stack) services(o Options) (err error) {
	if s.Ledger, err = ledger.Open(o.in("ledger"), o.Zone); err != nil {
		return err
	}
	s.stops = append(s.stops, s.Ledger.Close)
	if s.Services, err = service.Open(o.Dir, s.Clock, slog.Default()); err != nil {
		return err
	}
	s.stops = append(s.stops, s.Services.Close)
	return nil
}

// pump starts to feed the streams of package topology to their functions.
func (s *Stack) pump(ctx context.Context, db *dynamodb.Client, f functions, o Options) error {
	var path string
	failed := io.WriteCloser(nopCloser{io.Discard})
	if o.Dir != "" {
		path = filepath.Join(o.Dir, "checkpoints.json")
		file, err := os.OpenFile(filepath.Join(o.Dir, "failed.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		failed = file
	}
	s.stops = append(s.stops, failed.Close)
	checkpoints, err := pump.OpenCheckpoints(path)
	if err != nil {
		return err
	}
	co := db.Options()
	streams := dynamodbstreams.New(dynamodbstreams.Options{
		Region: co.Region, Credentials: co.Credentials, HTTPClient: co.HTTPClient, BaseEndpoint: co.BaseEndpoint,
	})
	pumping, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	s.stops = append(s.stops, func() error {
		stop()
		wg.Wait()
		return nil
	})
	for _, mapping := range topology.Streams() {
		mapping = o.Mapping(mapping)
		table, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(o.Prefix + mapping.Table.Name)})
		if err != nil {
			return fmt.Errorf("looking for the stream of %s: %w", mapping.Table.Name, err)
		}
		p := &pump.Pump{
			Streams: streams, ARN: *table.Table.LatestStreamArn, Mapping: mapping,
			Function: f.handlers[mapping.Function], Checkpoints: checkpoints, Failed: failed, Log: slog.Default(),
		}
		wg.Go(func() { p.Run(pumping) })
	}
	return nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// handler returns the product's routes and the pages beside them.
func (s *Stack) handler(ctx context.Context, f functions, o Options) (http.Handler, error) {
	links, err := site.OpenLinks(s.Store, s.Clock.Now, o.in("links.json"))
	if err != nil {
		return nil, err
	}
	if _, err := links.Asks(ctx); err != nil {
		return nil, err
	}
	inside, api := f.api(everybodyIsAdmin), f.api(everybodyIsAdmin)
	programs := site.Programs{URL: s.URL}
	if p := s.SignIn; p != nil {
		api = f.api(p.Authorize)
		programs.TokenURL, programs.Client, programs.Secret = p.TokenURL(), p.Program, p.Secret
	}
	journey := service.NewJourney(s.Services)
	s.stops = append(s.stops, func() error {
		journey.Stop()
		return nil
	})
	history := demo.NewJob(&demo.Filler{Store: s.Store, Zone: o.Zone, Now: s.Clock.Now}, slog.Default())
	s.stops = append(s.stops, func() error {
		history.Stop()
		return nil
	})
	pages, err := site.New(s.Store, links, site.Desk{
		Contacts: s.Store, Rulebook: store.NewCatalog(s.Store, s.Clock.Now).Rulebook, Files: s.Services.Files, API: inside,
		Queues: s.Services, Journey: journey, Box: s.Box, Reply: f.reply, Days: s.Ledger, History: history, Zone: o.Zone, Now: s.Clock.Now,
	}, []site.Page{
		{Path: "/dashboard", Name: "Dashboard", About: "scores, trends and comments, updating by themselves"},
		{Path: "/shop/", Name: "Demo shop", About: "the popup on four pages, and each vote arriving"},
	}, programs)
	if err != nil {
		return nil, err
	}
	example, err := shop.New(inside)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if site.Serves(r.URL.Path) {
			pages.ServeHTTP(w, r)
			return
		}
		if shop.Serves(r.URL.Path) {
			example.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}), nil
}

// Address is what other programs need to work on a running stack. It is the
// form of .local/dev.json.
type Address struct {
	Endpoint string `json:"endpoint"`
	Prefix   string `json:"prefix"`
	URL      string `json:"url"`
	Services string `json:"services"` // of mail and SMS, as the clients of SES and SNS call them
	Clock    string `json:"clock"`    // the file of how far the clock is ahead, "" for none
}

// Announce writes the stack's address to a file, until Close.
func (s *Stack) Announce(path string) error {
	b, err := json.Marshal(Address{s.Config.DynamoDBEndpoint, s.Config.TablePrefix, s.URL, s.PostURL, s.clockFile})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
		return err
	}
	s.stops = append(s.stops, func() error { return os.Remove(path) })
	return nil
}
