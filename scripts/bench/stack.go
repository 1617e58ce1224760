package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/scripts/dev/stack"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
	"github.com/pulssi/pulssi/shared/web"
)

// touchpointsFile is what the local stack starts with, from the project's
// root.
const touchpointsFile = "scripts/dev/touchpoints.yaml"

// running is a local stack, whose calls to DynamoDB may be measured.
type running struct {
	*stack.Stack
	meters map[topology.Function]*testkit.Meter
}

// start starts a stack in memory. Measuring what calls cost slows them down, so
// that a stack whose speed is measured goes without.
func start(ctx context.Context, metered bool) (*running, error) {
	touchpoints, err := os.ReadFile(touchpointsFile)
	if err != nil {
		return nil, fmt.Errorf("the touchpoints, from the project's root: %w", err)
	}
	r := &running{meters: map[topology.Function]*testkit.Meter{}}
	for _, f := range topology.Functions() {
		r.meters[f] = &testkit.Meter{}
	}
	o := stack.Options{
		Touchpoints: touchpoints,
		Prefix:      "bench" + survey.NewID() + "-",
		Endpoint:    os.Getenv("DYNAMODB_ENDPOINT"),
	}
	if metered {
		o.Tune = func(f topology.Function, o *dynamodb.Options) { r.meters[f].Attach(o) }
	}
	r.Stack, err = stack.Start(ctx, o)
	return r, err
}

// ask makes an ask at a touchpoint, sent a minute ago to a contact of two
// segments, and returns its id.
func (r *running) ask(ctx context.Context, touchpoint string) (string, error) {
	all, err := r.Store.Touchpoints(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(t *survey.Touchpoint) bool { return t.ID == touchpoint })
	if i < 0 {
		return "", fmt.Errorf("there is no touchpoint %s", touchpoint)
	}
	sent := time.Now().Add(-time.Minute)
	a := &survey.Ask{
		ID: survey.NewID(), Touchpoint: touchpoint, Series: all[i].Series, Metric: all[i].Metric, Channel: survey.Email,
		Locale: "fi", Contact: survey.NewID(), Segments: []string{"consumer", "gold"}, AskedAt: sent, SentAt: sent,
	}
	return a.ID, r.Store.CreateAsk(ctx, a)
}

// post posts JSON and returns an error unless the answer is 200.
func post(ctx context.Context, c *http.Client, url, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("POST %s: %s: %s", url, resp.Status, text)
	}
	return nil
}

// pages measures the answer page as a browser loads it, for the metric whose
// page is the largest.
func pages(ctx context.Context, _ *bench) (_ []Row, err error) {
	r, err := start(ctx, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	largest, plain, of := 0, 0, ""
	all, err := r.Store.Touchpoints(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		id, err := r.ask(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		_, high := t.Metric.Scale()
		page, err := get(ctx, fmt.Sprintf("%s/a/%s?s=%d", r.URL, id, high))
		if err != nil {
			return nil, err
		}
		if n := gzipped(page); n > largest {
			largest, plain, of = n, len(page), string(t.Metric)
		}
	}
	const limit = 8_000
	return []Row{{
		What:     "answer page, all a browser loads, gzip -9 (" + of + ")",
		Measured: fmt.Sprintf("%d bytes, 1 request", largest),
		Baseline: fmt.Sprintf("not packed %d bytes", plain),
		Budget:   fmt.Sprintf("%d bytes", limit),
		Holds:    largest <= limit,
	}}, nil
}

// popup measures what a visitor's browser loads of the popup, where it does
// not show and where it is shown and answered, for the metric and language
// that take most.
func popup(ctx context.Context, _ *bench) (_ []Row, err error) {
	r, err := start(ctx, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	size := func(path string) (int, error) {
		b, err := get(ctx, r.URL+path)
		return gzipped(b), err
	}
	var code []int
	for _, name := range web.WidgetLoads() {
		n, err := size("/" + name)
		if err != nil {
			return nil, err
		}
		code = append(code, n)
	}
	all, err := r.Store.Touchpoints(ctx)
	if err != nil {
		return nil, err
	}
	hidden, shown := 0, 0
	for _, t := range all {
		if !slices.Contains(t.Channels, survey.Popup) {
			continue
		}
		when, err := size("/w/" + t.ID + ".json?part=when")
		if err != nil {
			return nil, err
		}
		hidden = max(hidden, code[0]+when)
		for _, locale := range t.Locales {
			show, err := size("/w/" + t.ID + ".json?part=show&locale=" + locale)
			if err != nil {
				return nil, err
			}
			shown = max(shown, code[0]+when+code[1]+show)
		}
	}
	row := func(what string, n, limit int, rivals string) Row {
		return Row{What: what, Measured: fmt.Sprintf("%d bytes", n), Baseline: rivals, Budget: fmt.Sprintf("%d bytes", limit), Holds: n <= limit}
	}
	return []Row{
		row("popup, where it does not show: all a browser loads, gzip -9", hidden, 1_600, "counters: Plausible 2.7 kB, goatcounter 3.3 kB"),
		row("popup, shown and answered: all a browser loads, gzip -9", shown, 5_000, "surveys: PostHog 171 kB, Formbricks 281 kB"),
	}, nil
}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return io.ReadAll(resp.Body)
}

func gzipped(b []byte) int {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // a constant level
	}
	_, _ = z.Write(b) // to memory
	_ = z.Close()
	return out.Len()
}

// writes measures how often the tally writes for three thousand answers to five
// touchpoints, and what one answer and one vote without a comment cost.
func writes(ctx context.Context, _ *bench) (_ []Row, err error) {
	r, err := start(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	counted, err := r.tallyWrites(ctx)
	if err != nil {
		return nil, err
	}
	rows := []Row{counted}
	id, err := r.ask(ctx, "shop-nps")
	if err != nil {
		return nil, err
	}
	for _, c := range []struct {
		function   topology.Function
		what, path string
		body       string
	}{
		{topology.Answer, "one answer by link", "/a/" + id, `{"score":9,"via":"auto"}`},
		{topology.Vote, "one vote", "/v/shop-nps", `{"id":"` + survey.NewID() + `","score":9}`},
	} {
		r.meters[c.function].Reset()
		if err := post(ctx, http.DefaultClient, r.URL+c.path, c.body); err != nil {
			return nil, err
		}
		units, index, calls := 0.0, 0.0, 0
		for _, call := range r.meters[c.function].Calls() {
			if call.Operation == "UpdateItem" {
				units += call.Units
				index += call.IndexUnits
				calls++
			}
		}
		rows = append(rows, Row{
			What:     c.what + ": write units",
			Measured: fmt.Sprintf("%.1f in %d write, %.1f in indexes", units, calls, index),
			Baseline: "1.0, the least a write costs",
			Budget:   "1.0",
			Holds:    units == 1 && calls == 1 && index == 0,
		})
	}
	return rows, nil
}

// tallyWrites lets people answer at five touchpoints of a fresh stack and waits
// until all are counted.
func (r *running) tallyWrites(ctx context.Context) (Row, error) {
	const answers = 3000
	touchpoints := []string{"shop-nps", "shop-checkout", "shop-search", "shop-product", "store-smiley"}
	r.meters[topology.Tally].Reset()
	err := parallel(ctx, answers, 16, func(ctx context.Context, i int) error {
		return post(ctx, client, r.URL+"/v/"+touchpoints[i%len(touchpoints)], `{"id":"`+survey.NewID()+`","score":1}`)
	})
	if err != nil {
		return Row{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := r.counted(ctx)
		if err != nil {
			return Row{}, err
		}
		if n == 2*answers {
			break
		}
		select {
		case <-ctx.Done():
			return Row{}, fmt.Errorf("%d of %d answers counted, by day and by month: %w", n, 2*answers, ctx.Err())
		case <-tick.C:
		}
	}
	updates := len(r.meters[topology.Tally].Calls())
	per := float64(updates) / answers
	return Row{
		What:     "tally writes per answer, 3,000 answers to 5 touchpoints",
		Measured: fmt.Sprintf("%.4f (%d writes)", per, updates),
		Baseline: "2, a day and a month for each answer",
		Budget:   "0.02",
		Holds:    per <= 0.02,
	}, nil
}

// counted returns how many answers stand on the sheets, days and months added
// up.
func (r *running) counted(ctx context.Context) (n int64, err error) {
	err = r.Store.EachSheet(ctx, func(s store.StoredSheet) error {
		n += s.Counts[score.All].N()
		return nil
	})
	return n, err
}

// client keeps as many connections as parallel uses.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 30 * time.Second}

// parallel calls do for 0 to n-1, at most width at a time, and returns the
// first error.
func parallel(ctx context.Context, n, width int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var all sync.WaitGroup
	for range width {
		all.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	all.Wait()
	return context.Cause(ctx)
}

// throughput measures votes through HTTP, handler and database beside plain
// PutItem calls of the same items into the same table, both at the same
// concurrency, by turns, while the stream is counted.
func throughput(ctx context.Context, _ *bench) (_ []Row, err error) {
	r, err := start(ctx, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	local := func(name string) string {
		if strings.HasPrefix(name, "AWS_") {
			return "local"
		}
		return ""
	}
	db := store.NewClient(r.Config, local)
	table := aws.String(r.Config.TablePrefix + topology.Responses.Name)
	now := fmt.Sprint(time.Now().UnixMilli())
	put := func(ctx context.Context, _ int) error {
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: map[string]types.AttributeValue{
			"id":         &types.AttributeValueMemberS{Value: survey.NewID()},
			"touchpoint": &types.AttributeValueMemberS{Value: "shop-nps"},
			"metric":     &types.AttributeValueMemberS{Value: "nps"},
			"channel":    &types.AttributeValueMemberS{Value: "widget"},
			"trust":      &types.AttributeValueMemberS{Value: "human"},
			"series":     &types.AttributeValueMemberN{Value: "1"},
			"score":      &types.AttributeValueMemberN{Value: "9"},
			"askedAt":    &types.AttributeValueMemberN{Value: now},
			"answeredAt": &types.AttributeValueMemberN{Value: now},
			"editedAt":   &types.AttributeValueMemberN{Value: now},
			"ttl":        &types.AttributeValueMemberN{Value: now},
		}})
		return err
	}
	vote := func(ctx context.Context, _ int) error {
		return post(ctx, client, r.URL+"/v/shop-nps", `{"id":"`+survey.NewID()+`","score":9}`)
	}
	const block, width, warmUp, blocks = 250, 16, 8, 31
	var votes, puts []float64
	for i := range warmUp + blocks {
		for _, side := range []struct {
			do  func(context.Context, int) error
			out *[]float64
		}{{put, &puts}, {vote, &votes}} {
			began := time.Now()
			if err := parallel(ctx, block, width, side.do); err != nil {
				return nil, err
			}
			if i >= warmUp {
				*side.out = append(*side.out, block/time.Since(began).Seconds())
			}
		}
	}
	slices.Sort(votes)
	slices.Sort(puts)
	v, p := votes[blocks/2], puts[blocks/2]
	return []Row{{
		What:     fmt.Sprintf("votes through HTTP, handler and DynamoDB Local, %d at a time, median of %d turns", width, blocks),
		Measured: fmt.Sprintf("%.0f/s, %.2f x", v, v/p),
		Baseline: fmt.Sprintf("plain PutItem, same table, %.0f/s", p),
		Budget:   "0.6 x",
		Holds:    v/p >= 0.6,
	}}, nil
}
