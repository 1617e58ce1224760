package demo

import (
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/testkit"
)

func TestPace(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	p := NewPace(clock.Now)
	for _, step := range []struct {
		done, of int
		want     string
	}{
		{100, 400, "100 of 400, 25 %"},
		{200, 400, "200 of 400, 50 %, 20s left"},
		{399, 400, "399 of 400, 99 %, 0s left"},
		{400, 400, "400 of 400, 100 %"},
	} {
		p.Note(step.done, step.of)
		if got := p.String(); got != step.want {
			t.Errorf("%q, want %q", got, step.want)
		}
		clock.Move(10 * time.Second)
	}
	if p := NewPace(clock.Now); p.Percent() != 0 {
		t.Errorf("%d %% before anything is noted", p.Percent())
	}
}
