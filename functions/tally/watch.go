package tally

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/survey"
)

// watched is what people are told of a batch.
type watched struct{ answers, votes, suspects float64 }

// see takes one change of an ask, which was not there before or is not there
// after where the image is nil. Tests and generated answers are nobody's.
func (w *watched) see(before, after *survey.Ask) {
	if after == nil || after.Test || after.Demo || !after.Answered() {
		return
	}
	if after.Trust == survey.Suspect && (before == nil || before.Trust != survey.Suspect) {
		w.suspects++
	}
	if before != nil && before.Answered() {
		return
	}
	switch after.Channel {
	case survey.Popup, survey.App, survey.Kiosk:
		w.votes++
	default:
		w.answers++
	}
}

// tell tells it, once the records are counted, and how old the oldest of them
// is. The line has what one answer is found by: it was counted with the batch
// between whose times it was written.
func (w *watched) tell(ctx context.Context, h *Handler, shard string, records []events.DynamoDBEventRecord) {
	now := h.Now()
	oldest, newest := now, time.Time{}
	for _, r := range records {
		at := r.Change.ApproximateCreationDateTime.Time
		if at.IsZero() {
			continue
		}
		if at.Before(oldest) {
			oldest = at
		}
		if at.After(newest) {
			newest = at
		}
	}
	fields := obs.Fields{
		"shard": shard, "records": len(records), "oldest": oldest.UTC(), "newest": newest.UTC(),
		"first": records[0].Change.SequenceNumber, "last": records[len(records)-1].Change.SequenceNumber,
	}
	h.Metrics.Put(ctx, fields, obs.Answers.Is(w.answers), obs.Votes.Is(w.votes), obs.Suspects.Is(w.suspects),
		obs.TallyLag.Is(float64(now.Sub(oldest).Milliseconds())))
}
