package post

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/survey"
)

func TestErase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "post")
	b := open(t, dir)
	source := "From: a@example.com\r\nSubject: Hi\r\nContent-Type: text/plain\r\n\r\nHi"
	for _, i := range []Item{
		{Channel: survey.Email, To: "her@example.com", Raw: []byte(source)}, {Channel: survey.Email, To: "him@example.com", Raw: []byte(source)},
		{Channel: survey.SMS, To: "+1", Text: "to her@example.com"}, {Channel: survey.Email, To: "her@example.com", Raw: []byte(source)},
	} {
		if _, err := b.Put(i); err != nil {
			t.Fatal(err)
		}
	}
	hers := func(i Item) bool { return strings.Contains(i.To+i.Text, "her@") }
	if diff := cmp.Diff(map[string]int{"email": 2, "sms": 1}, b.Count(hers)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for range 2 {
		if err := b.Erase(hers); err != nil || len(b.Count(hers)) != 0 {
			t.Errorf("%v, left %v", err, b.Count(hers))
		}
	}
	if list, err := os.ReadFile(b.list()); err != nil || strings.Contains(string(list), "her@") {
		t.Errorf("the list is %s, %v", list, err)
	}
	for n, want := range map[int]bool{1: false, 2: true, 4: false} {
		if _, err := os.Stat(b.source(n)); (err == nil) != want {
			t.Errorf("the source of %d: %v", n, err)
		}
	}
	// A number is one message's, also when that is gone.
	if i, err := b.Put(Item{Channel: survey.SMS, To: "+2", Text: "Hi"}); err != nil || i.Number != 5 {
		t.Errorf("the next is %d, %v", i.Number, err)
	}
	if err := b.Erase(func(Item) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if all, n := b.Last(); len(all) != 0 || n != 5 {
		t.Errorf("left %v of %d", all, n)
	}
}
