package touchpoints

import (
	"fmt"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/revision"
)

// note adds the notes of a plan, which say what its changes do to those who are
// asked. was are the rules so far.
func (p *Plan) note(was *asking.Rulebook, now time.Time) {
	becomes := was
	if p.Asking.writes() {
		becomes = asking.NewRulebook(p.Asking.Becomes)
	}
	var moved []string
	for i := range p.Steps {
		s := &p.Steps[i]
		old, t := s.Was, s.Becomes
		if t == nil {
			t = old // left alone
		}
		if s.writes() {
			s.Notes = revision.Notes(old, t, was, becomes, now)
		}
		if old != nil && revision.TurnsMove(old, old, was, becomes, now) && (!s.writes() || revision.SameTurns(old, t)) {
			moved = append(moved, fmt.Sprintf("%s in %s", t.ID, asking.PeriodOf(t.Trigger.Every, now).Occasion()))
		}
	}
	if len(moved) > 0 {
		p.Asking.Notes = append(p.Asking.Notes, "moves the turns of "+strings.Join(moved, ", ")+": "+revision.OnceMore)
	}
}
