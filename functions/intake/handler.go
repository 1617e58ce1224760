// Package intake imports files of contacts: tables of text (CSV) and Excel
// workbooks (XLSX) that were put into the folder of uploads. What became of
// every row is told in a report.
package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/table"
	"github.com/pulssi/pulssi/shared/topology"
)

// Bucket is where files are.
type Bucket interface {
	// Open returns a file; the error is [survey.NotFound] where there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, files.Info, error)
	// Put writes a file, in the place of the one that there is.
	Put(ctx context.Context, key, contentType string, body io.ReadSeeker, meta map[string]string) error
}

// What is told beside an uploaded file, as its metadata; all of it may be left
// out.
const (
	MetaMapping = "mapping" // JSON of column names and fields: {"Osoite":"email"}; "" ignores a column
	MetaCountry = "country" // of phone numbers without one
	MetaLocale  = "locale"  // of everybody for whom the file tells none
	MetaSegment = "segment" // of everybody in the file
)

// Handler imports uploaded files.
type Handler struct {
	Files    Bucket
	Contacts Contacts
	Now      func() time.Time
	// Folder is where files are kept while they are read; "" for the system's.
	Folder string
}

// Handle imports the files that the messages' S3 notifications name. A message
// may come any number of times, also at the same time: a file is imported
// once, and where that happened twice, the second changed nothing.
//
// A message comes again, by the batch response, where a file could not be
// imported to its end: because the time ran out, or by a fault that may pass.
// The next run goes on where that one stopped. One that was killed begins
// again. A file's own mistake is told in its report, and its message is done.
func (h *Handler) Handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	var resp events.SQSEventResponse
	for _, m := range e.Records {
		if err := h.message(ctx, m.Body); err != nil {
			slog.ErrorContext(ctx, "import not finished", "message", m.MessageId, "error", err.Error())
			resp.BatchItemFailures = append(resp.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return resp, nil
}

func (h *Handler) message(ctx context.Context, body string) error {
	keys, err := uploads(body)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := h.file(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// uploads returns the keys of the files that a notification of S3 says were
// put into the folder of uploads (S3 User Guide, "Event message structure").
// What S3 sends when notifications are set up, s3:TestEvent, names none.
func uploads(body string) ([]string, error) {
	var n struct {
		Event   string // of a test
		Records []struct {
			EventName string `json:"eventName"`
			S3        struct {
				Object struct {
					Key string `json:"key"`
				} `json:"object"`
			} `json:"s3"`
		}
	}
	if err := json.Unmarshal([]byte(body), &n); err != nil {
		return nil, fmt.Errorf("the message is no notification of S3: %w", err)
	}
	if n.Records == nil && n.Event != "s3:TestEvent" {
		return nil, errors.New("the message is no notification of S3: it has no Records")
	}
	var keys []string
	for _, r := range n.Records {
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			return nil, fmt.Errorf("the notification's key cannot be read: %w", err)
		}
		created := strings.HasPrefix(r.EventName, "ObjectCreated:")
		if name, ok := strings.CutPrefix(key, topology.Uploads); created && ok && name != "" && !strings.HasSuffix(name, "/") {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// file imports one file, or goes on with it.
func (h *Handler) file(ctx context.Context, key string) error {
	body, info, err := h.Files.Open(ctx, key)
	if survey.CodeOf(err) == survey.NotFound {
		return nil // removed meanwhile
	}
	if err != nil {
		return fmt.Errorf("opening the file: %w", err)
	}
	defer func() { _ = body.Close() }()
	r, err := h.report(ctx, key, info)
	if err != nil || r.State != Running {
		return err
	}
	problems, err := os.CreateTemp(h.Folder, "problems-*.csv")
	if err != nil {
		return fmt.Errorf("keeping the problems: %w", err)
	}
	defer remove(problems)
	if r.Rows > 0 {
		if err := h.fetch(ctx, ProblemsKey(key), problems); err != nil {
			return err
		}
	}
	runErr := h.run(ctx, body, info, r, problems)
	if runErr != nil {
		// Told as a pause, though it may be a fault: who waits for the report
		// can do nothing about it, and it goes on by itself.
		r.Paused = true
	}
	if _, err := problems.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("keeping the problems: %w", err)
	}
	if err := h.Files.Put(ctx, ProblemsKey(key), "text/csv; charset=utf-8", problems, nil); err != nil {
		return errors.Join(runErr, err)
	}
	return errors.Join(runErr, h.put(ctx, r))
}

// report returns the report to go on with: the stored one of the very same
// file, where it is over or was paused in good order, else a new one.
func (h *Handler) report(ctx context.Context, key string, info files.Info) (*Report, error) {
	fresh := &Report{
		File: strings.TrimPrefix(key, topology.Uploads), Size: info.Size, Modified: info.Modified.UTC(),
		StartedAt: h.Now().UTC(), State: Running,
	}
	body, _, err := h.Files.Open(ctx, ReportKey(key))
	if survey.CodeOf(err) == survey.NotFound {
		return fresh, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	defer func() { _ = body.Close() }()
	var r Report
	if err := json.NewDecoder(body).Decode(&r); err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	if r.Size != fresh.Size || !r.Modified.Equal(fresh.Modified) || r.State == Running && !r.Paused {
		return fresh, nil
	}
	return &r, nil
}

// fetch copies a file to the end of another.
func (h *Handler) fetch(ctx context.Context, key string, to io.Writer) error {
	body, _, err := h.Files.Open(ctx, key)
	if err != nil {
		return fmt.Errorf("reading the problems: %w", err)
	}
	defer func() { _ = body.Close() }()
	if _, err := io.Copy(to, body); err != nil {
		return fmt.Errorf("reading the problems: %w", err)
	}
	return nil
}

func (h *Handler) run(ctx context.Context, body io.Reader, info files.Info, r *Report, problems io.Writer) error {
	mapping, err := ParseMapping(info.Meta[MetaMapping])
	if err == nil && info.Size > table.MaxFile {
		err = table.TooLarge()
	}
	if err != nil {
		r.fail(err, h.Now().UTC())
		return nil
	}
	// A workbook is not read from its start to its end, and a connection is
	// not kept open for as long as an import may take.
	f, err := os.CreateTemp(h.Folder, "upload-*")
	if err != nil {
		return fmt.Errorf("keeping the file: %w", err)
	}
	defer remove(f)
	size, err := io.Copy(f, io.LimitReader(body, table.MaxFile+1))
	if err != nil {
		return fmt.Errorf("keeping the file: %w", err)
	}
	i := &Import{
		Contacts: h.Contacts, Now: h.Now, Mapping: mapping,
		Defaults: Defaults{Country: info.Meta[MetaCountry], Locale: info.Meta[MetaLocale], Segment: info.Meta[MetaSegment]},
		Problems: problems,
		Tell:     func(ctx context.Context, r *Report) error { return h.put(ctx, r) },
	}
	return i.Run(ctx, f, size, r)
}

func (h *Handler) put(ctx context.Context, r *Report) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return h.Files.Put(ctx, ReportKey(topology.Uploads+r.File), "application/json", bytes.NewReader(b), nil)
}

func remove(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name()) // the next instance has a folder of its own
}
