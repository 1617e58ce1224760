package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
	"github.com/pulssi/pulssi/shared/web"
)

// world is a bucket in moto, and CloudFormation.
type world struct {
	t       *testing.T
	s3      *s3.Client
	name    string // of the bucket
	handler *Handler
	written []string // the keys of files, in order

	cloudFormation string // where it is told how it went
	answers        []cfn.Response
	status         int // that it answers with
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, status: http.StatusOK,
		s3:   s3.NewFromConfig(moto.Config(t), func(o *s3.Options) { o.UsePathStyle = true }),
		name: "b-" + strings.ToLower(strings.NewReplacer("_", "u", "-", "h").Replace(survey.NewID())),
	}
	if _, err := w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &w.name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: moto.Region},
	}); err != nil {
		t.Fatal(err)
	}
	w.handler = &Handler{Open: func(name string) Bucket { return noted{files.New(w.s3, name), w} }}
	server := httptest.NewServer(http.HandlerFunc(w.listen))
	t.Cleanup(server.Close)
	w.cloudFormation = server.URL + "/answer?Signature=secret"
	return w
}

// listen keeps what CloudFormation is told.
func (w *world) listen(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var told cfn.Response
	if err == nil {
		err = json.Unmarshal(body, &told)
	}
	// The signature of the address holds for no type.
	if _, typed := r.Header["Content-Type"]; err != nil || typed || r.Method != http.MethodPut || len(body) > 4096 || r.URL.RawQuery != "Signature=secret" {
		w.t.Errorf("CloudFormation is told by %s %s %v: %d bytes, %v", r.Method, r.URL, r.Header, len(body), err)
	}
	w.answers = append(w.answers, told)
	rw.WriteHeader(w.status)
}

// noted is a bucket whose writes are noted.
type noted struct {
	Bucket
	w *world
}

func (n noted) PutServed(ctx context.Context, key string, f files.Served) error {
	err := n.Bucket.PutServed(ctx, key, f)
	if err == nil {
		n.w.written = append(n.w.written, key)
	}
	return err
}

// event is a request about the bucket.
func (w *world) event(kind cfn.RequestType) cfn.Event {
	e := cfn.Event{
		RequestType: kind, RequestID: "request", StackID: "stack", LogicalResourceID: "Published", ResponseURL: w.cloudFormation,
		ResourceProperties: map[string]any{"ServiceToken": "arn", "Bucket": w.name, "Version": web.PublishedVersion()},
	}
	if kind != cfn.RequestCreate {
		e.PhysicalResourceID = physicalID
	}
	return e
}

// told makes a request, and returns how it went and which files were written.
func (w *world) told(e cfn.Event) (cfn.Response, []string) {
	w.t.Helper()
	w.answers, w.written = nil, nil
	if err := w.handler.Handle(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
	if len(w.answers) != 1 {
		w.t.Fatalf("CloudFormation is told %d times", len(w.answers))
	}
	return w.answers[0], w.written
}

// succeeds makes a request that is to be done, and returns which files were
// written.
func (w *world) succeeds(e cfn.Event) []string {
	w.t.Helper()
	answer, written := w.told(e)
	want := cfn.Response{Status: cfn.StatusSuccess, RequestID: "request", StackID: "stack", LogicalResourceID: "Published", PhysicalResourceID: physicalID}
	if e.PhysicalResourceID != "" {
		want.PhysicalResourceID = e.PhysicalResourceID
	}
	if got, want := asJSON(w.t, answer), asJSON(w.t, want); got != want {
		w.t.Errorf("%s: told %s, want %s", e.RequestType, got, want)
	}
	return written
}

// fails makes a request that is to be refused for a reason with some words.
func (w *world) fails(e cfn.Event, words ...string) {
	w.t.Helper()
	answer, _ := w.told(e)
	for _, word := range words {
		if !strings.Contains(answer.Reason, word) {
			w.t.Errorf("the reason %q lacks %q", answer.Reason, word)
		}
	}
	if answer.Status != cfn.StatusFailed || answer.PhysicalResourceID != physicalID || answer.RequestID != "request" {
		w.t.Errorf("told %+v, want that it failed", answer)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// put puts a file into the bucket as somebody else would.
func (w *world) put(key, body, kind, cacheControl string) {
	w.t.Helper()
	if _, err := w.s3.PutObject(w.t.Context(), &s3.PutObjectInput{
		Bucket: &w.name, Key: &key, Body: strings.NewReader(body), ContentType: &kind, CacheControl: &cacheControl,
	}); err != nil {
		w.t.Fatal(err)
	}
}

// has returns a file of the bucket.
func (w *world) has(key string) files.Served {
	w.t.Helper()
	out, err := w.s3.GetObject(w.t.Context(), &s3.GetObjectInput{Bucket: &w.name, Key: &key})
	if err != nil {
		w.t.Fatal(err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil || aws.ToString(out.ContentEncoding) != "" {
		w.t.Errorf("%s has the encoding %q, %v", key, aws.ToString(out.ContentEncoding), err)
	}
	return files.Served{Body: body, Type: aws.ToString(out.ContentType), CacheControl: aws.ToString(out.CacheControl)}
}

// complete holds the bucket to what is published.
func (w *world) complete() {
	w.t.Helper()
	for _, f := range web.Published() {
		if diff := cmp.Diff(files.Served{Body: f.Body, Type: f.Type, CacheControl: f.CacheControl}, w.has(f.Name)); diff != "" {
			w.t.Errorf("%s: -published +there:\n%s", f.Name, diff)
		}
	}
}

func names() []string {
	var out []string
	for _, f := range web.Published() {
		out = append(out, f.Name)
	}
	return out
}

func TestFilesArePublished(t *testing.T) {
	w := newWorld(t)
	const old = "dashboard/assets/dashboard.of-the-last-version.js"
	w.put(old, "old", "text/javascript", "public")
	if diff := cmp.Diff(names(), w.succeeds(w.event(cfn.RequestCreate))); diff != "" {
		t.Errorf("-published +written:\n%s", diff)
	}
	w.complete()
	for _, again := range []cfn.RequestType{cfn.RequestCreate, cfn.RequestUpdate, cfn.RequestDelete} {
		if written := w.succeeds(w.event(again)); len(written) > 0 {
			t.Errorf("%s again has written %q", again, written)
		}
	}
	w.complete()
	if string(w.has(old).Body) != "old" {
		t.Error("what the last version published is gone")
	}
}

// TestKeys holds the files to the paths that the CDN takes from the bucket.
func TestKeys(t *testing.T) {
	for _, name := range names() {
		if !strings.HasPrefix(name, "pulssi") && !strings.HasPrefix(name, "dashboard/assets/") {
			t.Errorf("%s is at a path that the CDN asks the API for", name)
		}
	}
}

func TestWhatChangedIsWritten(t *testing.T) {
	w := newWorld(t)
	w.succeeds(w.event(cfn.RequestCreate))
	current, _ := web.Widget("pulssi.js")
	released, _ := web.Widget("pulssi.1.0.0.js")
	for _, c := range []struct{ name, key, body, kind, cache string }{
		{"content", "pulssi.js", "other", current.Type, current.CacheControl},
		{"type", "pulssi.js", string(current.Body), "text/plain", current.CacheControl},
		{"cache-control", "pulssi.js", string(current.Body), current.Type, "no-store"},
		{"cache-control of a release", "pulssi.1.0.0.js", string(released.Body), released.Type, "public"},
		{"before its release", "pulssi.1.0.0.js", "a draft", released.Type, "no-cache"},
	} {
		w.put(c.key, c.body, c.kind, c.cache)
		if written := w.succeeds(w.event(cfn.RequestUpdate)); !slices.Equal(written, []string{c.key}) {
			t.Errorf("%s: written %q, want %s", c.name, written, c.key)
		}
		w.complete()
	}
}

func TestReleasedFilesNeverChange(t *testing.T) {
	released, _ := web.Widget("pulssi.1.0.0.ui.js")
	for _, cache := range []string{released.CacheControl, ""} {
		for _, kind := range []cfn.RequestType{cfn.RequestCreate, cfn.RequestUpdate} {
			w := newWorld(t)
			w.put("pulssi.1.0.0.ui.js", "other", released.Type, cache)
			w.fails(w.event(kind), "pulssi.1.0.0.ui.js is in the bucket with other content")
			if got := w.has("pulssi.1.0.0.ui.js"); string(got.Body) != "other" || got.CacheControl != cache {
				t.Errorf("after that it is %+v", got)
			}
		}
	}
}

func TestMistakesAreTold(t *testing.T) {
	w := newWorld(t)
	of := func(kind cfn.RequestType, properties map[string]any) cfn.Event {
		e := w.event(kind)
		e.ResourceProperties = properties
		return e
	}
	w.fails(of(cfn.RequestCreate, nil), "Bucket must be")
	w.fails(of(cfn.RequestUpdate, map[string]any{"Bucket": 1}), "Bucket must be")
	w.fails(of(cfn.RequestCreate, map[string]any{"Bucket": "no-such-bucket"}), names()[0], "NoSuchBucket")
	w.fails(w.event("Move"), `"Move"`)
	// What could not be made is deleted without a word, by the name that
	// CloudFormation gave it.
	e := of(cfn.RequestDelete, nil)
	e.PhysicalResourceID = "stack-Published-1X"
	if written := w.succeeds(e); len(written) > 0 {
		t.Errorf("a deletion has written %q", written)
	}
}

// fake is a bucket that fails.
type fake struct {
	open func(ctx context.Context, key string) (files.Served, error)
	put  func(ctx context.Context, key string, f files.Served) error
}

func (f fake) OpenServed(ctx context.Context, key string) (files.Served, error) {
	return f.open(ctx, key)
}

func (f fake) PutServed(ctx context.Context, key string, s files.Served) error {
	return f.put(ctx, key, s)
}

func TestABucketThatFails(t *testing.T) {
	w := newWorld(t)
	var bucket fake
	w.handler.Open = func(string) Bucket { return bucket }
	conflict := survey.Errorf(survey.Conflict, "", "there is another")
	is := func(context.Context, string, files.Served) error { return conflict }

	bucket = fake{put: is, open: func(context.Context, string) (files.Served, error) { return files.Served{}, errors.New("it is gone") }}
	w.fails(w.event(cfn.RequestCreate), "it is gone")

	// Somebody else writes between the look and the write.
	bucket = fake{put: is, open: func(context.Context, string) (files.Served, error) {
		return files.Served{Body: []byte("draft"), CacheControl: "no-cache"}, nil
	}}
	w.fails(w.event(cfn.RequestUpdate), "there is another")

	bucket = fake{put: func(context.Context, string, files.Served) error {
		return errors.New("x" + strings.Repeat("ä", maxReason))
	}}
	w.fails(w.event(cfn.RequestCreate), "xää")
	if reason := w.answers[0].Reason; strings.Contains(reason, "\ufffd") || len(reason) > maxReason {
		t.Errorf("the reason has %d bytes, and ends with %q", len(reason), reason[len(reason)-4:])
	}
}

// TestASlowBucketLeavesTimeToTell has a bucket that never answers.
func TestASlowBucketLeavesTimeToTell(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), answerTime+10*time.Millisecond)
	defer cancel()
	whole, _ := ctx.Deadline()
	w.handler.Open = func(string) Bucket {
		return fake{put: func(ctx context.Context, _ string, _ files.Served) error {
			if d, ok := ctx.Deadline(); !ok || whole.Sub(d) != answerTime {
				t.Errorf("the bucket has until %s, of %s", d, whole)
			}
			<-ctx.Done()
			return ctx.Err()
		}}
	}
	if err := w.handler.Handle(ctx, w.event(cfn.RequestCreate)); err != nil {
		t.Fatal(err)
	}
	if len(w.answers) != 1 || w.answers[0].Status != cfn.StatusFailed || !strings.Contains(w.answers[0].Reason, "deadline") {
		t.Errorf("told %+v", w.answers)
	}
}

// TestWhatCannotBeToldIsAnError has Lambda try again. The address stays untold: who
// has it can answer too.
func TestWhatCannotBeToldIsAnError(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	w := newWorld(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	ended := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-ended }))
	defer silent.Close()
	defer close(ended)
	for name, address := range map[string]string{
		"refused": w.cloudFormation, "nobody there": closed.URL + "/answer?Signature=secret", "no answer": silent.URL,
		"no address": "", "a broken one": "http://%zz/answer?Signature=secret", "of no server": "ftp://host/answer?Signature=secret",
	} {
		w.status = http.StatusForbidden
		e := w.event(cfn.RequestDelete)
		e.RequestType, e.ResponseURL = "Move", address // which is logged
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if name == "no answer" {
			ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		}
		err := w.handler.Handle(ctx, e)
		cancel()
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "/answer") {
			t.Errorf("%s: error %v, want one without the address", name, err)
		}
	}
	if !strings.Contains(log.String(), "request=request") || strings.Contains(log.String(), "secret") {
		t.Errorf("the log is %s", &log)
	}
	w.status = http.StatusOK
	w.succeeds(w.event(cfn.RequestCreate))
	w.complete()
}
