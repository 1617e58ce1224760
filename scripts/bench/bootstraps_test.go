package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/scripts/bench/runtimeapi"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/checkout"
	"github.com/pulssi/pulssi/shared/topology"
)

// TestBootstraps compiles every function as it is deployed, for this machine,
// and has it do its work once: what is wired in lambda/main.go is tested
// nowhere else.
func TestBootstraps(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{dir: t.TempDir()}
	t.Chdir(root)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // compiles everything where the cache is empty
	defer cancel()

	tables := testkit.NewTables(t)
	if err := tables.Store.PutTouchpoint(ctx, nil, &survey.Touchpoint{
		ID: "shop-nps", Version: 1, Series: 1, Phase: survey.After, Metric: survey.NPS, Locales: []string{"fi"},
		Channels: []survey.Channel{survey.Email, survey.Link}, Name: survey.Text{"fi": "Kauppa"}, Question: survey.Text{"fi": "Suosittelisitko?"},
	}); err != nil {
		t.Fatal(err)
	}
	ask := testkit.NewAsk(time.Now())
	if err := tables.Store.CreateAsk(ctx, ask); err != nil {
		t.Fatal(err)
	}
	around := newServices(t, tables)
	if err := around.touchpoints(ctx); err != nil {
		t.Fatal(err)
	}
	env := slices.Concat(around.env, []string{
		config.DynamoDBEndpoint + "=" + tables.Config.DynamoDBEndpoint,
		config.TablePrefix + "=" + tables.Config.TablePrefix,
		config.FrontKey + "=" + frontKey,
	})

	works := map[topology.Function]func(*testing.T, local.Invoke){
		topology.Answer: func(t *testing.T, invoke local.Invoke) {
			request(t, invoke, topology.Answer, http.MethodPost, "/a/"+ask.ID, `{"score":9,"via":"human"}`, `"score":9`)
		},
		topology.Vote: func(t *testing.T, invoke local.Invoke) {
			request(t, invoke, topology.Vote, http.MethodPost, "/v/shop-nps", `{"id":"`+survey.NewID()+`","score":9}`, `"score":9`)
		},
		topology.Results: func(t *testing.T, invoke local.Invoke) {
			request(t, invoke, topology.Results, http.MethodGet, "/api/touchpoints", "", `"id":"shop-nps"`)
			event, err := events.Sample(events.PurchaseCompleted)
			if err != nil {
				t.Fatal(err)
			}
			request(t, invoke, topology.Results, http.MethodPost, "/api/events", string(event), `"accepted":1`)
		},
		topology.Intake:   around.intakes,
		topology.Plan:     around.plans,
		topology.Send:     around.sends,
		topology.Delivery: around.delivers,
		topology.Publish:  around.publishes,
		topology.Tally: func(t *testing.T, invoke local.Invoke) {
			final := testkit.StreamBatch("shard")
			final.IsFinalInvokeForWindow = true
			counted(t, invoke, final)
			after := *ask
			after.Score, after.Trust, after.AnsweredAt = 9, survey.Human, ask.AskedAt
			counted(t, invoke, testkit.StreamBatch("shard", testkit.StreamRecord("1", ask, &after)))
			sheets := 0
			if err := tables.Store.EachSheet(t.Context(), func(s store.StoredSheet) error {
				if all := s.Counts[score.All]; all.Scores[9] == 1 {
					sheets++
				}
				return nil
			}); err != nil || sheets != 2 {
				t.Errorf("%d sheets have counted the answer, want the day's and the month's: %v", sheets, err)
			}
		},
	}
	for _, f := range topology.Functions() {
		t.Run(string(f), func(t *testing.T) {
			if works[f] == nil {
				t.Fatal("nothing is known of its work")
			}
			binary, err := b.build(ctx, string(f), "")
			if err != nil {
				t.Fatal(err)
			}
			p, err := runtimeapi.Start(ctx, binary, env...)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := p.Stop(); err != nil {
					t.Error(err)
				}
			}()
			works[f](t, func(ctx context.Context, event []byte) ([]byte, error) {
				answer, _, err := p.Invoke(ctx, event)
				return answer, err
			})
			checkZones(ctx, t, binary, env)
		})
	}
}

// frontKey is that of the CDN which the requests come by.
const frontKey = "key-of-the-front"

// request makes a request that is to be done, and answered with a part of a body;
// past the CDN, it is to be refused.
func request(t *testing.T, invoke local.Invoke, f topology.Function, method, path, body, want string) {
	t.Helper()
	api := local.New(topology.Routes(), map[topology.Function]local.Invoke{f: invoke}, time.Now)
	api.Authorize = func(*http.Request) (map[string]string, error) {
		return map[string]string{"sub": "program", "scope": "pulssi/agent"}, nil
	}
	answer := func(key string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "https://pulssi.example"+path, strings.NewReader(body))
		r.Header.Set(config.FrontHeader, key)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w
	}
	if w := answer("another"); w.Code != http.StatusForbidden {
		t.Errorf("%s %s past the CDN: %d %s, want 403", method, path, w.Code, w.Body)
	}
	if w := answer(frontKey); w.Code/100 != 2 || !strings.Contains(w.Body.String(), want) {
		t.Errorf("%s %s: %d %s, want it done, with %s", method, path, w.Code, w.Body, want)
	}
}

// counted delivers a batch of which every record is to be counted.
func counted(t *testing.T, invoke local.Invoke, event any) {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := invoke(t.Context(), payload)
	if want := `{"state":{},"batchItemFailures":null}`; err != nil || string(answer) != want {
		t.Errorf("%s, %v, want %s", answer, err, want)
	}
}

// checkZones holds a function that reads the reporting zone, and so does not
// start where there is no such zone, to carrying the zones with it: Lambda's
// machines have none. This machine may have them, so that the function's start
// proves nothing; what Go embeds (time/tzdata) names its zones in plain.
func checkZones(ctx context.Context, t *testing.T, binary string, env []string) {
	t.Helper()
	p, err := runtimeapi.Start(ctx, binary, append(env, config.Zone+"=Nowhere/Nowhere")...)
	if err == nil {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		return // it reads no zone
	}
	code, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(code, []byte("Pacific/Kiritimati")) {
		t.Error("it reads the reporting zone and carries no zones: import time/tzdata in its lambda/main.go")
	}
}
