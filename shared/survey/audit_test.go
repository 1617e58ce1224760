package survey_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/survey"
)

var auditAt = time.Date(2026, 11, 21, 12, 0, 0, 123_456_789, time.FixedZone("EET", 2*3600))

func newAuditEntry(t *testing.T, before, after any) survey.AuditEntry {
	t.Helper()
	d, err := survey.NewAuditEntry("u1", "admin", survey.TouchpointPut, "shop-nps", before, after, auditAt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNewAuditEntry(t *testing.T) {
	var none *survey.Touchpoint
	got := newAuditEntry(t, nil, map[string]int{"goal": 50})
	want := survey.AuditEntry{
		ID: got.ID, At: time.Date(2026, 11, 21, 10, 0, 0, 123_000_000, time.UTC), Who: "u1", Role: "admin", Action: survey.TouchpointPut,
		Subject: "shop-nps", After: json.RawMessage(`{"goal":50}`), Outcome: survey.Begun,
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Check() != nil {
		t.Errorf("%v, -want +got:\n%s", got.Check(), diff)
	}
	if d := newAuditEntry(t, none, nil); d.Before != nil || d.Check() != nil {
		t.Errorf("of a pointer to nothing: %s, %v", d.Before, d.Check())
	}
	if _, err := survey.NewAuditEntry("u1", "admin", survey.Export, "", nil, func() {}, auditAt); err == nil {
		t.Error("a function is described")
	}
}

// What is as large as may be stands whole; with one byte more its size and hash
// do.
func TestWhatIsTooLargeIsTold(t *testing.T) {
	quoted := func(size int) string { return strings.Repeat("x", size-len(`""`)) }
	most := newAuditEntry(t, quoted(survey.MaxAuditState), quoted(survey.MaxAuditState+1))
	if len(most.Before) != survey.MaxAuditState {
		t.Errorf("%d bytes are kept, want %d", len(most.Before), survey.MaxAuditState)
	}
	// printf '"%s"' "$(head -c 65535 /dev/zero | tr '\0' x)" | sha256sum
	const want = `{"bytes":65537,"sha256":"0f90b01cf9c38ff5bc73e80fcbd202ca4db7e60a6d7c81f493674c88e106831f"}`
	if string(most.After) != want {
		t.Errorf("one byte more: %.200s, want %s", most.After, want)
	}
	if err := most.Check(); err != nil {
		t.Error(err)
	}
}

func TestFailureOfAnAuditEntry(t *testing.T) {
	d := newAuditEntry(t, 1, 2)
	for now, at := range map[time.Time]time.Time{
		auditAt:                      d.At.Add(time.Millisecond),
		auditAt.Add(-time.Hour):      d.At.Add(time.Millisecond), // another clock
		auditAt.Add(3 * time.Second): d.At.Add(3 * time.Second),
	} {
		f := d.Failure(now)
		want := survey.AuditEntry{ID: f.ID, At: at, Who: "u1", Role: "admin", Action: survey.TouchpointPut, Subject: "shop-nps", Outcome: survey.Failed, Of: d.ID}
		if diff := cmp.Diff(want, f); diff != "" || f.ID == d.ID || f.Check() != nil {
			t.Errorf("%v, -want +got:\n%s", f.Check(), diff)
		}
	}
}

func TestAuditEntryCheck(t *testing.T) {
	for _, a := range survey.Actions() {
		d := newAuditEntry(t, nil, nil)
		d.Action = a
		if err := d.Check(); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
	for name, tt := range map[string]struct {
		change func(*survey.AuditEntry)
		field  string // "" for one that is right
	}{
		"no id":                       {func(d *survey.AuditEntry) { d.ID = "" }, "id"},
		"no time":                     {func(d *survey.AuditEntry) { d.At = time.Time{} }, "at"},
		"a part of a millisecond":     {func(d *survey.AuditEntry) { d.At = d.At.Add(time.Microsecond) }, "at"},
		"nobody":                      {func(d *survey.AuditEntry) { d.Who = " " }, "who"},
		"who, as long as may be":      {func(d *survey.AuditEntry) { d.Who = strings.Repeat("a", survey.MaxAuditWho) }, ""},
		"who, too long":               {func(d *survey.AuditEntry) { d.Who = strings.Repeat("a", survey.MaxAuditWho+1) }, "who"},
		"no role":                     {func(d *survey.AuditEntry) { d.Role = "" }, "role"},
		"another action":              {func(d *survey.AuditEntry) { d.Action = "touchpoint.get" }, "action"},
		"no subject":                  {func(d *survey.AuditEntry) { d.Subject = "" }, ""},
		"a subject as long as may be": {func(d *survey.AuditEntry) { d.Subject = strings.Repeat("a", survey.MaxAuditSubject) }, ""},
		"a subject too long":          {func(d *survey.AuditEntry) { d.Subject = strings.Repeat("a", survey.MaxAuditSubject+1) }, "subject"},
		"a subject of two lines":      {func(d *survey.AuditEntry) { d.Subject = "a\nb" }, "subject"},
		"another outcome":             {func(d *survey.AuditEntry) { d.Outcome = "done" }, "outcome"},
		"failed, of nothing":          {func(d *survey.AuditEntry) { d.Outcome = survey.Failed }, "of"},
		"begun, of another":           {func(d *survey.AuditEntry) { d.Of = d.ID }, "of"},
		"no JSON":                     {func(d *survey.AuditEntry) { d.Before = json.RawMessage("{") }, "before"},
		"empty":                       {func(d *survey.AuditEntry) { d.After = json.RawMessage{} }, "after"},
		"too large": {func(d *survey.AuditEntry) {
			d.After = json.RawMessage(`"` + strings.Repeat("x", survey.MaxAuditState-1) + `"`)
		}, "after"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newAuditEntry(t, 1, 2)
			tt.change(&d)
			err := d.Check()
			e, ok := errors.AsType[*survey.Error](err)
			if tt.field == "" && err != nil || tt.field != "" && (!ok || e.Code != survey.Invalid || e.Field != tt.field) {
				t.Errorf("%v, want a broken rule of %q", err, tt.field)
			}
		})
	}
}

func TestActionsAreThereOnce(t *testing.T) {
	all := survey.Actions()
	if slices.Sort(all); len(slices.Compact(all)) != len(survey.Actions()) {
		t.Errorf("%q", all)
	}
}

func TestPutAction(t *testing.T) {
	runs, stopped := &survey.Touchpoint{}, &survey.Touchpoint{Stopped: true}
	for _, tt := range []struct {
		was, is *survey.Touchpoint
		want    survey.Action
	}{
		{nil, runs, survey.TouchpointPut}, {nil, stopped, survey.TouchpointPut}, {runs, runs, survey.TouchpointPut},
		{stopped, stopped, survey.TouchpointPut}, {runs, stopped, survey.TouchpointStop}, {stopped, runs, survey.TouchpointStart},
	} {
		if got := survey.PutAction(tt.was, tt.is); got != tt.want {
			t.Errorf("%+v to %+v is %s, want %s", tt.was, tt.is, got, tt.want)
		}
	}
}

// printf maija | openssl dgst -sha256 -binary | basenc --base64url | head -c 22
func TestFingerprint(t *testing.T) {
	const want = "sLg0eIlzD0QYXvUew2UFfO"
	if got := survey.Fingerprint("maija"); got != want || survey.CheckID("id", got) != nil {
		t.Errorf("%s, want %s", got, want)
	}
}

// A detail that can be told is one that can differ.
func TestDetailsDiffer(t *testing.T) {
	all := survey.Details{
		Ref: "C-1", Email: "a@example.com", Phone: "+358401234567", FirstName: "Aino", LastName: "Virtanen", Company: "Esimerkki",
		Locale: "fi", Zone: "Europe/Helsinki", Segments: []string{"vip", "b"}, OptOut: []survey.Channel{survey.SMS},
	}
	want := []string{"ref", "email", "phone", "firstName", "lastName", "company", "locale", "zone", "segments", "optOut"}
	if got := all.Differs(survey.Details{}); !slices.Equal(got, want) {
		t.Errorf("from nothing %q, want %q", got, want)
	}
	same := all
	same.Segments = []string{"b", "vip", "vip"}
	if got := same.Differs(all); len(got) > 0 {
		t.Errorf("lists in another order: %q", got)
	}
	c := survey.Contact{}
	c.Merge(all, auditAt)
	if d := c.Details(); len(d.Differs(all)) > 0 || fmt.Sprint(d) == fmt.Sprint(survey.Details{}) {
		t.Errorf("of a contact: %+v", d)
	}
}
