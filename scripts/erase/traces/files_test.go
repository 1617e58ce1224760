package traces

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
)

// memory is a bucket.
type memory map[string]string

func (m memory) List(_ context.Context, prefix string) (out []files.Info, _ error) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(key, prefix) {
			out = append(out, files.Info{Key: key})
		}
	}
	return out, nil
}

func (m memory) Open(_ context.Context, key string) (io.ReadCloser, files.Info, error) {
	content, ok := m[key]
	if !ok {
		return nil, files.Info{}, survey.Errorf(survey.NotFound, "key", "there is no such file")
	}
	meta := map[string]string{}
	if strings.HasPrefix(key, "uploads/meta") {
		meta["name"] = "paivi.k@example.fi.csv"
	}
	return io.NopCloser(strings.NewReader(content)), files.Info{Key: key, Meta: meta}, nil
}

func (m memory) Delete(_ context.Context, key string) error {
	delete(m, key)
	return nil
}

func workbook(t *testing.T, edit func(*excelize.File) error) string {
	t.Helper()
	f := excelize.NewFile()
	var b bytes.Buffer
	err := f.SetSheetRow("Sheet1", "A1", &[]any{"Sähköposti", "Puhelin"})
	if err == nil {
		err = edit(f)
	}
	if err == nil {
		err = f.Write(&b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFilesWithAPersonAreDeleted(t *testing.T) {
	latin, err := charmap.Windows1252.NewEncoder().String("Etunimi;Sukunimi\r\nPäivi;Ähtäri-Öst\r\n")
	if err != nil {
		t.Fatal(err)
	}
	none := "Etunimi;Sukunimi\r\nMatti;Meikäläinen\r\n"
	with := memory{
		"uploads/latin.csv": latin,
		"uploads/number.xlsx": workbook(t, func(f *excelize.File) error {
			return f.SetSheetRow("Sheet1", "A2", &[]any{"", 358401234567})
		}),
		"uploads/hidden.xlsx": workbook(t, func(f *excelize.File) error {
			return f.AddComment("Sheet1", excelize.Comment{Cell: "A1", Author: "x", Text: "paivi.k@example.fi"})
		}),
		"uploads/meta.csv":               none,
		"uploads/paivi.k@example.fi.csv": none,
		// Over the end of a chunk.
		"uploads/broken.bin":  strings.Repeat("\xff", chunk-5) + " paivi.k@example.fi ",
		"reports/sheets.csv":  "row;column\r\n1;\"paivi.k@example.fi\"\r\n",
		"uploads/broken.xlsx": "PK\x03\x04 paivi.k@example.fi",
	}
	without := memory{
		"uploads/empty.csv": "", "uploads/others.csv": none, "uploads/x.bin": "\xff\x00PK",
		"uploads/others.xlsx": workbook(t, func(*excelize.File) error { return nil }), "erasures/1.json": strings.Repeat("C", 22),
	}
	all := memory{}
	maps.Copy(all, with)
	maps.Copy(all, without)
	for key := range with {
		if name, ok := strings.CutPrefix(key, "uploads/"); ok {
			all["reports/"+name+".json"] = `{"state":"done"}`
			without["reports/"+name+".json"] = `{"state":"done"}`
		}
	}
	// Its own name is in the name of the report.
	delete(without, "reports/paivi.k@example.fi.csv.json")
	f := finder(t, paivi())
	want := Found{"uploads": 7, "reports": 2}
	for _, erase := range []bool{false, true} {
		found, err := InBucket(t.Context(), all, f, erase)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(without, all); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if found, err := InBucket(t.Context(), all, f, true); err != nil || len(found) > 0 {
		t.Errorf("again: %v, %v", found, err)
	}
}

// A file of which others have not been imported yet is nothing to delete.
func TestAFileThatIsBeingImportedStays(t *testing.T) {
	for _, report := range []string{"", `{"state":"running"}`, `{`} {
		b := memory{"uploads/a.csv": "paivi.k@example.fi"}
		if report != "" {
			b["reports/a.csv.json"] = report
		}
		if found, err := InBucket(t.Context(), b, finder(t, paivi()), true); err == nil || b["uploads/a.csv"] == "" {
			t.Errorf("report %q: %v, %v", report, found, b)
		}
	}
}
