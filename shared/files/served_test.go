package files_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
)

func TestAServedFileComesBack(t *testing.T) {
	f, _, _ := newBucket(t, nil)
	const key = "dashboard/assets/a.css"
	first := files.Served{Body: []byte("a{}"), Type: "text/css; charset=utf-8", CacheControl: "public, max-age=60"}
	served := func() files.Served {
		t.Helper()
		got, err := f.OpenServed(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if _, err := f.OpenServed(t.Context(), key); err == nil {
		t.Error("a file that is not there is there")
	}
	if err := f.PutServed(t.Context(), key, first); err != nil {
		t.Fatal(err)
	}
	there := served()
	first.Tag = there.Tag
	if diff := cmp.Diff(first, there); diff != "" || there.Tag == "" {
		t.Errorf("tag %q, -put +there:\n%s", there.Tag, diff)
	}

	second := files.Served{Body: []byte("b{}"), Type: "text/css", CacheControl: "no-cache"}
	for _, tag := range []string{"", `"another"`} {
		second.Tag = tag
		if err := f.PutServed(t.Context(), key, second); survey.CodeOf(err) != survey.Conflict || !strings.Contains(err.Error(), key) {
			t.Errorf("over a file with the tag %q: %v, want a conflict that names it", tag, err)
		}
		if diff := cmp.Diff(first, served()); diff != "" {
			t.Errorf("a conflict changed the file, -before +after:\n%s", diff)
		}
	}
	second.Tag = there.Tag
	if err := f.PutServed(t.Context(), key, second); err != nil {
		t.Fatal(err)
	}
	now := served()
	second.Tag = now.Tag
	if diff := cmp.Diff(second, now); diff != "" || now.Tag == there.Tag {
		t.Errorf("tag %q, -put +there:\n%s", now.Tag, diff)
	}
}

// TestWhoWritesAtTheSameTime answers in S3's place, which says so with another
// status than that a file is there; what is wrong otherwise is no conflict.
func TestWhoWritesAtTheSameTime(t *testing.T) {
	status := http.StatusOK
	f, _, _ := newBucket(t, func(r *http.Request) (*http.Response, error) {
		if status == http.StatusOK {
			return http.DefaultClient.Do(r)
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<Error><Code>Refused</Code></Error>")), Request: r}, nil
	})
	for _, c := range []struct {
		status   int
		conflict bool
	}{{http.StatusConflict, true}, {http.StatusPreconditionFailed, true}, {http.StatusForbidden, false}, {http.StatusNotFound, false}} {
		status = c.status
		err := f.PutServed(t.Context(), "pulssi.js", files.Served{})
		if err == nil || (survey.CodeOf(err) == survey.Conflict) != c.conflict || !strings.Contains(err.Error(), "pulssi.js") {
			t.Errorf("status %d: %v", c.status, err)
		}
	}
}
