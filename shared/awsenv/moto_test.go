package awsenv_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

func environment(endpoint string) func(string) string {
	return func(name string) string {
		return map[string]string{
			"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token", awsenv.Endpoint: endpoint,
		}[name]
	}
}

func TestAClientWorks(t *testing.T) {
	c := awsenv.Config(config.Config{Region: moto.Region}, environment(moto.Endpoint(t)))
	name := "q-" + survey.NewID()
	if _, err := sqs.NewFromConfig(c).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name}); err != nil {
		t.Error(err)
	}
}

// TestRequestsAreSigned has a service that is busy at first and takes no
// request for granted.
func TestRequestsAreSigned(t *testing.T) {
	tries := 0
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if a := r.Header.Get("Authorization"); !strings.Contains(a, "Credential=AKIDEXAMPLE/") || !strings.Contains(a, "/eu-west-1/sqs/aws4_request") {
			t.Errorf("authorization %q", a)
		}
		if token := r.Header.Get("X-Amz-Security-Token"); token != "token" {
			t.Errorf("token %q", token)
		}
		_, _ = w.Write([]byte("{}"))
	}))
	defer service.Close()
	c := awsenv.Config(config.Config{Region: "eu-west-1"}, environment(service.URL))
	if _, err := sqs.NewFromConfig(c).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil || tries != 3 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

func TestTheServicesOwnEndpoint(t *testing.T) {
	if c := awsenv.Config(config.Config{Region: "eu-west-1"}, environment("")); c.BaseEndpoint != nil {
		t.Errorf("the endpoint is %s", *c.BaseEndpoint)
	}
}
