package service

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

func TestAJourney(t *testing.T) {
	begun, goOn := make(chan struct{}, 100), make(chan struct{})
	r := run(t, functions{plan: func(ctx context.Context, _ json.RawMessage) error {
		begun <- struct{}{}
		select {
		case <-goOn:
		case <-ctx.Done():
		}
		return nil
	}})
	j := NewJourney(r.Services)
	if p := j.Progress(); p.Moving || !p.From.IsZero() || !p.Now.Equal(start) {
		t.Errorf("before the first move: %+v", p)
	}
	j.Stop() // nothing to stop
	for _, to := range []time.Time{start.AddDate(50, 0, 0), start.Add(-time.Hour)} {
		if err := j.Begin(to); survey.CodeOf(err) != survey.Invalid {
			t.Errorf("moving to %s: %v", to, err)
		}
	}
	to := start.Add(48 * time.Hour)
	if err := j.Begin(to); err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := j.Begin(to); survey.CodeOf(err) != survey.Conflict {
		t.Errorf("a second move at the same time: %v", err)
	}
	if p := j.Progress(); !p.Moving || !p.From.Equal(start) || !p.To.Equal(to) || !p.Now.Equal(start.Add(30*time.Minute)) {
		t.Errorf("on the way: %+v", p)
	}
	stopped := make(chan struct{})
	go func() { j.Stop(); close(stopped) }()
	<-stopped
	if p := j.Progress(); p.Moving || p.Err != "stopped on the way" || !p.Now.Equal(start.Add(30*time.Minute)) {
		t.Errorf("after the stop: %+v", p)
	}
	close(goOn)
	if err := j.Begin(to); err != nil {
		t.Fatal(err)
	}
	<-j.over
	if p := j.Progress(); p.Moving || p.Err != "" || !p.Now.Equal(to) {
		t.Errorf("at the end: %+v", p)
	}
}
