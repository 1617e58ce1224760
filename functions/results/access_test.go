package results

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// access is what a client's calls need to be granted: "contacts dynamodb:GetItem".
type access struct {
	prefix string

	mu   sync.Mutex
	used map[string]bool
}

func (a *access) attach(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Access", a.note), middleware.Before)
	})
}

func (a *access) note(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	a.mu.Lock()
	add := func(action topology.Action, table string) {
		a.used[strings.TrimPrefix(table, a.prefix)+" "+string(action)] = true
	}
	switch p := in.Parameters.(type) {
	case *dynamodb.GetItemInput:
		add(topology.GetItem, *p.TableName)
	case *dynamodb.UpdateItemInput:
		add(topology.UpdateItem, *p.TableName)
	case *dynamodb.QueryInput:
		add(topology.Query, *p.TableName)
	case *dynamodb.ScanInput:
		add(topology.Scan, *p.TableName)
	case *dynamodb.BatchGetItemInput:
		for table := range p.RequestItems {
			add(topology.BatchGet, table)
		}
	case *dynamodb.BatchWriteItemInput:
		for table := range p.RequestItems {
			add(topology.BatchWrite, table)
		}
	case *dynamodb.TransactWriteItemsInput:
		for _, w := range p.TransactItems {
			switch {
			case w.Put != nil:
				add(topology.PutItem, *w.Put.TableName)
			case w.Update != nil:
				add(topology.UpdateItem, *w.Update.TableName)
			case w.Delete != nil:
				add(topology.DeleteItem, *w.Delete.TableName)
			default:
				a.used["another part of a transaction"] = true
			}
		}
	default:
		a.used[middleware.GetOperationName(ctx)] = true
	}
	a.mu.Unlock()
	return next.HandleInitialize(ctx, in)
}

// TestAccessIsWhatIsUsed makes every kind of request, and holds the calls to
// DynamoDB against those that the function is granted.
func TestAccessIsWhatIsUsed(t *testing.T) {
	tables := testkit.NewTables(t)
	ctx := t.Context()
	old, shop := touchpoint("shop-nps", survey.CSAT, 1), touchpoint("shop-nps", survey.NPS, 2)
	if err := tables.Store.PutTouchpoint(ctx, nil, old); err != nil {
		t.Fatal(err)
	}
	if err := tables.Store.PutTouchpoint(ctx, old, shop); err != nil {
		t.Fatal(err)
	}
	a := &access{prefix: tables.Config.TablePrefix, used: map[string]bool{}}
	db := store.NewClient(tables.Config, func(string) string { return "local" }, a.attach)
	s := store.New(db, tables.Config)
	catalog := store.NewCatalog(s, time.Now)
	c := caller{t, &Handler{Sheets: s, Touchpoints: catalog, Contacts: s, History: s, Rules: catalog, Bus: &bus{}, Zone: helsinki, Now: time.Now}}
	k := c.add(aino)
	other := c.add(`{"ref":"C-2"}`) // nobody's opt-outs come with it, and no zone
	if err := tables.Store.PutDecision(ctx, survey.Decision{Contact: k.ID, Touchpoint: "shop-nps", Occasion: "2026Q4", Verdict: survey.Refused, Reason: survey.Stopped, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := tables.Store.CreateAsk(ctx, &survey.Ask{ID: survey.NewID(), Touchpoint: "shop-nps", Series: 2, Metric: survey.NPS, Channel: survey.Email, Locale: "fi", Contact: k.ID, Occasion: "2026Q3", AskedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		route, id, query, body string
		status                 int
	}{
		{"GET /api/touchpoints", "", "", "", 200},
		{"GET /api/results/{touchpoint}", "shop-nps", "series=1", "", 200},
		{"GET /api/contacts", "", "", "", 200},
		{"GET /api/contacts", "", "phone=0401234567", "", 200},
		{"PATCH /api/contacts/{id}", k.ID, "", `{"company":"A"}`, 200},
		{"PATCH /api/contacts/{id}", k.ID, "", `{"ref":null,"phone":"0407654321"}`, 200},
		{"PATCH /api/contacts/{id}", other.ID, "", `{"ref":"C-3","zone":"Asia/Tokyo"}`, 200},
		{"GET /api/contacts/{id}/why", k.ID, "", "", 200},
		{"DELETE /api/contacts/{id}", k.ID, "", "", 204},
		{"DELETE /api/contacts/{id}", other.ID, "", "", 204},
		{"POST /api/contacts", "", "", aino, http.StatusCreated},
		{"POST /api/events", "", "", sampleEvent(t, "custom"), 202},
	} {
		req := request(r.route, r.id, r.query, r.body)
		req.PathParameters["touchpoint"] = r.id
		resp, err := c.h.Handle(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		c.want(resp, r.status, nil)
	}
	granted := map[string]bool{}
	for _, g := range topology.Accesses() {
		for _, action := range g.Actions {
			if g.Function == topology.Results {
				granted[g.Table.Name+" "+string(action)] = true
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(a.used)), slices.Sorted(maps.Keys(granted))); diff != "" {
		t.Errorf("-used +granted:\n%s", diff)
	}
}
