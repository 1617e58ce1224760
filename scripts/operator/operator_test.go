package operator_test

import (
	"context"
	"errors"
	"os/user"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

func TestWhoWorks(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	here, err := operator.Of(t.Context(), connect.Deployment{Local: true})
	if err != nil || here.Name != "local:"+me.Username {
		t.Errorf("here it is %q, %v", here.Name, err)
	}
	// moto's answer to whoever it does not know: arn:aws:sts::123456789012:user/moto.
	there, err := operator.Of(t.Context(), connect.Deployment{AWS: moto.Config(t)})
	if err != nil || there.Name != "user/moto" {
		t.Errorf("in AWS it is %q, %v", there.Name, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := operator.Of(ctx, connect.Deployment{AWS: moto.Config(t)}); err == nil {
		t.Error("there is a name where AWS does not answer")
	}
}

func TestCaller(t *testing.T) {
	who, err := operator.Caller(t.Context(), moto.Config(t))
	if err != nil || who.AccountID != "123456789012" || who.Resource != "user/moto" {
		t.Errorf("it is %v, %v", who, err)
	}
}

func TestDo(t *testing.T) {
	tables := testkit.NewTables(t)
	clock := testkit.NewClock(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC))
	by, err := operator.Of(t.Context(), connect.Deployment{Local: true, Store: tables.Store, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	log := func() []survey.AuditEntry {
		t.Helper()
		all, _, err := tables.Store.AuditEntries(t.Context(), store.AuditQuery{From: clock.Now().AddDate(0, 0, -1), To: clock.Now().AddDate(0, 0, 1), Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	down := errors.New("down")
	err = by.Do(t.Context(), survey.Redrive, "asks-failed", map[string]int{"messages": 3}, nil, func(context.Context) error {
		want := []survey.AuditEntry{{
			At: clock.Now(), Who: by.Name, Role: survey.Operator, Action: survey.Redrive, Subject: "asks-failed", Before: []byte(`{"messages":3}`), Outcome: survey.Begun,
		}}
		if diff := cmp.Diff(want, log(), cmpopts.IgnoreFields(survey.AuditEntry{}, "ID")); diff != "" {
			t.Errorf("before it is done: -want +got:\n%s", diff)
		}
		return down
	})
	if all := log(); !errors.Is(err, down) || len(all) != 2 || all[0].Outcome != survey.Failed || all[0].Of != all[1].ID {
		t.Errorf("%v, the log has %+v", err, all)
	}
	if err := by.Do(t.Context(), survey.Redrive, "", func() {}, nil, func(context.Context) error { panic("done") }); err == nil {
		t.Error("what cannot be described is done")
	}
}
