package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/erase/traces"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// margin is how long before the copy's moment an entry of the audit log may be
// of something that was done after it: entries are written before it is done.
const margin = time.Hour

// gone is what must not come back, or only where somebody says so.
type gone struct {
	// erased are the fingerprints of contacts and asks, whenever that was.
	erased map[string]bool
	// deleted are the fingerprints of contacts, and the ids of annotations and
	// shared views.
	deleted map[string]bool
	// erasures are those after the copy's moment, in order.
	erasures []erasure
}

// erasure is that of a person.
type erasure struct {
	at   time.Time
	name string // of the record, or of the entry where there is none
}

// entries is the audit log: see [store.Store.AuditEntries].
type entries interface {
	AuditEntries(ctx context.Context, q store.AuditQuery) ([]survey.AuditEntry, string, error)
}

// records reads the records of all erasures.
type records func(context.Context) ([]traces.Record, error)

// readGone reads what is gone: of erasures the records, and of these and of
// deletions the audit log since the moment of the copy, all of it where that is
// zero. What an entry says counts even where it failed: it may have been done.
func readGone(ctx context.Context, log entries, records records, moment, now time.Time) (*gone, error) {
	g, recorded := &gone{erased: map[string]bool{}, deleted: map[string]bool{}}, map[string]bool{}
	since := now.AddDate(-survey.AuditYears, 0, 0)
	if !moment.IsZero() {
		since = moment.Add(-margin)
	}
	all, err := records(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the records of erasures: %w", err)
	}
	for _, r := range all {
		after := !r.At.Before(since)
		for _, f := range []string{r.Contact, r.Ask} {
			if f != "" {
				g.erased[f] = true
				recorded[f] = recorded[f] || after
			}
		}
		if after {
			g.erasures = append(g.erasures, erasure{r.At, "record " + r.ID})
		}
	}
	for _, a := range []survey.Action{survey.Erase, survey.ContactDelete, survey.AnnotationDelete, survey.ShareDelete} {
		if err := eachEntry(ctx, log, a, since, now, func(e survey.AuditEntry) {
			switch {
			case a != survey.Erase:
				g.deleted[e.Subject] = true
			case e.Outcome == survey.Begun:
				if e.Subject != "" {
					g.erased[e.Subject] = true
				}
				if !recorded[e.Subject] { // interrupted, or without a name
					g.erasures = append(g.erasures, erasure{e.At, "audit entry " + e.ID})
				}
			}
		}); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(g.erasures, func(a, b erasure) int { return a.at.Compare(b.at) })
	return g, nil
}

// eachEntry calls yield with the entries of an action from since until now.
func eachEntry(ctx context.Context, log entries, a survey.Action, since, now time.Time, yield func(survey.AuditEntry)) error {
	q := store.AuditQuery{From: since, To: now.Add(margin), Action: a, Limit: store.MaxAuditEntries}
	for {
		page, cursor, err := log.AuditEntries(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page {
			yield(e)
		}
		if q.Cursor = cursor; cursor == "" {
			return nil
		}
	}
}

// list lists erasures, the latest last, at most [maxListed].
func list(all []erasure) string {
	var out strings.Builder
	for _, e := range all[max(0, len(all)-maxListed):] {
		fmt.Fprintf(&out, "  %s: %s\n", moment(e.at), e.name)
	}
	return out.String()
}

// moment is a time in words.
func moment(at time.Time) string {
	if at.IsZero() {
		return "a moment that DynamoDB does not tell"
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

// recordsOf returns what reads the records of a deployment: tables that stand
// alone have none.
func recordsOf(d connect.Deployment) records {
	switch {
	case d.Services != "":
		return func(ctx context.Context) ([]traces.Record, error) { return ofLocalStack(ctx, d.Services) }
	case d.Local:
		return func(context.Context) ([]traces.Record, error) { return nil, nil }
	}
	return func(ctx context.Context) ([]traces.Record, error) {
		name := os.Getenv(config.Files)
		if name == "" {
			caller, err := sts.NewFromConfig(d.AWS).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			if err != nil {
				return nil, fmt.Errorf("asking AWS who is calling: %w", err)
			}
			name = d.Prefix + "files-" + aws.ToString(caller.Account) + "-" + d.AWS.Region
		}
		return traces.Records(ctx, files.New(s3.NewFromConfig(d.AWS), name))
	}
}

func ofLocalStack(ctx context.Context, services string) (out []traces.Record, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, services+traces.RecordPath, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking the local stack: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the local stack: %s", resp.Status)
	}
	err = json.NewDecoder(resp.Body).Decode(&out)
	return out, err
}
