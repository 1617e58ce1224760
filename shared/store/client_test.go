package store_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
)

// hung is a connection that swallows every request.
type hung struct{ requests int }

func (h *hung) RoundTrip(r *http.Request) (*http.Response, error) {
	h.requests++
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A call that nobody answers has failed well before the 10 s that a function
// may run; at an endpoint of one's own, which may be slow, it has not.
func TestAllTriesFitInFourSeconds(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint    string
		least, most time.Duration
	}{
		"DynamoDB":                 {"", 3 * time.Second, 4 * time.Second},
		"an endpoint of one's own": {"http://127.0.0.1:1", 30 * time.Second, 31 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hung{}
				getenv := func(string) string { return "local" }
				db := store.NewClient(config.Config{Region: "eu-north-1", DynamoDBEndpoint: c.endpoint}, getenv,
					func(o *dynamodb.Options) { o.HTTPClient.(*http.Client).Transport = h })
				start := time.Now()
				_, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("responses")})
				took := time.Since(start)
				if err == nil || h.requests != 3 {
					t.Errorf("error %v after %d tries, want one after 3", err, h.requests)
				}
				if took < c.least || took > c.most {
					t.Errorf("it took %s, want from %s to %s", took, c.least, c.most)
				}
			})
		})
	}
}
