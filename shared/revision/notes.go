package revision

import (
	"fmt"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/survey"
)

// OnceMore is what planning does where turns move in the middle of a period.
const OnceMore = "nobody is asked twice, and who has a day that is past by now, and was not asked, is asked at once"

// Notes say what a changed definition, nil for one that is not there yet, does
// to those who are asked. was are the rules of asking so far and becomes those
// to come, of which the notes are about the periods of now.
func Notes(old, t *survey.Touchpoint, was, becomes *asking.Rulebook, now time.Time) []string {
	var out []string
	inCadence := func(t *survey.Touchpoint) bool { return t != nil && t.Trigger != nil && t.Trigger.Every != "" }
	byEvent := func(t *survey.Touchpoint) bool { return t != nil && t.Trigger != nil && t.Trigger.Event != "" }
	switch {
	case inCadence(old) && inCadence(t) && old.Trigger.Every == t.Trigger.Every:
		if !SameTurns(old, t) && TurnsMove(old, t, was, becomes, now) {
			out = append(out, fmt.Sprintf("turns move from %s to %s; in %s %s", cadenceWords(old.Trigger), cadenceWords(t.Trigger), period(t, now).Occasion(), OnceMore))
		}
	case inCadence(old) && inCadence(t):
		out = append(out, fmt.Sprintf("turns move from %s to %s, from now on: those that are past in %s are left out", cadenceWords(old.Trigger), cadenceWords(t.Trigger), period(t, now).Occasion()))
	case inCadence(t):
		out = append(out, fmt.Sprintf("turns begin: %s, from now on; those that are past in %s are left out", cadenceWords(t.Trigger), period(t, now).Occasion()))
	case inCadence(old):
		out = append(out, "turns end: nobody is asked "+every(old.Trigger)+" any more")
	}
	if byEvent(old) && (!byEvent(t) || t.Trigger.Event != old.Trigger.Event) {
		out = append(out, "nobody is asked after "+old.Trigger.Event+" any more, not even who is in the queue")
	}
	if stopped := old != nil && old.Stopped; stopped != t.Stopped {
		out = append(out, map[bool]string{true: "nobody is asked from now on, not even who is in the queue", false: "asking goes on; what was refused meanwhile is not made up for"}[t.Stopped])
	}
	rules := becomes.Rules()
	if t.Trigger == nil {
		return out
	}
	if h, ok := t.Trigger.SendHour(); ok && rules.Quiet.Covers(h) {
		out = append(out, fmt.Sprintf("%d is a quiet hour: asks are sent at %d", h, rules.Quiet.To))
	}
	if longest := t.Trigger.Every.Rest(); inCadence(t) && max(t.RecontactAfter(rules), t.RestAfter(rules)) > longest {
		out = append(out, fmt.Sprintf("a recontact or rest of more than %s takes turns away: not everybody is asked %s", survey.Span(longest), every(t.Trigger)))
	}
	return out
}

// SameTurns reports whether two definitions have the same turns under the same
// rules, as far as their triggers say.
func SameTurns(a, b *survey.Touchpoint) bool {
	return a.Trigger != nil && b.Trigger != nil && a.Trigger.Every == b.Trigger.Every && cadenceWords(a.Trigger) == cadenceWords(b.Trigger)
}

// TurnsMove reports whether the turns of a cadence fall otherwise in its present
// period than they did.
func TurnsMove(old, t *survey.Touchpoint, was, becomes *asking.Rulebook, now time.Time) bool {
	p := period(t, now)
	return was.Days(old, p) != becomes.Days(t, p)
}

// period returns the present period of a touchpoint.
func period(t *survey.Touchpoint, now time.Time) asking.Period {
	if t.Trigger == nil {
		return asking.Period{}
	}
	return asking.PeriodOf(t.Trigger.Every, now)
}

func every(g *survey.Trigger) string { return "every " + string(g.Every) }

// cadenceWords writes when a cadence asks.
func cadenceWords(g *survey.Trigger) string {
	who := "in turns"
	if !g.Spreads() {
		on := g.On
		if on == "" {
			on = "its first day"
		}
		who = "everyone on " + on
	}
	var days []string
	for i := range 7 {
		d := time.Weekday((i + 1) % 7) // from Monday
		if g.SendsOn(d) {
			days = append(days, d.String()[:3])
		}
	}
	hour, _ := g.SendHour()
	return fmt.Sprintf("%s (%s, %s, at %d)", every(g), who, strings.Join(days, " "), hour)
}
