package files_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

// wire is an HTTP client that has requests pass through it.
type wire func(*http.Request) (*http.Response, error)

func (w wire) Do(r *http.Request) (*http.Response, error) { return w(r) }

// newBucket makes a bucket of this test's own, in moto. w may be nil.
func newBucket(t *testing.T, w wire) (*files.Client, *s3.Client, string) {
	t.Helper()
	c := s3.NewFromConfig(moto.Config(t), func(o *s3.Options) {
		o.UsePathStyle = true
		if w != nil {
			o.HTTPClient = w
		}
	})
	name := "b-" + strings.ToLower(strings.NewReplacer("_", "u", "-", "h").Replace(survey.NewID()))
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: moto.Region},
	}); err != nil {
		t.Fatal(err)
	}
	return files.New(c, name), c, name
}

func put(t *testing.T, f *files.Client, key, body string, meta map[string]string) {
	t.Helper()
	if err := f.Put(t.Context(), key, "text/csv", strings.NewReader(body), meta); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, f *files.Client, key string) (string, files.Info) {
	t.Helper()
	r, info, err := f.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), info
}

func TestAFileComesBack(t *testing.T) {
	f, c, bucket := newBucket(t, nil)
	before := time.Now().Truncate(time.Second)
	key := "uploads/asiakkaat & ystävät+1%.csv"
	meta := map[string]string{"name": "Ääkköset 100 %/😀\r\n.csv", "mapping": `{"email":"Sähköposti"}`, "empty": "", "plain": "a+b=c"}
	put(t, f, key, "sähköposti;nimi\r\n", meta)
	body, info := read(t, f, key)
	if body != "sähköposti;nimi\r\n" {
		t.Errorf("the file has %q", body)
	}
	if info.Modified.Before(before) || info.Modified.After(time.Now().Add(time.Second)) {
		t.Errorf("modified at %s", info.Modified)
	}
	info.Modified = time.Time{}
	if diff := cmp.Diff(files.Info{Key: key, Size: 19, Meta: meta}, info); diff != "" {
		t.Error(diff)
	}
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if err != nil || aws.ToString(head.ContentType) != "text/csv" {
		t.Errorf("the type is %v, %v", head.ContentType, err)
	}

	put(t, f, key, "", nil)
	if body, info := read(t, f, key); body != "" || info.Size != 0 || len(info.Meta) != 0 {
		t.Errorf("after it was written anew: %q, %+v", body, info)
	}
}

func TestALargeFileIsReadAsItComes(t *testing.T) {
	f, _, _ := newBucket(t, nil)
	large := bytes.Repeat([]byte("0123456789abcdef"), 512<<10) // 8 MB
	if err := f.Put(t.Context(), "uploads/large.csv", "text/csv", bytes.NewReader(large), nil); err != nil {
		t.Fatal(err)
	}
	r, info, err := f.Open(t.Context(), "uploads/large.csv")
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 16)
	if _, err := io.ReadFull(r, first); err != nil || string(first) != "0123456789abcdef" || info.Size != int64(len(large)) {
		t.Errorf("it begins with %q of %d bytes, %v", first, info.Size, err)
	}
	if err := r.Close(); err != nil { // before its end
		t.Error(err)
	}
	if body, _ := read(t, f, "uploads/large.csv"); body != string(large) {
		t.Errorf("%d bytes come back, and they differ", len(body))
	}
}

func TestAFileThatIsNotThere(t *testing.T) {
	f, c, _ := newBucket(t, nil)
	if _, _, err := f.Open(t.Context(), "uploads/none.csv"); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("error %v, want %s", err, survey.NotFound)
	}
	// A bucket that is not there is no file that is not there.
	none := files.New(c, "no-such-bucket")
	if _, _, err := none.Open(t.Context(), "uploads/a.csv"); err == nil || survey.CodeOf(err) == survey.NotFound {
		t.Errorf("no bucket: error %v", err)
	}
	if _, err := none.List(t.Context(), ""); err == nil {
		t.Error("no bucket, and a list")
	}
	if err := none.Put(t.Context(), "a", "text/csv", strings.NewReader("a"), nil); err == nil {
		t.Error("no bucket, and a file")
	}
}

func TestDelete(t *testing.T) {
	f, c, _ := newBucket(t, nil)
	put(t, f, "uploads/a ä+1.csv", "a", nil)
	put(t, f, "uploads/b.csv", "b", nil)
	for range 2 {
		if err := f.Delete(t.Context(), "uploads/a ä+1.csv"); err != nil {
			t.Error(err)
		}
	}
	if list, err := f.List(t.Context(), ""); err != nil || len(list) != 1 || list[0].Key != "uploads/b.csv" {
		t.Errorf("left %v, %v", list, err)
	}
	if err := files.New(c, "no-such-bucket").Delete(t.Context(), "a"); err == nil {
		t.Error("no bucket, and a file less")
	}
}

func TestMetaOfAnotherProgram(t *testing.T) {
	f, c, bucket := newBucket(t, nil)
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: aws.String("a"), Body: strings.NewReader("a"), Metadata: map[string]string{"Share": "100 %"},
	}); err != nil {
		t.Fatal(err)
	}
	if _, info := read(t, f, "a"); info.Meta["share"] != "100 %" {
		t.Errorf("meta %v", info.Meta)
	}
}

func TestListReadsEveryPage(t *testing.T) {
	pages := 0
	f, _, _ := newBucket(t, func(r *http.Request) (*http.Response, error) {
		if q := r.URL.Query(); q.Get("list-type") == "2" {
			pages++
			q.Set("max-keys", "2")
			r.URL.RawQuery = q.Encode()
		}
		return http.DefaultClient.Do(r)
	})
	for _, key := range []string{"uploads/b.csv", "uploads/a.csv", "reports/a.csv", "uploads/ä.csv", "uploads/c.csv", "uploads/B.csv"} {
		put(t, f, key, key, map[string]string{"name": "n"})
	}
	list, err := f.List(t.Context(), "uploads/")
	if err != nil {
		t.Fatal(err)
	}
	var got []files.Info
	for _, i := range list {
		if i.Modified.IsZero() {
			t.Errorf("%s has no time", i.Key)
		}
		i.Modified = time.Time{}
		got = append(got, i)
	}
	if diff := cmp.Diff([]files.Info{
		{Key: "uploads/B.csv", Size: 13}, {Key: "uploads/a.csv", Size: 13}, {Key: "uploads/b.csv", Size: 13},
		{Key: "uploads/c.csv", Size: 13}, {Key: "uploads/ä.csv", Size: 14},
	}, got); diff != "" {
		t.Error(diff)
	}
	if pages != 3 {
		t.Errorf("%d pages, want 3", pages)
	}
	if list, err := f.List(t.Context(), "nothing/"); err != nil || len(list) != 0 {
		t.Errorf("nothing: %v, %v", list, err)
	}
}

func TestAPageThatFails(t *testing.T) {
	broken := errors.New("broken")
	f, _, _ := newBucket(t, func(r *http.Request) (*http.Response, error) {
		if q := r.URL.Query(); q.Get("list-type") == "2" {
			if q.Has("continuation-token") {
				return nil, broken
			}
			q.Set("max-keys", "1")
			r.URL.RawQuery = q.Encode()
		}
		return http.DefaultClient.Do(r)
	})
	put(t, f, "a", "", nil)
	put(t, f, "b", "", nil)
	if list, err := f.List(t.Context(), ""); !errors.Is(err, broken) || list != nil {
		t.Errorf("half a list: %v, %v", list, err)
	}
}
