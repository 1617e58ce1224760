package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/pulssi/pulssi/scripts/dev/post"
	"github.com/pulssi/pulssi/scripts/erase/traces"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// The paths, beside those of mail and SMS, by which scripts/erase looks for a
// person in what this process has: the bucket, the inbox, the phone, and what
// waits or was given up. It sends a [traces.Search] and gets back how much
// there was of each; a record is put into the bucket as it comes. scripts/restore
// reads the records.
func (s *Stack) serveTraces(mux *http.ServeMux) {
	mux.HandleFunc("POST "+traces.SearchPath, func(w http.ResponseWriter, r *http.Request) {
		var in traces.Search
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			http.Error(w, "the body must be a search", http.StatusBadRequest)
			return
		}
		found, err := s.search(r.Context(), in)
		if err != nil {
			fail(r.Context(), w, "searching", err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(found) // a client that is gone needs no answer
	})
	mux.HandleFunc("PUT "+traces.RecordPath+"{name}", func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<20))
		if err == nil {
			err = s.Services.Files.Put(r.Context(), topology.Erasures+r.PathValue("name"), "application/json", bytes.NewReader(body.Bytes()), nil)
		}
		if err != nil {
			fail(r.Context(), w, "keeping a record", err)
		}
	})
	mux.HandleFunc("GET "+traces.RecordPath+"{$}", func(w http.ResponseWriter, r *http.Request) {
		records, err := traces.Records(r.Context(), s.Services.Files)
		if err != nil {
			fail(r.Context(), w, "reading the records", err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(records) // a client that is gone needs no answer
	})
}

// fail answers with the error, which names nobody.
func fail(ctx context.Context, w http.ResponseWriter, what string, err error) {
	slog.ErrorContext(ctx, what, "error", err.Error())
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

// search returns how much there is of a person, and erases it where it is to.
func (s *Stack) search(ctx context.Context, in traces.Search) (traces.Found, error) {
	f, err := traces.NewFinder(in.Person)
	if err != nil {
		return nil, err
	}
	matches := func(i post.Item) bool {
		return f.In(i.To) || f.In(i.From) || f.In(i.Subject) || f.In(i.Text) || f.In(i.Ask) || f.In(i.Unsubscribe)
	}
	found, err := traces.InBucket(ctx, s.Services.Files, f, in.Erase)
	if err != nil {
		return nil, err
	}
	for channel, n := range s.Box.Count(matches) {
		found[map[string]string{string(survey.Email): "inbox", string(survey.SMS): "phone"}[channel]] = n
	}
	if n := s.Services.Mentioning(f.InJSON); n > 0 {
		found["queues"] = n
	}
	if in.Erase {
		err = errors.Join(s.Box.Erase(matches), s.Services.Erase(f.InJSON))
	}
	return found, err
}
