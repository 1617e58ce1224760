package outbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
)

func open(t *testing.T, path string) *Outbox {
	t.Helper()
	o, err := Open(path, func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func send(t *testing.T, o *Outbox, n int) {
	t.Helper()
	for range n {
		_, before := o.Last(0)
		text := fmt.Sprint("letter ", before+1)
		id, err := o.Send(t.Context(), message.Message{To: "a@example.com", Written: message.Written{Text: text}})
		if err != nil || id != fmt.Sprint("local-", before+1) {
			t.Fatalf("id %s, %v", id, err)
		}
	}
}

func TestTheLastAreKept(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "outbox.jsonl")} {
		o := open(t, path)
		if all, n := o.Last(10); len(all) != 0 || n != 0 {
			t.Errorf("a fresh outbox has %d, %v", n, all)
		}
		const sent = 3*Kept + 1
		send(t, o, sent)
		all, n := o.Last(2)
		if n != sent || len(all) != 2 || all[0].Number != sent || all[0].Message.Text != fmt.Sprint("letter ", sent) || all[1].Number != sent-1 {
			t.Errorf("%d were sent, the last %+v", n, all)
		}
		if path != "" {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.Count(string(b), "\n"); lines > 2*Kept {
				t.Errorf("the file has %d lines", lines)
			}
			// Killed in the middle of a line.
			if err := os.WriteFile(path, append(b, `{"n":9`...), 0o600); err != nil {
				t.Fatal(err)
			}
			o = open(t, path)
		}
		if all, n := o.Last(2 * Kept); n != sent || len(all) != Kept || all[Kept-1].Number != sent-Kept+1 {
			t.Errorf("%d were sent, %d are kept", n, len(all))
		}
		for _, number := range []int{sent, sent - Kept + 1} {
			if s, err := o.Numbered(number); err != nil || s.Number != number {
				t.Errorf("%d: %+v, %v", number, s, err)
			}
		}
		for _, number := range []int{0, sent - Kept, sent + 1} {
			if _, err := o.Numbered(number); survey.CodeOf(err) != survey.NotFound {
				t.Errorf("%d: %v", number, err)
			}
		}
		send(t, o, 1)
	}
}

func TestABrokenOutboxIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.jsonl")
	if err := os.WriteFile(path, []byte("rubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, time.Now); err == nil {
		t.Error("it was read")
	}
}
