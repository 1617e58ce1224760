package stack

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/functions/answer"
	"github.com/pulssi/pulssi/functions/results"
	"github.com/pulssi/pulssi/functions/tally"
	"github.com/pulssi/pulssi/functions/vote"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/topology"
)

// requestLimit is how long a function may take to answer a request: the
// gateway gives up after 30 seconds (Amazon API Gateway quotas, HTTP API).
const requestLimit = 30 * time.Second

// functions are the functions wired as their lambda/main.go does it, each with
// a client of its own.
type functions struct {
	handlers map[topology.Function]lambda.Handler
}

func newFunctions(c config.Config, getenv func(string) string, o Options) functions {
	open := func(f topology.Function) (*store.Store, *store.Catalog) {
		s := store.New(store.NewClient(c, getenv, func(do *dynamodb.Options) { o.Tune(f, do) }), c)
		return s, store.NewCatalog(s, time.Now)
	}
	answers, answerCatalog := open(topology.Answer)
	votes, voteCatalog := open(topology.Vote)
	sheets, resultCatalog := open(topology.Results)
	tallies, _ := open(topology.Tally)
	return functions{map[topology.Function]lambda.Handler{
		topology.Answer:  lambda.NewHandler((&answer.Handler{Asks: answers, Contacts: answers, Touchpoints: answerCatalog, Now: time.Now}).Handle),
		topology.Vote:    lambda.NewHandler((&vote.Handler{Votes: votes, Touchpoints: voteCatalog, Now: time.Now, PublicURL: c.PublicURL}).Handle),
		topology.Results: lambda.NewHandler((&results.Handler{Sheets: sheets, Touchpoints: resultCatalog, Zone: o.Zone, Now: time.Now}).Handle),
		topology.Tally:   lambda.NewHandler((&tally.Handler{Sheets: tallies, Zone: o.Zone, Now: time.Now}).Handle),
	}}
}

// api returns the routes of package topology.
func (f functions) api() http.Handler {
	invokes := map[topology.Function]local.Invoke{}
	for name, h := range f.handlers {
		invokes[name] = invoke(h)
	}
	return local.New(topology.Routes(), invokes, time.Now)
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
