package topology_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/pulssi/pulssi/shared/topology"
)

// TestFunctionsAreTheirFolders holds the list to the folders that are compiled.
func TestFunctionsAreTheirFolders(t *testing.T) {
	programs, err := filepath.Glob("../../functions/*/lambda/main.go")
	if err != nil {
		t.Fatal(err)
	}
	var folders []topology.Function
	for _, p := range programs {
		folders = append(folders, topology.Function(filepath.Base(filepath.Dir(filepath.Dir(p)))))
	}
	functions := topology.Functions()
	slices.Sort(functions)
	if !slices.Equal(folders, functions) {
		t.Errorf("the functions are %q, their folders %q", functions, folders)
	}
}

func TestRoutes(t *testing.T) {
	seen := map[string]bool{}
	reached := map[topology.Function]bool{}
	for _, r := range topology.Routes() {
		key := r.Method + " " + r.Path
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		reached[r.Function] = true
		if !slices.Contains(topology.Functions(), r.Function) {
			t.Errorf("%s leads to %q, which is no function", key, r.Function)
		}
	}
	for _, s := range topology.Streams() {
		reached[s.Function] = true
	}
	for _, q := range topology.Queues() {
		reached[q.Function] = true
	}
	for _, f := range []topology.Function{topology.TickFunction, topology.EventFunction, topology.NoticeFunction, topology.ReplyFunction, topology.PublishFunction} {
		reached[f] = true
	}
	for _, f := range topology.Functions() {
		if !reached[f] {
			t.Errorf("nothing ever invokes %s", f)
		}
	}
}

// TestNothingChangesTheAuditLog holds the audit log to what is written once: one
// function adds to it and reads it.
func TestNothingChangesTheAuditLog(t *testing.T) {
	var has []topology.Access
	for _, a := range topology.Accesses() {
		if a.Table.Name == topology.Audit.Name {
			has = append(has, a)
		}
	}
	if len(has) != 1 || has[0].Function != topology.Results || !slices.Equal(has[0].Actions, []topology.Action{topology.PutItem, topology.Query}) {
		t.Errorf("the audit log is granted by %+v", has)
	}
}

// TestTables holds the tables to what DynamoDB takes: an attribute that is a
// key has one type, and an index has a key of its own.
func TestTables(t *testing.T) {
	seen := map[string]bool{}
	for _, table := range topology.Tables() {
		if seen[table.Name] {
			t.Errorf("table %s is there twice", table.Name)
		}
		seen[table.Name] = true
		types := map[string]topology.AttributeType{}
		keys := []topology.Attribute{table.Hash, table.Range}
		indexes := map[string]bool{}
		for _, ix := range table.Indexes {
			if indexes[ix.Name] || ix.Hash.Name == "" {
				t.Errorf("table %s: index %q is there twice or has no key", table.Name, ix.Name)
			}
			indexes[ix.Name] = true
			keys = append(keys, ix.Hash, ix.Range)
		}
		for _, a := range keys {
			if had, ok := types[a.Name]; ok && had != a.Type {
				t.Errorf("table %s: %s is a %s and a %s", table.Name, a.Name, had, a.Type)
			}
			types[a.Name] = a.Type
		}
		if table.Hash.Name == "" {
			t.Errorf("table %s has no key", table.Name)
		}
	}
}

// TestStreams holds the mappings to what Lambda takes and counting relies on.
func TestStreams(t *testing.T) {
	const recordsLive = 24 * 3600 // how long a DynamoDB stream keeps a record, in seconds
	for _, s := range topology.Streams() {
		name := s.Table.Name + " to " + string(s.Function)
		if !s.Table.Stream {
			t.Errorf("%s: the table has no stream", name)
		}
		if s.Batch < 1 || s.Batch > 10_000 || s.BatchingSeconds < 0 || s.BatchingSeconds > 300 || s.Batch > 10 && s.BatchingSeconds == 0 {
			t.Errorf("%s: Lambda takes no batch of %d in %d s", name, s.Batch, s.BatchingSeconds)
		}
		if s.WindowSeconds < 1 || s.WindowSeconds > 900 {
			t.Errorf("%s: a window of %d s: without one of 1 to 900 the shard is not told", name, s.WindowSeconds)
		}
		if s.MaxAgeSeconds < 60 || s.MaxAgeSeconds >= recordsLive {
			t.Errorf("%s: a record of %d s: it must reach the queue before the stream drops it", name, s.MaxAgeSeconds)
		}
		if s.Retries < 0 || s.Retries > 10_000 {
			t.Errorf("%s: Lambda takes no %d retries", name, s.Retries)
		}
		if s.Parallel != 1 {
			t.Errorf("%s: %d batches of a shard at once: counting relies on their order", name, s.Parallel)
		}
	}
}

func TestAccesses(t *testing.T) {
	type subject struct {
		function topology.Function
		table    string
		index    bool
	}
	seen := map[subject]bool{}
	known := map[string]bool{}
	for _, table := range topology.Tables() {
		known[table.Name] = true
	}
	for _, a := range topology.Accesses() {
		p := subject{a.Function, a.Table.Name, a.Index}
		if seen[p] {
			t.Errorf("the access of %s to %s is there twice", p.function, p.table)
		}
		seen[p] = true
		if !slices.Contains(topology.Functions(), a.Function) || !known[a.Table.Name] {
			t.Errorf("%s or %s is not known", p.function, p.table)
		}
		if len(a.Actions) == 0 || a.Index && len(a.Table.Indexes) == 0 {
			t.Errorf("the access of %s to %s allows nothing, or indexes that are not there", p.function, p.table)
		}
	}
}

// TestQueues holds the queues to what SQS and Lambda take: a message comes again
// after the invocation that had it is over.
func TestQueues(t *testing.T) {
	seen := map[string]bool{topology.RefusedEvents: true}
	for _, q := range topology.Queues() {
		for _, name := range []string{q.Name, q.Failed()} {
			if seen[name] {
				t.Errorf("queue %s is there twice", name)
			}
			seen[name] = true
		}
		if q.Batch < 1 || q.Batch > 10 || q.VisibilitySeconds < 30 || q.VisibilitySeconds > 12*3600 {
			t.Errorf("queue %s: batch %d, visibility %d s", q.Name, q.Batch, q.VisibilitySeconds)
		}
		if q.Receives < 1 || q.Receives > 1000 || q.Concurrency == 1 || q.Concurrency > 1000 {
			t.Errorf("queue %s: %d receives, concurrency %d", q.Name, q.Receives, q.Concurrency)
		}
		if !slices.Contains(topology.Functions(), q.Function) {
			t.Errorf("queue %s leads to %q", q.Name, q.Function)
		}
	}
	for f, names := range topology.Senders() {
		for _, n := range names {
			if !seen[n] || !slices.Contains(topology.Functions(), f) {
				t.Errorf("%s sends to %s", f, n)
			}
		}
	}
}
