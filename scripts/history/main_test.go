package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

func TestRun(t *testing.T) {
	tables := testkit.NewTables(t)
	t.Setenv(config.TablePrefix, tables.Config.TablePrefix)
	t.Setenv(config.DynamoDBEndpoint, tables.Config.DynamoDBEndpoint)
	a := testkit.NewAsk(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	a.Demo = true
	if err := tables.Store.CreateAsk(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-remove"}, &out); err != nil || !strings.Contains(out.String(), "1 of 1, 100 %") {
		t.Errorf("%v, %q", err, out.String())
	}
	if _, err := tables.Store.Ask(t.Context(), a.ID); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("%v, want that the ask is gone", err)
	}
	if err := run(t.Context(), nil, &out); survey.CodeOf(err) != survey.Invalid {
		t.Errorf("%v, want that there is no touchpoint to fill", err)
	}
	log, _, err := tables.Store.AuditEntries(t.Context(), store.AuditQuery{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), Limit: 10})
	if err != nil || len(log) != 3 || log[0].Of != log[1].ID || log[1].Action != survey.HistoryFill || log[2].Action != survey.HistoryRemove {
		t.Errorf("%v, the log has %+v", err, log)
	}
	if has, err := tables.Store.HasDemo(t.Context()); err != nil || has {
		t.Errorf("demo data were begun: %t, %v", has, err)
	}
	if err := run(t.Context(), []string{"all"}, &out); err == nil {
		t.Error("an argument is taken")
	}
}

func TestNothingIsFilledInAWS(t *testing.T) {
	t.Setenv(config.TablePrefix, "prod-")
	t.Setenv(config.DynamoDBEndpoint, "")
	t.Setenv("AWS_REGION", "eu-north-1")
	if err := run(t.Context(), nil, &bytes.Buffer{}); !errors.Is(err, errInAWS) {
		t.Errorf("%v, want that it is refused", err)
	}
}
