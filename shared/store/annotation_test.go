package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

func TestAnnotations(t *testing.T) {
	s := testkit.NewTables(t).Store
	first := survey.Annotation{ID: survey.NewID(), Touchpoint: "shop-nps", Date: "2026-11-01", Text: "Uusi kassa – äö \"😀\"", By: "anna", At: now}
	other := survey.Annotation{ID: survey.NewID(), Date: "2026-10-01", Text: "Hinnat nousivat", By: "anna", At: now}
	want := func(want ...survey.Annotation) {
		t.Helper()
		got, err := s.Annotations(ctx)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b survey.Annotation) int { return strings.Compare(b.Date, a.Date) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("annotations (-want +got):\n%s", diff)
		}
	}
	for _, a := range []survey.Annotation{first, other} {
		if err := s.AddAnnotation(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	first.Version, other.Version = 1, 1
	want(first, other)

	change := func(version int, text string) (survey.Annotation, error) {
		return s.ChangeAnnotation(ctx, first.ID, version, func(a *survey.Annotation) error { a.Text = text; return nil })
	}
	got, err := change(1, "Uudempi kassa")
	first.Text, first.Version = "Uudempi kassa", 2
	if err != nil || got != first {
		t.Errorf("changed to %+v, %v", got, err)
	}
	if got, err = change(0, "Uudempi kassa"); err != nil || got != first {
		t.Errorf("a change of nothing: %+v, %v", got, err)
	}
	_, err = change(1, "Vanha kassa")
	wantCode(t, err, survey.Conflict, "version")
	_, err = s.ChangeAnnotation(ctx, survey.NewID(), 0, nil)
	wantCode(t, err, survey.NotFound, "annotation")
	own := errors.New("no")
	if _, err = s.ChangeAnnotation(ctx, first.ID, 0, func(*survey.Annotation) error { return own }); !errors.Is(err, own) {
		t.Errorf("error %v, want that of the change", err)
	}
	want(first, other)

	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			_, err := s.ChangeAnnotation(ctx, other.ID, 0, func(a *survey.Annotation) error { a.Text += "!"; return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	other.Text, other.Version = other.Text+"!!!", 4
	want(first, other)

	if err := s.DeleteAnnotation(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.DeleteAnnotation(ctx, first.ID), survey.NotFound, "annotation")
	want(other)
}

func TestShares(t *testing.T) {
	s := testkit.NewTables(t).Store
	key := survey.NewID()
	whole := survey.Share{
		ID: survey.ShareID(key), Name: "Johto", Comments: true, Expires: "2027-01-01", By: "anna", At: now,
		View: survey.View{Page: survey.TouchpointPage, Touchpoint: "shop-nps", From: "2026-01-01", To: "2026-07-01", By: "week", Channel: "email"},
	}
	if err := s.AddShare(ctx, whole); err != nil {
		t.Fatal(err)
	}
	got, err := s.Share(ctx, survey.ShareID(key))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, got); diff != "" {
		t.Errorf("share (-want +got):\n%s", diff)
	}
	_, err = s.Share(ctx, key) // is no id
	wantCode(t, err, survey.NotFound, "share")

	for i := range survey.MaxShares - 1 {
		if err := s.AddShare(ctx, survey.Share{ID: fmt.Sprint(i), Name: "n", View: survey.View{Page: survey.OverviewPage, Last: 12}, At: now}); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, s.AddShare(ctx, survey.Share{ID: "one more"}), survey.Conflict, "shares")
	if err := s.DeleteShare(ctx, whole.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.DeleteShare(ctx, whole.ID), survey.NotFound, "share")
	_, err = s.Share(ctx, whole.ID)
	wantCode(t, err, survey.NotFound, "share")
	all, err := s.Shares(ctx)
	if err != nil || len(all) != survey.MaxShares-1 {
		t.Errorf("%d shares, %v", len(all), err)
	}
}
