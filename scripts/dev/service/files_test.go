package service

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/survey"
)

func TestFiles(t *testing.T) {
	var told record[string]
	r := run(t, functions{intake: func(_ context.Context, e events.SQSEvent) (resp events.SQSEventResponse, err error) {
		var n events.S3Event
		if err := json.Unmarshal([]byte(e.Records[0].Body), &n); err != nil || len(n.Records) != 1 {
			t.Errorf("the notice is %s", e.Records[0].Body)
			return resp, nil
		}
		told.add(n.Records[0].S3.Object.Key)
		return resp, nil
	}})
	f := r.Files
	if list, err := f.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("a fresh bucket has %v, %v", list, err)
	}
	if _, _, err := f.Open(t.Context(), "uploads/none"); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("a missing file: %v", err)
	}
	put := func(key, content string, meta map[string]string) {
		t.Helper()
		if err := f.Put(t.Context(), key, "text/csv", strings.NewReader(content), meta); err != nil {
			t.Fatal(err)
		}
	}
	put("uploads/a ä+1/x.csv", "one", map[string]string{"name": "Äiti.csv"})
	put("reports/x", "report", nil)
	put("uploads/b", "two", nil)
	put("uploads/b", "three", nil)
	r.settle()

	body, info, err := f.Open(t.Context(), "uploads/a ä+1/x.csv")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(body)
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	if err != nil || string(b) != "one" || info.Size != 3 || info.Meta["name"] != "Äiti.csv" || !info.Modified.Equal(start) || info.Key != "uploads/a ä+1/x.csv" {
		t.Errorf("the file is %q, %+v, %v", b, info, err)
	}
	if body, _, err := f.Open(t.Context(), "uploads/b"); err != nil {
		t.Error(err)
	} else if b, _ := io.ReadAll(body); string(b) != "three" {
		t.Errorf("the file is still %q", b)
	} else if err := body.Close(); err != nil {
		t.Error(err)
	}
	list, err := f.List(t.Context(), "uploads/")
	if err != nil || len(list) != 2 || list[0].Key != "uploads/a ä+1/x.csv" || list[1].Key != "uploads/b" || list[1].Size != 5 {
		t.Errorf("the list is %v, %v", list, err)
	}
	want := []string{"uploads/a ä+1/x.csv", "uploads/b", "uploads/b"}
	for i, key := range told.got() {
		got, err := url.QueryUnescape(key)
		if err != nil || i >= len(want) || got != want[i] {
			t.Errorf("notice %d is of %q, %v", i, key, err)
		}
	}
	if n := len(told.got()); n != 3 {
		t.Errorf("%d notices", n)
	}
	if key := told.got()[0]; key != "uploads/a+%C3%A4%2B1/x.csv" {
		t.Errorf("the key in the notice is %s", key)
	}
	for range 2 {
		if err := f.Delete(t.Context(), "uploads/b"); err != nil {
			t.Error(err)
		}
	}
	for _, folder := range []string{objects, beside} {
		if _, err := f.root.Stat(folder + "/uploads/b"); !os.IsNotExist(err) {
			t.Errorf("the deleted file in %s: %v", folder, err)
		}
	}
	if list, err := f.List(t.Context(), ""); err != nil || len(list) != 2 {
		t.Errorf("left %v, %v", list, err)
	}
}

func TestKeysThatAreNoPaths(t *testing.T) {
	r := open(t, "", start)
	for _, key := range []string{"", ".", "/etc/passwd", "../x", "uploads/../../x", "uploads//x", "uploads/", strings.Repeat("a", 901)} {
		if err := r.Files.Put(t.Context(), key, "", strings.NewReader("x"), nil); survey.CodeOf(err) != survey.Invalid {
			t.Errorf("%q was put: %v", key, err)
		}
		if _, _, err := r.Files.Open(t.Context(), key); survey.CodeOf(err) != survey.Invalid {
			t.Errorf("%q was opened: %v", key, err)
		}
		if err := r.Files.Delete(t.Context(), key); survey.CodeOf(err) != survey.Invalid {
			t.Errorf("%q was deleted: %v", key, err)
		}
	}
	if err := r.Files.Put(t.Context(), "uploads/a/b", "", strings.NewReader("x"), nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Files.Open(t.Context(), "uploads/a"); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("a folder was opened: %v", err)
	}
}
