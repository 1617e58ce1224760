package main

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/dev/stack"
	"github.com/pulssi/pulssi/scripts/erase/traces"
	"github.com/pulssi/pulssi/scripts/recount/differences"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
	"github.com/pulssi/pulssi/shared/testkit/moto"
	"github.com/pulssi/pulssi/shared/topology"
)

// In AWS a restored table tells what it was made of, and when; the records of
// erasures are in the bucket that was deployed with the tables.
func TestInAWS(t *testing.T) {
	t.Setenv(config.Files, "")
	c := moto.Config(t)
	prefix := "t" + strings.ToLower(strings.NewReplacer("-", "x", "_", "y").Replace(survey.NewID())) + "-"
	db := dynamodb.NewFromConfig(c)
	if err := store.CreateTables(t.Context(), db, prefix); err != nil {
		t.Fatal(err)
	}
	conf := config.Config{TablePrefix: prefix, Retention: 1095 * 24 * time.Hour}
	w := &world{T: t, Tables: &testkit.Tables{Config: conf, DB: db, Store: store.New(db, conf)}, copies: prefix + "copy-"}
	w.d = connect.Deployment{Store: w.Store, Where: "moto", Now: time.Now, Prefix: prefix, AWS: c}
	bucketName := prefix + "files-" + moto.Account + "-" + moto.Region
	buckets := s3.NewFromConfig(c)
	_, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &bucketName, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: moto.Region},
	})
	w.must("making the bucket", err)
	keep := func(r string) {
		t.Helper()
		w.must("keeping", files.New(buckets, bucketName).Put(t.Context(), topology.Erasures+survey.NewID()+".json", "application/json", strings.NewReader(r), nil))
	}
	var asks []*survey.Ask
	for range 4 {
		a := answered(survey.NewID())
		a.AskedAt, a.SentAt, a.AnsweredAt = time.Now(), time.Now(), time.Now()
		w.must("asking", w.Store.CreateAsk(t.Context(), a))
		asks = append(asks, a)
	}
	_, err = db.RestoreTableToPointInTime(t.Context(), &dynamodb.RestoreTableToPointInTimeInput{
		SourceTableName: aws.String(prefix + "responses"), TargetTableName: aws.String(w.copies + "responses"), UseLatestRestorableTime: aws.Bool(true),
	})
	w.must("restoring", err)
	w.lose(topology.Responses, asks[0].ID, asks[1].ID, asks[2].ID)

	// Long before the copy's moment, and after it.
	keep(`{"id":"of-a-contact","at":"2020-01-01T00:00:00Z","contact":"` + survey.Fingerprint(asks[0].Contact) + `","before":{"contacts":1}}`)
	keep(`{"id":"of-an-ask","at":"` + time.Now().Add(time.Second).Format(time.RFC3339) + `","ask":"` + survey.Fingerprint(asks[1].ID) + `"}`)
	said, err := w.restores("", topology.Responses, "-yes")
	if err == nil || strings.Contains(err.Error(), "of-a-contact") || !strings.Contains(err.Error(), ": record of-an-ask\n") ||
		!strings.Contains(said, "responses, of "+time.Now().UTC().Format("2006-01-02")) {
		t.Errorf("%v\n%s", err, said)
	}
	said, err = w.restores("", topology.Responses, "-yes", "-erase-again")
	want := map[string]string{"items in the copy": "4", "the same in the table": "1", "of people who were erased": "2", "to be put back": "1"}
	if diff := cmp.Diff(want, counted(said)); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	if live := w.live(topology.Responses); len(live) != 2 || live[asks[2].ID] == nil || live[asks[3].ID] == nil {
		t.Errorf("there are %v", slices.Collect(maps.Keys(live)))
	}
	// The keys of both are alike.
	_, err = w.runs(t.Context(), "", "-yes", "contacts", w.copies+"responses")
	arn := "arn:aws:dynamodb:" + moto.Region + ":" + moto.Account + ":table/"
	if want := "invalid: " + w.copies + "responses was made of " + arn + prefix + "responses, and not of " + arn + prefix + "contacts"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}

	// Another deployment knows nothing of who was erased in this one.
	other := "o" + prefix
	w.must("making the tables of another", store.CreateTables(t.Context(), db, other))
	there := &world{T: t, Tables: &testkit.Tables{Config: config.Config{TablePrefix: other, Retention: conf.Retention}, DB: db}, copies: w.copies, d: w.d}
	there.Store = store.New(db, there.Config)
	there.d.Store, there.d.Prefix = there.Store, other
	refused := "invalid: " + w.copies + "responses was made of " + arn + prefix + "responses, and not of " + arn + other + "responses"
	if said, err := there.restores("", topology.Responses, "-yes", "-of-this-deployment"); err == nil || err.Error() != refused {
		t.Errorf("a copy of another deployment: %v, want %s\n%s", err, refused, said)
	}
	if said, err := there.runs(t.Context(), "", "-yes", "responses", prefix+"responses"); err == nil || !strings.HasSuffix(err.Error(), "say -of-this-deployment") {
		t.Errorf("another deployment's live table: %v\n%s", err, said)
	}
	if n := len(there.live(topology.Responses)); n != 0 {
		t.Errorf("%d came from another deployment", n)
	}
	keep("broken")
	if _, err = w.restores("", topology.Responses, "-yes", "-erase-again"); err == nil || !strings.HasPrefix(err.Error(), "reading the records of erasures: ") {
		t.Errorf("with a record that cannot be read: %v", err)
	}
}

// A record from before the copy's moment hides no erasure after it that was
// interrupted.
func TestErasedTwice(t *testing.T) {
	w := newWorld(t)
	who := survey.Fingerprint(survey.NewID())
	w.does(survey.Erase, who)
	for at, want := range map[time.Time]string{now: "record r", now.AddDate(0, 0, -1): "audit entry "} {
		g, err := readGone(t.Context(), w.Store, func(context.Context) ([]traces.Record, error) {
			return []traces.Record{{ID: "r", At: at, Contact: who}}, nil
		}, now.Add(-time.Hour), now)
		if err != nil || !g.erased[who] || len(g.erasures) != 1 || !strings.HasPrefix(g.erasures[0].name, want) {
			t.Errorf("recorded at %v: %+v, %v", at, g, err)
		}
	}
}

const touchpoints = `
locales: [en]
touchpoints:
  - id: shop-nps
    phase: after
    metric: nps
    channels: [widget]
    origins: ["http://localhost"]
    name: {en: Shop}
    question: {en: How likely?}
    widget: {}
`

// On the local stack the stream counts what is put back, as it took out of the
// count what was deleted; who was erased is told by the records there.
func TestOnTheLocalStack(t *testing.T) {
	s, err := stack.Start(t.Context(), stack.Options{
		Dir: t.TempDir(), Endpoint: dynamodblocal.Shared(t), Prefix: "t" + survey.NewID() + "-", Touchpoints: []byte(touchpoints),
		Mapping: func(m topology.Stream) topology.Stream {
			m.BatchingSeconds = 0
			return m
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, Tables: &testkit.Tables{Config: s.Config, Store: s.Store}}
	w.DB = store.NewClient(s.Config, func(name string) string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}[name]
	})
	w.d = connect.Deployment{Store: w.Store, Where: "the test's stack", Services: s.PostURL, Now: s.Clock.Now, Local: true}
	tp, err := s.Store.Touchpoint(t.Context(), "shop-nps")
	w.must("the touchpoint", err)
	var ids []string
	for n := range 4 {
		ids = append(ids, survey.NewID())
		_, err := s.Store.Vote(t.Context(), tp, survey.Vote{ID: ids[n], Score: 7 + n, Channel: survey.Popup}, s.Clock.Now())
		w.must("voting", err)
	}
	w.save()
	_, err = s.Store.AnonymiseAsk(t.Context(), ids[3])
	w.must("anonymising", err)
	body := []byte(`{"id":"r1","at":"` + s.Clock.Now().Format(time.RFC3339) + `","ask":"` + survey.Fingerprint(ids[3]) + `"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.PostURL+traces.RecordPath+"r1.json", bytes.NewReader(body))
	w.must("a request", err)
	resp, err := http.DefaultClient.Do(r)
	w.must("keeping the record", err)
	w.must("keeping the record", resp.Body.Close())
	before, all := w.tallied(4), w.live(topology.Responses)
	w.lose(topology.Responses, ids[0], ids[1])
	w.tallied(2)
	said, err := w.restores("y", topology.Responses, "-erase-again")
	if err != nil || counted(said)["to be put back"] != "2" || !strings.Contains(said, ": record r1\n") {
		t.Fatalf("%v\n%s", err, said)
	}
	w.same(topology.Responses, all)
	if diff := cmp.Diff(before, w.tallied(4)); diff != "" {
		t.Errorf("tallies (-before +after):\n%s", diff)
	}
}

// tallied waits until so many answers are counted, and the tallies equal a
// recount, and returns them.
func (w *world) tallied(answers int) map[score.Key]score.Sheet {
	w.Helper()
	zone, err := time.LoadLocation("Europe/Helsinki")
	w.must("the zone", err)
	f := &differences.Finder{
		Store: w.Store, Zone: zone, Settle: time.Millisecond, Patience: time.Millisecond,
		Now: time.Now, Wait: differences.Wait, Progress: func(int) {},
	}
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	for {
		r, err := f.Find(ctx)
		w.must("recounting", err)
		if len(r.Differences)+len(r.Moving)+len(r.Unreadable) == 0 && r.Asks == answers {
			break
		}
		w.must("waiting for the tallies", differences.Wait(ctx, 50*time.Millisecond))
	}
	out := map[score.Key]score.Sheet{}
	w.must("reading sheets", w.Store.EachSheet(ctx, func(s store.StoredSheet) error {
		out[s.Key] = s.Counts
		return nil
	}))
	return out
}
