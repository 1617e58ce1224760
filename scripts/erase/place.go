package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/erase/traces"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/topology"
)

// place is what there is around the tables.
type place interface {
	names() []string
	// search returns how much there is of a person, and erases it where erase
	// is true.
	search(ctx context.Context, p traces.Person, erase bool) (traces.Found, error)
	// keep keeps a record.
	keep(ctx context.Context, name string, record []byte) error
}

// around returns who works on a deployment, and what there is around its tables.
func around(ctx context.Context, d connect.Deployment) (by string, _ place, err error) {
	switch {
	case d.Services != "":
		return "local", localStack(d.Services), nil
	case d.Local:
		return "local", nowhere{}, nil
	}
	caller, err := sts.NewFromConfig(d.AWS).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", nil, fmt.Errorf("asking AWS who is calling: %w", err)
	}
	name := cmp.Or(os.Getenv(config.Files), d.Prefix+"files-"+aws.ToString(caller.Account)+"-"+d.AWS.Region)
	return aws.ToString(caller.UserId), bucket{files.New(s3.NewFromConfig(d.AWS), name)}, nil
}

// bucket is that of a deployment in AWS.
type bucket struct{ *files.Client }

func (bucket) names() []string { return []string{"bucket uploads/", "bucket reports/"} }

func (b bucket) search(ctx context.Context, p traces.Person, erase bool) (traces.Found, error) {
	f, err := traces.NewFinder(p)
	if err != nil {
		return nil, err
	}
	return traces.InBucket(ctx, b, f, erase)
}

func (b bucket) keep(ctx context.Context, name string, record []byte) error {
	return b.Put(ctx, topology.Erasures+name, "application/json", bytes.NewReader(record), nil)
}

// localStack is the local stack, by the address of its services.
type localStack string

func (localStack) names() []string {
	return []string{"bucket uploads/", "bucket reports/", "inbox", "phone", "queues, schedules and what was given up"}
}

func (l localStack) search(ctx context.Context, p traces.Person, erase bool) (traces.Found, error) {
	b, err := json.Marshal(traces.Search{Person: p, Erase: erase})
	if err != nil {
		return nil, err
	}
	found := traces.Found{}
	return found, l.call(ctx, http.MethodPost, traces.SearchPath, b, &found)
}

func (l localStack) keep(ctx context.Context, name string, record []byte) error {
	return l.call(ctx, http.MethodPut, traces.RecordPath+name, record, nil)
}

func (l localStack) call(ctx context.Context, method, path string, body []byte, into any) (err error) {
	r, err := http.NewRequestWithContext(ctx, method, string(l)+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("asking the local stack: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("asking the local stack: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the local stack: %s", bytes.TrimSpace(answer))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// nowhere is around tables that stand alone.
type nowhere struct{}

func (nowhere) names() []string { return nil }

func (nowhere) search(context.Context, traces.Person, bool) (traces.Found, error) { return nil, nil }

func (nowhere) keep(context.Context, string, []byte) error { return nil }

// notLookedIn says where a person may still be whom nobody can look for there.
func notLookedIn(local bool) []elsewhere {
	out := []elsewhere{
		{"the stream of responses", "asks as they were", "24 hours"},
		{"files that somebody has downloaded", "what was in them", "whoever has them deletes them"},
	}
	if local {
		return append(out, elsewhere{"the terminal of make dev", "fingerprints of ids", "it is closed"})
	}
	return append(out,
		elsewhere{"point-in-time recovery of the tables", "items as they were", "35 days"},
		elsewhere{"the copies of every night in AWS Backup, in prod", "items as they were", "35 days"},
		elsewhere{"tables restored from a copy", "items as they were", "whoever restored them deletes them"},
		elsewhere{"queues and schedules of asks", "the contact's id, an event's ref and subject", "their moment; 14 days where they fail"},
		elsewhere{"events-failed, delivery-failed, imports-failed", "what an event, a notice or a file's name told", "14 days"},
		elsewhere{"logs", "fingerprints of ids", "3 months"},
		elsewhere{"SES and SNS", "addresses of what was sent; the account's suppression list", "AWS keeps them, outside of Pulssi"},
	)
}
