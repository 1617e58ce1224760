package asking

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/survey"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestWords writes every verdict and every reason, of asks and reminders, of
// periods and business events.
func TestWords(t *testing.T) {
	helsinki := zone(t, "Europe/Helsinki")
	base := survey.Decision{
		Contact: "c", Touchpoint: "relation-nps", Occasion: "2026Q4", Channel: survey.Email,
		At:    time.Date(2026, time.October, 5, 6, 0, 0, 0, time.UTC),
		Due:   time.Date(2026, time.October, 4, 6, 30, 0, 0, time.UTC),
		Until: time.Date(2026, time.December, 1, 22, 5, 0, 0, time.UTC), // the next day, in winter
	}
	name := func(id string) string { return map[string]string{"shop-nps": "After a purchase"}[id] }
	var out strings.Builder
	say := func(edit func(*survey.Decision)) string {
		d := base
		edit(&d)
		words := Words(d, helsinki, name)
		fmt.Fprintln(&out, words)
		return words
	}
	for _, o := range []survey.Occasion{"2026Q4", "2026-10", OccasionOf("purchase.completed", "order/4711"), OccasionOf("purchase.completed", "4711/reminder")} {
		for _, v := range []survey.Verdict{survey.Planned, survey.WasAsked, survey.Refused} {
			for _, o := range []survey.Occasion{o, o.ReminderOf()} {
				say(func(d *survey.Decision) { d.Occasion, d.Verdict, d.Reason = o, v, survey.Stopped })
			}
		}
	}
	say(func(d *survey.Decision) { d.Verdict, d.Channel = survey.WasAsked, survey.SMS })
	say(func(d *survey.Decision) { d.Verdict, d.Channel = survey.WasAsked, survey.Agent })
	say(func(d *survey.Decision) { d.Verdict, d.Channel = survey.Planned, "" })
	for _, r := range survey.Reasons() {
		for _, other := range []string{"shop-nps", "support-csat", base.Touchpoint, ""} {
			if words := say(func(d *survey.Decision) { d.Verdict, d.Reason, d.Other = survey.Refused, r, other }); strings.Contains(words, ": "+string(r)+".") {
				t.Errorf("%s has no words: %s", r, words)
			}
			if r != survey.OtherAsked && r != survey.TurnComes {
				break // it is about no other
			}
		}
	}
	if *update {
		if err := os.WriteFile("testdata/words.txt", []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/words.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Without names touchpoints go by their ids; a reason that is not known yet is
// told as it is.
func TestWordsOfLittle(t *testing.T) {
	d := survey.Decision{Touchpoint: "a", Occasion: "2026", Verdict: survey.Refused, Reason: survey.OtherAsked, Other: "b", At: now, Until: now}
	if got, want := Words(d, time.UTC, nil), "Not asked about 2026 on Tue 20 Oct 2026 at 9:00: another question (b) was sent too shortly before; the contact can be asked again from Tue 20 Oct 2026 at 9:00."; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	d.Reason, d.Until = survey.OptedOut, time.Time{}
	if got, want := Words(d, time.UTC, nil), "Not asked about 2026 on Tue 20 Oct 2026 at 9:00: the contact has opted out."; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	d.Reason = "asleep"
	if got, want := Words(d, time.UTC, nil), "Not asked about 2026 on Tue 20 Oct 2026 at 9:00: asleep."; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
