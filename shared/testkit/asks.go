package testkit

import (
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// NewAsk returns an unanswered NPS ask by e-mail at shop-nps, series 1, under
// an id of its own, made at a time to the millisecond and not sent yet.
func NewAsk(at time.Time) *survey.Ask {
	return &survey.Ask{
		ID: survey.NewID(), Touchpoint: "shop-nps", Series: 1, Metric: survey.NPS, Channel: survey.Email,
		Locale: "fi", AskedAt: at.UTC().Truncate(time.Millisecond),
	}
}

// StreamRecord returns the record of the stream of responses that says what
// became of an ask, as Lambda delivers it; nil for not there.
func StreamRecord(sequence string, before, after *survey.Ask) events.DynamoDBEventRecord {
	name := events.DynamoDBOperationTypeModify
	switch {
	case before == nil:
		name = events.DynamoDBOperationTypeInsert
	case after == nil:
		name = events.DynamoDBOperationTypeRemove
	}
	return events.DynamoDBEventRecord{
		EventName: string(name),
		Change: events.DynamoDBStreamRecord{
			SequenceNumber: sequence,
			OldImage:       image(before),
			NewImage:       image(after),
			StreamViewType: string(events.DynamoDBStreamViewTypeNewAndOldImages),
		},
	}
}

// ExpiryRecord returns the record of the stream of responses that says that
// an ask's time to live was over.
func ExpiryRecord(sequence string, before *survey.Ask) events.DynamoDBEventRecord {
	r := StreamRecord(sequence, before, nil)
	r.UserIdentity = &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	return r
}

// StreamBatch returns the event that delivers records of a shard.
func StreamBatch(shard string, records ...events.DynamoDBEventRecord) events.DynamoDBTimeWindowEvent {
	var e events.DynamoDBTimeWindowEvent
	e.ShardID, e.Records = shard, records
	return e
}

func image(a *survey.Ask) map[string]events.DynamoDBAttributeValue {
	if a == nil {
		return nil
	}
	s := store.New(nil, config.Config{Retention: 1095 * 24 * time.Hour})
	return eventAttributes(s.MarshalAsk(a))
}

func eventAttributes(it map[string]types.AttributeValue) map[string]events.DynamoDBAttributeValue {
	out := make(map[string]events.DynamoDBAttributeValue, len(it))
	for name, v := range it {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			out[name] = events.NewStringAttribute(v.Value)
		case *types.AttributeValueMemberN:
			out[name] = events.NewNumberAttribute(v.Value)
		case *types.AttributeValueMemberBOOL:
			out[name] = events.NewBooleanAttribute(v.Value)
		case *types.AttributeValueMemberSS:
			out[name] = events.NewStringSetAttribute(v.Value)
		case *types.AttributeValueMemberM:
			out[name] = events.NewMapAttribute(eventAttributes(v.Value))
		}
	}
	return out
}
