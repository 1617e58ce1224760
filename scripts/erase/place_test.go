package main

import (
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/erase/traces"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

// In AWS the bucket is the one that was deployed with the tables, and who works
// there is who calls.
func TestTheBucketInAWS(t *testing.T) {
	const name = "pulssi-test-files-123456789012-" + moto.Region // moto's account
	t.Setenv(config.Files, "")
	c := moto.Config(t)
	buckets := s3.NewFromConfig(c)
	bucketName := name
	if _, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &bucketName, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: moto.Region},
	}); err != nil {
		t.Fatal(err)
	}
	f := files.New(buckets, name)
	for key, content := range map[string]string{
		"uploads/a.csv": "Sähköposti\r\n" + email + "\r\n", "reports/a.csv.json": `{"state":"done"}`, "uploads/b.csv": "Sähköposti\r\n" + other + "\r\n",
	} {
		if err := f.Put(t.Context(), key, "text/csv", strings.NewReader(content), nil); err != nil {
			t.Fatal(err)
		}
	}
	tables := testkit.NewTables(t)
	var out, said strings.Builder
	term := &terminal{out: &out, progress: &said}
	d := connect.Deployment{Store: tables.Store, Where: "moto", Now: testkit.NewClock(now).Now, Prefix: "pulssi-test-", AWS: c}
	by, place, err := around(t.Context(), d)
	if err != nil || by == "" || by == "local" {
		t.Fatalf("by %q, %v", by, err)
	}
	e := &eraser{Store: tables.Store, Place: place, Person: traces.Person{Email: email}}
	if err := term.erase(t.Context(), d, by, e, 0, true); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	list, err := f.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, info := range list {
		keys = append(keys, info.Key)
	}
	if len(keys) != 3 || !strings.HasPrefix(keys[0], "erasures/") || cmp.Diff([]string{"reports/a.csv.json", "uploads/b.csv"}, keys[1:]) != "" {
		t.Fatalf("the bucket has %q", keys)
	}
	body, _, err := f.Open(t.Context(), keys[0])
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if b, err := io.ReadAll(body); err != nil || string(b) != out.String() || !strings.Contains(out.String(), "point-in-time recovery") {
		t.Errorf("the record is %s, %v; printed was %s", b, err, &out)
	}
}

// Tables alone have nothing around them.
func TestTablesAlone(t *testing.T) {
	by, place, err := around(t.Context(), connect.Deployment{Local: true})
	if err != nil || by != "local" || len(place.names()) != 0 {
		t.Errorf("%q, %v, %v", by, place, err)
	}
	if found, err := place.search(t.Context(), traces.Person{}, true); err != nil || len(found) > 0 || place.keep(t.Context(), "x", nil) != nil {
		t.Errorf("%v, %v", found, err)
	}
}
