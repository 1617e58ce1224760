package tally_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/functions/tally"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// watching returns a handler whose metrics can be read.
func watching(s tally.Sheets) (*tally.Handler, *bytes.Buffer) {
	var out bytes.Buffer
	h := handler(s)
	getenv := func(string) string { return "pulssi-prod-tally" }
	h.Metrics = obs.NewMetrics(getenv, &out, h.Now)
	return h, &out
}

func TestWatching(t *testing.T) {
	with := func(change func(a *survey.Ask)) *survey.Ask {
		a := answered(9)
		change(a)
		return a
	}
	reserved := with(func(a *survey.Ask) { a.Trust, a.AnsweredAt = "", time.Time{} })
	suspect := with(func(a *survey.Ask) { a.Trust = survey.Suspect })
	vote := with(func(a *survey.Ask) { a.Channel = survey.Popup })
	kiosk := with(func(a *survey.Ask) { a.Channel = survey.Kiosk })
	mail := with(func(a *survey.Ask) { a.Channel = survey.Email })
	test := with(func(a *survey.Ask) { a.Test = true })
	demo := with(func(a *survey.Ask) { a.Demo = true })
	record := testkit.StreamRecord
	for name, tc := range map[string]struct {
		records []events.DynamoDBEventRecord
		want    []float64 // answers, votes, suspects
	}{
		"answers and votes":          {[]events.DynamoDBEventRecord{record("1", nil, vote), record("2", nil, kiosk), record("3", reserved, mail)}, []float64{1, 2, 0}},
		"asks that are sent":         {[]events.DynamoDBEventRecord{record("1", nil, reserved)}, []float64{0, 0, 0}},
		"an edit":                    {[]events.DynamoDBEventRecord{record("1", mail, edited(mail, 3))}, []float64{0, 0, 0}},
		"an answer that is suspect":  {[]events.DynamoDBEventRecord{record("1", reserved, suspect)}, []float64{1, 0, 1}},
		"one that becomes so":        {[]events.DynamoDBEventRecord{record("1", mail, suspect)}, []float64{0, 0, 1}},
		"one that stays so":          {[]events.DynamoDBEventRecord{record("1", suspect, suspect)}, []float64{0, 0, 0}},
		"and is a human's after all": {[]events.DynamoDBEventRecord{record("1", suspect, mail)}, []float64{0, 0, 0}},
		"erased, expired":            {[]events.DynamoDBEventRecord{record("1", mail, nil), testkit.ExpiryRecord("2", mail)}, []float64{0, 0, 0}},
		"tests and demo data":        {[]events.DynamoDBEventRecord{record("1", nil, test), record("2", nil, demo)}, []float64{0, 0, 0}},
		"a record twice":             {[]events.DynamoDBEventRecord{record("1", nil, vote), record("1", nil, vote)}, []float64{0, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			h, out := watching(newLedger())
			for i := range tc.records {
				tc.records[i].Change.ApproximateCreationDateTime.Time = noon.Add(-time.Duration(i+1) * 3 * time.Second)
			}
			if _, err := h.Handle(context.Background(), testkit.StreamBatch("shard-1", tc.records...)); err != nil {
				t.Fatal(err)
			}
			var line struct {
				Answers, Votes, Suspects, TallyLag float64
				Shard, First, Last                 string
				Oldest, Newest                     time.Time
			}
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			if diff := cmp.Diff(tc.want, []float64{line.Answers, line.Votes, line.Suspects}); diff != "" {
				t.Error(diff)
			}
			last := tc.records[len(tc.records)-1].Change.SequenceNumber
			oldest := noon.Add(-time.Duration(len(tc.records)) * 3 * time.Second)
			if name == "a record twice" {
				oldest = noon.Add(-3 * time.Second)
			}
			if line.TallyLag != float64(noon.Sub(oldest).Milliseconds()) || line.Shard != "shard-1" || line.First != "1" || line.Last != last ||
				!line.Oldest.Equal(oldest) || !line.Newest.Equal(noon.Add(-3*time.Second)) {
				t.Errorf("%+v", line)
			}
		})
	}
}

// TestWhatIsNotCountedIsNotTold: the batch comes again.
func TestWhatIsNotCountedIsNotTold(t *testing.T) {
	broken := sheetsFunc(func(context.Context, score.Key, score.Sheet, store.Span) error { return errors.New("down") })
	h, out := watching(broken)
	if _, err := h.Handle(context.Background(), testkit.StreamBatch("shard", testkit.StreamRecord("1", nil, answered(9)))); err == nil || out.Len() > 0 {
		t.Errorf("error %v, told %q", err, out)
	}
	h, out = watching(newLedger())
	batch := testkit.StreamBatch("shard", testkit.StreamRecord("1", nil, answered(9)), corrupt("2"))
	if resp, err := h.Handle(context.Background(), batch); err != nil || len(resp.BatchItemFailures) != 1 || out.Len() > 0 {
		t.Errorf("%+v, %v: told %q", resp, err, out)
	}
	if _, err := h.Handle(context.Background(), testkit.StreamBatch("shard")); err != nil || out.Len() > 0 {
		t.Errorf("the end of a window: %v, told %q", err, out)
	}
}
