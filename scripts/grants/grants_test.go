package grants

import (
	"io/fs"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/testkit/checkout"
	"github.com/pulssi/pulssi/shared/topology"
)

// TestGrants has every function do its work, and holds what it may do to what it
// did. Then it takes away each grant, and adds one that nobody needs, and wants
// both to be found.
func TestGrants(t *testing.T) {
	d := deployed(t)
	functions, err := d.functions()
	if err != nil {
		t.Fatal(err)
	}
	watchSources(t)
	var mu sync.Mutex
	var calls []call
	var granted []grant
	var names []topology.Function
	sender := &mail.Address{}
	for _, f := range functions {
		names = append(names, f.name)
		granted = append(granted, f.grants...)
		if from := f.environment[config.Sender]; from != "" {
			if sender, err = mail.ParseAddress(from); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := topology.Functions()
	slices.Sort(want)
	if diff := cmp.Diff(names, want); diff != "" {
		t.Fatalf("the functions of the templates: -have +want\n%s", diff)
	}
	furnish(t, d, sender.Address)
	t.Run("functions", func(t *testing.T) {
		for _, f := range functions {
			t.Run(string(f.name), func(t *testing.T) {
				t.Parallel()
				work := scenarios[f.name]
				if work == nil {
					t.Fatal("nothing is known of its work: say so in scenarios")
				}
				w := newWorld(t, d, f)
				work(w)
				done, err := w.recorder.recorded()
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				calls = append(calls, done...)
			})
		}
	})
	for _, difference := range compare(calls, granted, exceptions()) {
		t.Error(difference)
	}
	if t.Failed() {
		return
	}
	t.Run("a grant is missing", func(t *testing.T) {
		for i, g := range granted {
			fewer := slices.Delete(slices.Clone(granted), i, i+1)
			if all := compare(calls, fewer, exceptions()); !name(all, g) {
				t.Errorf("without what %s, this is found: %q", g, all)
			}
		}
	})
	t.Run("a grant is not needed", func(t *testing.T) {
		for _, f := range functions {
			unused := grant{function: f.name, action: "dynamodb:DeleteTable", resource: d.table(d.prefix + topology.Responses.Name)}
			if all := compare(calls, append(slices.Clone(granted), unused), exceptions()); !name(all, unused) {
				t.Errorf("where %s, this is found: %q", unused, all)
			}
		}
	})
}

// name reports whether there are differences, and all of them name the function
// and the action of a grant.
func name(differences []string, g grant) bool {
	return len(differences) > 0 && !slices.ContainsFunc(differences, func(d string) bool {
		return !strings.HasPrefix(d, string(g.function)+" ") || !strings.Contains(d, " "+g.action+" ")
	})
}

// watchSources opens every folder of the functions' sources: go test takes a
// result from its cache until something changes that the test itself has opened,
// and the functions are compiled by another process.
func watchSources(t *testing.T) {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, top := range []string{"events", "functions", "shared"} {
		if err := filepath.WalkDir(filepath.Join(root, top), func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCompare(t *testing.T) {
	const table = "arn:aws:dynamodb:eu-north-1:123456789012:table/"
	calls := []call{
		{function: "plan", action: "dynamodb:Query", resource: table + "contacts/index/byCohort"},
		{function: "plan", action: "events:PutEvents", resource: "bus", with: condition{"events:source", "pulssi.api"}},
		{function: "plan", action: "sns:Publish", resource: "+358401234567"},
	}
	grants := []grant{
		{function: "plan", action: "dynamodb:Query", resource: table + "contacts/index/*"},
		{function: "plan", action: "events:PutEvents", resource: "bus", only: condition{"events:source", "pulssi.api"}},
		{function: "plan", action: "sns:Publish", resource: "arn:aws:sns:*:*:*", but: true},
		{function: "plan", action: "logs:PutLogEvents", resource: "log"},
	}
	exceptions := []exception{{"plan", "logs:PutLogEvents", "l?g", "Lambda writes the log"}}
	for _, c := range []struct {
		name   string
		change func(calls []call, grants []grant, exceptions []exception) ([]call, []grant, []exception)
		want   []string
	}{
		{"nothing", func(c []call, g []grant, e []exception) ([]call, []grant, []exception) { return c, g, e }, nil},
		{"a call of the table instead of its index", func(c []call, g []grant, e []exception) ([]call, []grant, []exception) {
			return append(c, call{function: "plan", action: "dynamodb:Query", resource: table + "contacts"}), g, e
		}, []string{"plan calls dynamodb:Query on " + table + "contacts, which is not granted"}},
		{"a call of another function", func(c []call, g []grant, e []exception) ([]call, []grant, []exception) {
			return append(c, call{function: "send", action: "sns:Publish", resource: "+358401234567"}), g, e
		}, []string{"send calls sns:Publish on +358401234567, which is not granted"}},
		{"a call of what is left out", func(c []call, g []grant, e []exception) ([]call, []grant, []exception) {
			return append(c, call{function: "plan", action: "sns:Publish", resource: "arn:aws:sns:eu-north-1:123456789012:alarms"}), g, e
		}, []string{"plan calls sns:Publish on arn:aws:sns:eu-north-1:123456789012:alarms, which is not granted"}},
		{"a call that does not meet the condition", func(c []call, g []grant, e []exception) ([]call, []grant, []exception) {
			return append(c, call{function: "plan", action: "events:PutEvents", resource: "bus", with: condition{"events:source", "pulssi"}}), g, e
		}, []string{"plan calls events:PutEvents on bus, which is not granted where events:source is pulssi"}},
		{"a resource that nobody touches", func(c []call, g []grant, e []exception) ([]call, []grant, []exception) {
			return c, append(g, grant{function: "plan", action: "dynamodb:Query", resource: table + "contacts"}), e
		}, []string{"plan is granted dynamodb:Query on " + table + "contacts and never calls it"}},
		{"several actions at once", func(c []call, g []grant, e []exception) ([]call, []grant, []exception) {
			g[0].action = "dynamodb:*"
			return c, g, e
		}, []string{"plan is granted dynamodb:* on " + table + "contacts/index/*, which is more than one action"}},
		{"an exception of what is called", func(c []call, g []grant, e []exception) ([]call, []grant, []exception) {
			return append(c, call{function: "plan", action: "logs:PutLogEvents", resource: "log"}), g, e
		}, []string{"plan has an exception for logs:PutLogEvents on l?g, which is not granted or is called (Lambda writes the log)"}},
		{"an exception of another resource", func(c []call, g []grant, e []exception) ([]call, []grant, []exception) {
			g[3].resource = "another log"
			return c, g, e
		}, []string{
			"plan has an exception for logs:PutLogEvents on l?g, which is not granted or is called (Lambda writes the log)",
			"plan is granted logs:PutLogEvents on another log and never calls it",
		}},
	} {
		got := compare(c.change(slices.Clone(calls), slices.Clone(grants), slices.Clone(exceptions)))
		if diff := cmp.Diff(got, c.want); diff != "" {
			t.Errorf("%s: -got +want\n%s", c.name, diff)
		}
	}
}
