package generator

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/scripts/apply/touchpoints"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

func history(t *testing.T, seed byte) History {
	t.Helper()
	b, err := os.ReadFile("../../dev/touchpoints.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := touchpoints.Read("touchpoints.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	for _, tp := range file.Touchpoints {
		tp.Series = 1
	}
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		t.Fatal(err)
	}
	until := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return History{Seed: []byte{seed}, Touchpoints: file.Touchpoints, From: until.AddDate(-Years, 0, 0), Until: until, Zone: zone}
}

func TestTheSameSeedGivesTheSameHistory(t *testing.T) {
	h := history(t, 1)
	all := h.Asks()
	if !reflect.DeepEqual(all, h.Asks()) { // of so many, cmp.Diff would take seconds
		t.Fatal("the second time differs")
	}
	// What is made up for one touchpoint does not hang on the others.
	var nps []*survey.Ask
	for _, a := range all {
		if a.Touchpoint == "shop-nps" {
			nps = append(nps, a)
		}
	}
	h.Touchpoints = slices.DeleteFunc(h.Touchpoints, func(t *survey.Touchpoint) bool { return t.ID != "shop-nps" })
	if !reflect.DeepEqual(nps, h.Asks()) {
		t.Error("alone, shop-nps differs")
	}
	h.Touchpoints[0].Metric = survey.CSAT
	if got := h.Asks(); len(got) > 0 {
		t.Errorf("%d asks of a touchpoint that is not what it was", len(got))
	}
	other := history(t, 2).Asks()
	if other[0].ID == all[0].ID || len(other) == len(all) {
		t.Error("another seed gives the same history")
	}
}

// TestEveryAskCouldHaveHappened holds the asks to what the store makes of the
// steps that lead to them.
func TestEveryAskCouldHaveHappened(t *testing.T) {
	h := history(t, 1)
	byID := map[string]*survey.Touchpoint{}
	for _, tp := range h.Touchpoints {
		byID[tp.ID] = tp
	}
	ids := map[string]bool{}
	answered, comments := 0, 0
	locales := map[string]int{}
	for i, a := range h.Asks() {
		problem := func() string {
			tp := byID[a.Touchpoint]
			switch {
			case ids[a.ID] || !a.Demo || !slices.Contains(tp.Channels, a.Channel) || !slices.IsSorted(a.Segments):
				return "an id twice, not marked, not by a channel of the touchpoint, or segments not in order"
			case a.AskedAt.Before(h.From):
				return "before the beginning"
			}
			for _, at := range []time.Time{a.AskedAt, a.SentAt, a.DeliveredAt, a.BouncedAt, a.AnsweredAt, a.EditedAt} {
				if !at.Before(h.Until) || at != at.UTC().Truncate(time.Millisecond) {
					return "after the end, or not of the form of the store"
				}
			}
			if a.SentAt.IsZero() {
				v := survey.Vote{ID: a.ID, Score: a.Score, Comment: &a.Comment, Channel: a.Channel, Locale: a.Locale, Page: a.Page, Attrs: a.Attrs}
				if err := v.Check(tp); err != nil || v.Comment == nil || *v.Comment != a.Comment || !slices.Equal(tp.SegmentsOf(a.Attrs), a.Segments) {
					return fmt.Sprint("no vote: ", err)
				}
				return ""
			}
			if !a.Answered() {
				return ""
			}
			sent := *a
			sent.Trust, sent.AnsweredAt = "", time.Time{}
			via := survey.ViaHuman
			if a.Trust != survey.Human {
				via = survey.Auto
			}
			_, trust, err := sent.Decide(survey.Answer{Score: a.Score, Via: via}, a.AnsweredAt)
			if err != nil || trust != a.Trust || a.Comment != "" && trust != survey.Human {
				return fmt.Sprintf("no answer: it would be %s, %v", trust, err)
			}
			return ""
		}()
		if problem != "" {
			t.Fatalf("ask %d is %s: %+v", i, problem, a)
		}
		ids[a.ID] = true
		if a.Counted() {
			answered++
		}
		if a.Comment != "" {
			comments++
			locales[a.Locale]++
		}
	}
	if len(ids) < 20000 || len(ids) > 40000 {
		t.Errorf("%d asks", len(ids))
	}
	if share := float64(comments) / float64(answered); share < .2 || share > .3 {
		t.Errorf("%.0f %% of answers have a comment", 100*share)
	}
	if locales["fi"] < 300 || locales["sv"] < 100 || locales["en"] < 100 {
		t.Errorf("comments by language: %v", locales)
	}
}

// tallies returns the answers of a touchpoint before and after a time, within so
// many days of it.
func tallies(all []*survey.Ask, touchpoint, segment string, at time.Time, days int) (before, after score.Tally) {
	for _, a := range all {
		if a.Touchpoint != touchpoint || !a.Counted() || segment != "" && !slices.Contains(a.Segments, segment) {
			continue
		}
		switch d := a.AnsweredAt.Sub(at).Hours() / 24; {
		case -float64(days) <= d && d < 0:
			before.Scores[a.Score]++
		case 0 <= d && d < float64(days):
			after.Scores[a.Score]++
		}
	}
	return before, after
}

// TestWhatWasPlantedCanBeFound looks for the causes where a reader of the
// results would, in several histories.
func TestWhatWasPlantedCanBeFound(t *testing.T) {
	for seed := range byte(2) {
		h := history(t, seed)
		all := h.Asks()
		events := h.Events()
		checkout, rise := events[0].At, events[1].At
		change := func(m survey.Metric, before, after score.Tally) (by float64, real bool) {
			t.Helper()
			b, _ := score.Score(m, before)
			a, _ := score.Score(m, after)
			low, high, _ := score.Interval(m, before)
			return a - b, a < low || a > high
		}
		before, after := tallies(all, "shop-checkout", "", checkout, 90)
		if by, real := change(survey.CES, before, after); by < .3 || !real {
			t.Errorf("seed %d: the new checkout makes ordering easier by %.1f, real: %t", seed, by, real)
		}
		before, after = tallies(all, "shop-nps", "plan=basic", rise, 110)
		if by, real := change(survey.NPS, before, after); by > -8 || !real {
			t.Errorf("seed %d: the price rise changes the basic plan's NPS by %.1f, real: %t", seed, by, real)
		}
		said := func(words []string, from, to time.Time) (n int) {
			for _, a := range all {
				in := !a.AnsweredAt.Before(from) && a.AnsweredAt.Before(to)
				if in && a.Locale == "fi" && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(a.Comment), w) }) {
					n++
				}
			}
			return n
		}
		day := 24 * time.Hour
		if was, is := said([]string{"korotu", "nous", "kalli"}, rise.Add(-60*day), rise), said([]string{"korotu", "nous", "kalli"}, rise, rise.Add(60*day)); is < 2*was || is < 20 {
			t.Errorf("seed %d: the price is told of %d times before its rise and %d after", seed, was, is)
		}
		complaints := []string{"kaatui", "läpi", "rekisteröity", "kahteen kertaan", "alennuskoodi", "sekava"}
		if was, is := said(complaints, checkout.Add(-90*day), checkout), said(complaints, checkout, checkout.Add(90*day)); is*3 > was || was < 10 {
			t.Errorf("seed %d: the checkout is complained of %d times before the new one and %d after", seed, was, is)
		}
		var sent, delivered, answers float64
		for _, a := range all {
			if !a.SentAt.IsZero() {
				sent++
				if a.BouncedAt.IsZero() && !a.DeliveredAt.IsZero() {
					delivered++
				}
				if a.Counted() {
					answers++
				}
			}
		}
		if rate := answers / delivered; delivered/sent < .95 || delivered == sent || math.Abs(rate-.31) > .06 {
			t.Errorf("seed %d: %.0f %% delivered, of those %.0f %% answered", seed, 100*delivered/sent, 100*rate)
		}
	}
}
