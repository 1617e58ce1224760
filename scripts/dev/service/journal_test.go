package service

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

func contents(j *journal) map[string]string {
	out := map[string]string{}
	for k, v := range j.live {
		out[k] = string(v)
	}
	return out
}

// TestTheJournalKeepsWhatHolds changes entries at random and opens the file
// again at random, whole or cut in its last line.
func TestTheJournalKeepsWhatHolds(t *testing.T) {
	dir := t.TempDir()
	files := 0
	rapid.Check(t, func(t *rapid.T) {
		files++
		path := filepath.Join(dir, fmt.Sprint(files))
		j, err := openJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for range rapid.IntRange(1, 40).Draw(t, "changes") {
			before := maps.Clone(want)
			key := rapid.StringMatching(`[abc]/[\n"é]?`).Draw(t, "key")
			if rapid.Bool().Draw(t, "drop") {
				err = j.drop(key)
				delete(want, key)
			} else {
				n := rapid.IntRange(0, 5).Draw(t, "value")
				err = j.put(key, n)
				want[key] = fmt.Sprint(n)
			}
			if err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 3).Draw(t, "reopen") > 0 {
				continue
			}
			if err := j.close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if last := b[bytes.LastIndexByte(b[:len(b)-1], '\n')+1:]; rapid.Bool().Draw(t, "killed") && j.lines > 0 {
				b = b[:len(b)-rapid.IntRange(1, len(last)).Draw(t, "lost")]
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
				want = before
			}
			if j, err = openJournal(path); err != nil {
				t.Fatal(err)
			}
			if got := contents(j); !maps.Equal(got, want) {
				t.Fatalf("the journal has %v, want %v", got, want)
			}
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheJournalDoesNotGrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * slack {
		if err := j.put("key", i); err != nil {
			t.Fatal(err)
		}
	}
	if j.lines > slack+2 {
		t.Errorf("the file has %d lines for one entry", j.lines)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if j, err = openJournal(path); err != nil || j.lines != 1 || string(j.live["key"]) != fmt.Sprint(3*slack-1) {
		t.Errorf("reopened with %d lines: %s, %v", j.lines, j.live["key"], err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
}

func TestABrokenJournalIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	if err := os.WriteFile(path, []byte("{\"k\":\"a\",\"v\":1}\nrubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(path); err == nil {
		t.Error("rubbish was read")
	}
}
