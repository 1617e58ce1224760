package post

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/survey"
)

func arrive(t *testing.T, b *Box, n int) {
	t.Helper()
	_, before := b.Last()
	for range n {
		i, err := b.Put(Item{Channel: survey.SMS, To: "+358401234567", Text: fmt.Sprint("text ", before+1)})
		if err != nil || i.Number != before+1 {
			t.Fatalf("%+v, %v", i, err)
		}
		before++
	}
}

func TestTheLastAreKept(t *testing.T) {
	for _, dir := range []string{"", filepath.Join(t.TempDir(), "post")} {
		b := open(t, dir)
		if all, n := b.Last(); len(all) != 0 || n != 0 {
			t.Errorf("a fresh box has %d, %v", n, all)
		}
		source := "From: a@example.com\r\nSubject: First\r\nContent-Type: text/plain\r\n\r\nHi"
		if _, err := b.Put(Item{Channel: survey.Email, Text: "Hi", Raw: []byte(source)}); err != nil {
			t.Fatal(err)
		}
		if i, err := b.Numbered(1); err != nil || string(i.Raw) != source {
			t.Errorf("the source is %q, %v", i.Raw, err)
		}
		const arrived = 3*Kept + 1
		arrive(t, b, Kept-1)
		if _, err := os.Stat(b.source(1)); err != nil {
			t.Errorf("the source of the oldest that is kept: %v", err)
		}
		arrive(t, b, 2*Kept+1)
		if _, err := os.Stat(b.source(1)); !os.IsNotExist(err) {
			t.Errorf("the source of one that is not kept: %v", err)
		}
		all, n := b.Last()
		if n != arrived || len(all) != Kept || all[0].Number != arrived || all[0].Text != fmt.Sprint("text ", arrived) || all[1].Number != arrived-1 {
			t.Errorf("%d arrived, the last of %d is %+v", n, len(all), all[0])
		}
		if dir != "" {
			list, err := os.ReadFile(b.list())
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.Count(string(list), "\n"); lines > 2*Kept {
				t.Errorf("the file has %d lines", lines)
			}
			// Killed in the middle of a line.
			if err := os.WriteFile(b.list(), append(list, `{"n":9`...), 0o600); err != nil {
				t.Fatal(err)
			}
			b = open(t, dir)
		}
		if all, n := b.Last(); n != arrived || len(all) != Kept || all[Kept-1].Number != arrived-Kept+1 {
			t.Errorf("%d arrived, %d are kept", n, len(all))
		}
		for _, number := range []int{arrived, arrived - Kept + 1} {
			if i, err := b.Numbered(number); err != nil || i.Number != number {
				t.Errorf("%d: %+v, %v", number, i, err)
			}
		}
		for _, number := range []int{0, arrived - Kept, arrived + 1} {
			if _, err := b.Numbered(number); survey.CodeOf(err) != survey.NotFound {
				t.Errorf("%d: %v", number, err)
			}
		}
		arrive(t, b, 1)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	b, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	arrive(t, b, 1)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(b.dir); !os.IsNotExist(err) {
		t.Errorf("the folder of a box without one: %v", err)
	}
}

func TestABrokenBoxIsTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "list.jsonl"), []byte("rubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("it was read")
	}
}
