package clock

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, path string, real *time.Time) *Clock {
	t.Helper()
	c, err := Open(path, func() time.Time { return *real })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheClockGoesOnFromWhereItWasMoved(t *testing.T) {
	now := noon
	path := filepath.Join(t.TempDir(), "clock.json")
	c := open(t, path, &now)
	if got := c.Now(); !got.Equal(noon) || c.Ahead() != 0 {
		t.Errorf("a fresh clock shows %s", got)
	}
	if err := c.Add(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := c.Move(noon.Add(26 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	for range 2 { // the second time as it is read from its file
		if got, want := c.Now(), noon.Add(26*time.Hour+time.Minute); !got.Equal(want) {
			t.Errorf("the clock shows %s, want %s", got, want)
		}
		if got := c.Ahead(); got != 26*time.Hour {
			t.Errorf("it is ahead by %s", got)
		}
		c = open(t, path, &now)
	}
}

func TestTheClockNeverGoesBack(t *testing.T) {
	now := noon
	c := open(t, "", &now)
	for name, tt := range map[string]struct {
		move func() error
		ok   bool
	}{
		"back by one":     {func() error { return c.Add(-1) }, false},
		"to the past":     {func() error { return c.Move(noon.Add(-time.Nanosecond)) }, false},
		"to now":          {func() error { return c.Move(c.Now()) }, true},
		"looking back":    {func() error { return c.Check(noon.Add(-1)) }, false},
		"looking on":      {func() error { return c.Check(c.Now()) }, true},
		"one too far":     {func() error { return c.Add(Farthest + 1) }, false},
		"far beyond":      {func() error { return c.Move(noon.AddDate(500, 0, 0)) }, false},
		"as far as it is": {func() error { return c.Add(Farthest - c.Ahead()) }, true},
	} {
		if err := tt.move(); tt.ok != (err == nil) || !tt.ok && survey.CodeOf(err) != survey.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABrokenFileIsTold(t *testing.T) {
	for _, content := range []string{"", "{", `{"offset":-1}`, `{"offset":9223372036854775807}`, `{"offset":"1h"}`} {
		path := filepath.Join(t.TempDir(), "clock.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, time.Now); err == nil {
			t.Errorf("%q was read as a clock", content)
		}
	}
}

func TestAClockThatCannotBeKeptStands(t *testing.T) {
	now := noon
	c := open(t, filepath.Join(t.TempDir(), "missing", "clock.json"), &now)
	if err := c.Add(time.Hour); err == nil || !c.Now().Equal(noon) {
		t.Errorf("moved to %s, %v", c.Now(), err)
	}
}
