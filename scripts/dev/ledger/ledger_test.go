package ledger

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

var evening = time.Date(2026, 11, 21, 22, 30, 0, 0, time.UTC) // the 22nd in Helsinki

func day(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }

func open(t *testing.T, path string) *Ledger {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(path, zone)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestWhatIsDecidedLastCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := open(t, path)
	d := func(contact string, o survey.Occasion, v survey.Verdict, at time.Time) survey.Decision {
		return survey.Decision{Contact: contact, Touchpoint: "shop-nps", Occasion: o, Verdict: v, At: at}
	}
	if err := l.Note(
		d("a", "2026Q4", survey.Planned, evening),
		d("a", "2026Q4", survey.WasAsked, evening),
		d("a", "2026Q4", survey.WasAsked, evening), // told again
		d("a", survey.Occasion("2026Q4").ReminderOf(), survey.WasAsked, evening.AddDate(0, 0, 7)),
		d("b", "2026Q4", survey.Refused, evening.Add(-time.Hour)),
		d("b", "2026Q4", survey.WasAsked, evening.AddDate(0, 0, 1)), // after all
		d("c", "2026Q4", survey.Refused, evening),
		d("c", "2027Q1", survey.Refused, evening),
	); err != nil {
		t.Fatal(err)
	}
	want := []Day{
		{Day: day(22), Asked: 1, Refused: 2},
		{Day: day(23), Asked: 1},
		{Day: day(29), Reminded: 1},
	}
	if got := l.Days(); !slices.Equal(got, want) {
		t.Errorf("days %v, want %v", got, want)
	}
	// The process is killed while it writes the next one.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, record-1)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	if got := again.Days(); !slices.Equal(got, want) {
		t.Errorf("days %v after a restart, want %v", got, want)
	}
	if err := again.Note(d("d", "2026Q4", survey.Refused, evening)); err != nil {
		t.Fatal(err)
	}
	want[0].Refused++
	if got := open(t, path).Days(); !slices.Equal(got, want) {
		t.Errorf("days %v after another restart, want %v", got, want)
	}
}

func TestABrokenLedgerIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	b := make([]byte, record)
	b[record-1] = byte(refused) + 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, time.UTC); err == nil {
		t.Error("it was read")
	}
}
