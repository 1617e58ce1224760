package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/survey"
)

// memory is a store of touchpoints and rules, and an audit log. What it has of a
// touchpoint is its versions. It takes a write once that is recorded.
type memory struct {
	all   []*survey.Touchpoint
	rules survey.Rules

	entries []survey.AuditEntry
	down    error // of the log
	wrote   int
}

func (m *memory) Record(_ context.Context, d survey.AuditEntry) error {
	if m.down != nil {
		return m.down
	}
	m.entries = append(m.entries, d)
	return d.Check()
}

// written returns an error where a write is not recorded.
func (m *memory) written() error {
	if m.wrote++; len(m.entries) != m.wrote {
		return fmt.Errorf("write %d comes when %d are recorded", m.wrote, len(m.entries))
	}
	return nil
}

func (m *memory) Touchpoints(context.Context) ([]*survey.Touchpoint, error) { return m.all, nil }

func (m *memory) PutTouchpoint(_ context.Context, _, t *survey.Touchpoint) error {
	m.all = append(m.all, t)
	return m.written()
}

func (m *memory) Rules(context.Context) (survey.Rules, error) { return m.rules.Complete(), nil }

func (m *memory) PutRules(_ context.Context, _, r survey.Rules) error {
	m.rules = r
	m.rules.Version++
	return m.written()
}

// open returns a deployment whose clock has been moved into 2027.
func (m *memory) open(context.Context) (deployment, error) {
	now := func() time.Time { return time.Date(2027, 8, 2, 9, 0, 0, 0, time.UTC) }
	by := func(context.Context) (operator.Operator, error) {
		return operator.Operator{Name: "local:maija", Log: m, Now: now}, nil
	}
	return deployment{m, "the test", now, by}, nil
}

const file = `locales: [en]
touchpoints:
  - {id: shop, phase: after, metric: nps, channels: [link], name: {en: Shop}, question: {en: "Would you recommend us?"}}
`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	for path, text := range map[string]string{good: file, bad: strings.Replace(file, "nps", "stars", 1)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name   string
		args   []string
		person io.Reader
		writes int
		out    string // part of it
		err    string
	}{
		{"yes", []string{"--yes", good}, nil, 1, "Wrote 1.", ""},
		{"a person says yes", []string{good}, strings.NewReader("y\n"), 1, "Write this? [y/N] ", ""},
		{"a person says no", []string{good}, strings.NewReader("n\n"), 0, "Nothing was written.", ""},
		{"a person says nothing", []string{good}, strings.NewReader("\n"), 0, "Nothing was written.", ""},
		{"nobody answers", []string{good}, strings.NewReader(""), 0, "Write this? [y/N] ", errNotAsked.Error()}, // /dev/null
		{"nobody to ask", []string{good}, nil, 0, "+ shop: create, nps, after", errNotAsked.Error()},
		{"mistakes", []string{"-yes", bad}, nil, 0, "", bad + ":3: touchpoints[0].metric must be one of nps, csat, ces, ces5, smiley, thumbs"},
		{"a refused keep-series", []string{"-yes", "-keep-series", "shop", good}, nil, 0, "", "keep-series shop: the touchpoint is new"},
		{"no file", []string{"-yes"}, nil, 0, "usage: apply", "name one file, after the flags"},
		{"flags after the file", []string{good, "-yes"}, nil, 0, "usage: apply", "name one file, after the flags"},
		{"help", []string{"-help"}, nil, 0, "usage: apply", flag.ErrHelp.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &memory{}
			var out strings.Builder
			err := run(t.Context(), tt.args, tt.person, &out, m.open)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || err.Error() != tt.err) {
				t.Errorf("error %v, want %s", err, tt.err)
			}
			if len(m.all) != tt.writes || len(m.entries) != tt.writes || !strings.Contains(out.String(), tt.out) {
				t.Errorf("%d writes, %d recorded, %s", len(m.all), len(m.entries), out.String())
			}
			for _, d := range m.entries {
				if d.Who != "local:maija" || d.Role != survey.Operator || d.Action != survey.TouchpointPut || d.Subject != "shop" || d.Before != nil || !strings.Contains(string(d.After), `"metric":"nps"`) {
					t.Errorf("the log has %+v", d)
				}
			}
		})
	}
	t.Run("nothing to do", func(t *testing.T) {
		m := &memory{}
		for range 2 { // the second has nobody to ask, and nothing to ask
			var out strings.Builder
			args := []string{good}
			if len(m.all) == 0 {
				args = []string{"-yes", good}
			}
			if err := run(t.Context(), args, nil, &out, m.open); err != nil || len(m.all) != 1 {
				t.Errorf("%v, %d writes: %s", err, len(m.all), out.String())
			}
		}
	})
	t.Run("the rules of asking", func(t *testing.T) {
		path := filepath.Join(dir, "rules.yaml")
		if err := os.WriteFile(path, []byte("asking: {rest: 14d}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		m := &memory{}
		var out strings.Builder
		if err := run(t.Context(), []string{"-yes", path}, nil, &out, m.open); err != nil {
			t.Fatal(err)
		}
		if m.rules.Version != 1 || m.rules.Rest.String() != "14d" || !strings.Contains(out.String(), `rest: "30d" -> "14d"`) || !strings.Contains(out.String(), "Wrote 1.") {
			t.Errorf("%+v: %s", m.rules, out.String())
		}
		if d := m.entries[0]; d.Action != survey.RulesPut || !strings.Contains(string(d.Before), `"rest":"30d"`) || !strings.Contains(string(d.After), `"rest":"14d"`) {
			t.Errorf("the log has %s before, %s after", d.Before, d.After)
		}
	})
	t.Run("no log", func(t *testing.T) {
		m := &memory{down: errors.New("down")}
		if err := run(t.Context(), []string{"-yes", good}, nil, io.Discard, m.open); !errors.Is(err, m.down) || len(m.all) > 0 {
			t.Errorf("%v, %d writes", err, len(m.all))
		}
	})
	t.Run("by the deployment's clock", func(t *testing.T) {
		path := filepath.Join(dir, "cadence.yaml")
		if err := os.WriteFile(path, []byte(strings.Replace(file, "[link]", "[email], trigger: {every: quarter}", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := run(t.Context(), []string{"-yes", path}, nil, &out, (&memory{}).open); err != nil || !strings.Contains(out.String(), "past in 2027Q3") {
			t.Errorf("%v: %s", err, out.String())
		}
	})
	t.Run("no store", func(t *testing.T) {
		lost := errors.New("no tables to work on")
		err := run(t.Context(), []string{good}, nil, io.Discard, func(context.Context) (deployment, error) { return deployment{}, lost })
		if !errors.Is(err, lost) {
			t.Errorf("got %v", err)
		}
	})
}

func TestStopAndStart(t *testing.T) {
	stopped := &survey.Touchpoint{ID: "stopped", Version: 4, Series: 2, Stopped: true}
	asks := &survey.Touchpoint{ID: "asks", Version: 7, Series: 3}
	for _, tt := range []struct {
		name    string
		args    []string
		becomes *survey.Touchpoint // nil for nothing
		out     string             // part of it
		err     string
	}{
		{"stop", []string{"-stop", "asks"}, &survey.Touchpoint{ID: "asks", Version: 8, Series: 3, Stopped: true}, "asks is stopped (version 8); ", ""},
		{"start", []string{"-start", "stopped"}, &survey.Touchpoint{ID: "stopped", Version: 5, Series: 2}, "stopped asks again (version 5); ", ""},
		{"stop again", []string{"-stop", "stopped"}, nil, "stopped is stopped already.\n", ""},
		{"start again", []string{"-start", "asks"}, nil, "asks is not stopped.\n", ""},
		{"one that is not there", []string{"-stop", "shop"}, nil, "", "there is no touchpoint shop; there are stopped, asks"},
		{"both", []string{"-stop", "asks", "-start", "stopped"}, nil, "usage: apply", "stop and start go alone, without a file and other flags"},
		{"with a file", []string{"-stop", "asks", "file.yaml"}, nil, "usage: apply", "stop and start go alone, without a file and other flags"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &memory{all: []*survey.Touchpoint{stopped, asks}}
			var out strings.Builder
			err := run(t.Context(), tt.args, nil, &out, m.open)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || err.Error() != tt.err) {
				t.Errorf("error %v, want %s", err, tt.err)
			}
			if !strings.Contains(out.String(), tt.out) {
				t.Errorf("%s", out.String())
			}
			switch written := m.all[2:]; {
			case tt.becomes == nil && len(written) != 0:
				t.Errorf("wrote %+v", written[0])
			case tt.becomes != nil && (len(written) != 1 || !reflect.DeepEqual(written[0], tt.becomes)):
				t.Errorf("wrote %+v", written)
			case tt.becomes != nil && m.entries[0].Action != map[bool]survey.Action{true: survey.TouchpointStop, false: survey.TouchpointStart}[tt.becomes.Stopped]:
				t.Errorf("the log has %+v", m.entries)
			}
		})
	}
	if !stopped.Stopped || asks.Stopped {
		t.Error("a stored definition was changed in place")
	}
	empty := (&memory{}).open
	if err := run(t.Context(), []string{"-stop", "shop"}, nil, io.Discard, empty); err == nil || err.Error() != "there is no touchpoint shop; there are none" {
		t.Errorf("%v", err)
	}
}
