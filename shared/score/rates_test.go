package score

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRates(t *testing.T) {
	for _, c := range []struct {
		name                                  string
		tally                                 Tally
		ofSent, ofDelivered, confirmedOfThose string
	}{
		{"nobody asked", Tally{}, "–", "–", "–"},
		{"answers without asks", Tally{Scores: [11]int64{9: 5}}, "–", "–", "–"},
		{"no answer", Tally{Sent: 10, Delivered: 10}, "0", "0", "0"},
		{"some", Tally{Sent: 200, Delivered: 150, Bounced: 50, Answered: 30, Confirmed: 15}, "15", "20", "10"},
		{"no notices at all", Tally{Sent: 10, Delivered: 2, Answered: 2, Confirmed: 1}, "20", "20", "10"},
		{"all bounced", Tally{Sent: 4, Bounced: 4}, "0", "–", "–"},
		{"all answered", Tally{Sent: 4, Delivered: 3, Bounced: 1, Answered: 3, Confirmed: 3}, "75", "100", "100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := AnsweredOfSent(c.tally).String(); got != c.ofSent {
				t.Errorf("answered of sent %s, want %s", got, c.ofSent)
			}
			if got := AnsweredOfDelivered(c.tally).String(); got != c.ofDelivered {
				t.Errorf("answered of delivered %s, want %s", got, c.ofDelivered)
			}
			if got := ConfirmedOfDelivered(c.tally).String(); got != c.confirmedOfThose {
				t.Errorf("confirmed of delivered %s, want %s", got, c.confirmedOfThose)
			}
		})
	}
}

// No rate is over 100 %, whatever became of the asks of a day and whichever
// notices came.
func TestRatesOfRealAsks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		changes := Changes{}
		for range rapid.IntRange(0, 20).Draw(t, "asks") {
			changes.Replace(nil, anyAsk(t), time.UTC)
		}
		for k, sheet := range changes {
			for g, tally := range sheet {
				if !(0 <= tally.Confirmed && tally.Confirmed <= tally.Answered && tally.Answered <= tally.Delivered &&
					tally.Delivered <= tally.Sent-tally.Bounced && tally.Bounced >= 0) {
					t.Errorf("%v %q: %+v", k, g, tally)
				}
				sent, okSent := AnsweredOfSent(tally).Value()
				delivered, okDelivered := AnsweredOfDelivered(tally).Value()
				confirmed, _ := ConfirmedOfDelivered(tally).Value()
				if sent > 100 || delivered > 100 || confirmed > delivered || delivered < sent && okDelivered {
					t.Errorf("%v %q: rates %v, %v, %v of %+v", k, g, sent, delivered, confirmed, tally)
				}
				if okSent != (tally.Sent > 0) || okDelivered != (tally.Sent > tally.Bounced) {
					t.Errorf("%v %q: a rate without asks, or asks without a rate: %+v", k, g, tally)
				}
			}
		}
	})
}
