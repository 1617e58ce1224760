package pump

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// event is an invocation's payload: [events.DynamoDBTimeWindowEvent] where the
// mapping has windows, else [events.DynamoDBEvent], with records that are JSON
// already.
type event struct {
	Records []json.RawMessage `json:"Records"`
	*events.TimeWindowProperties
}

// record is one record of a stream, ready to be sent.
type record struct {
	sequence string
	created  time.Time
	readAt   time.Time
	json     []byte // an [events.DynamoDBEventRecord]
}

func newRecord(r types.Record, arn string, readAt time.Time) record {
	change := r.Dynamodb
	e := events.DynamoDBEventRecord{
		AWSRegion:      aws.ToString(r.AwsRegion),
		EventID:        aws.ToString(r.EventID),
		EventName:      string(r.EventName),
		EventSource:    "aws:dynamodb",
		EventVersion:   aws.ToString(r.EventVersion),
		EventSourceArn: arn,
		Change: events.DynamoDBStreamRecord{
			ApproximateCreationDateTime: events.SecondsEpochTime{Time: aws.ToTime(change.ApproximateCreationDateTime)},
			Keys:                        attributes(change.Keys),
			NewImage:                    attributes(change.NewImage),
			OldImage:                    attributes(change.OldImage),
			SequenceNumber:              aws.ToString(change.SequenceNumber),
			SizeBytes:                   aws.ToInt64(change.SizeBytes),
			StreamViewType:              string(change.StreamViewType),
		},
	}
	if id := r.UserIdentity; id != nil {
		e.UserIdentity = &events.DynamoDBUserIdentity{Type: aws.ToString(id.Type), PrincipalID: aws.ToString(id.PrincipalId)}
	}
	b, err := json.Marshal(e)
	if err != nil {
		panic("pump: a record that is no JSON: " + err.Error()) // of attribute values made here
	}
	return record{
		sequence: e.Change.SequenceNumber,
		created:  e.Change.ApproximateCreationDateTime.Time,
		readAt:   readAt,
		json:     b,
	}
}

func attributes(in map[string]types.AttributeValue) map[string]events.DynamoDBAttributeValue {
	if in == nil {
		return nil
	}
	out := make(map[string]events.DynamoDBAttributeValue, len(in))
	for name, v := range in {
		out[name] = attribute(v)
	}
	return out
}

func attribute(v types.AttributeValue) events.DynamoDBAttributeValue {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(v.Value)
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(v.Value)
	case *types.AttributeValueMemberB:
		return events.NewBinaryAttribute(v.Value)
	case *types.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(v.Value)
	case *types.AttributeValueMemberSS:
		return events.NewStringSetAttribute(v.Value)
	case *types.AttributeValueMemberNS:
		return events.NewNumberSetAttribute(v.Value)
	case *types.AttributeValueMemberBS:
		return events.NewBinarySetAttribute(v.Value)
	case *types.AttributeValueMemberM:
		return events.NewMapAttribute(attributes(v.Value))
	case *types.AttributeValueMemberL:
		list := make([]events.DynamoDBAttributeValue, len(v.Value))
		for i, e := range v.Value {
			list[i] = attribute(e)
		}
		return events.NewListAttribute(list)
	default:
		return events.NewNullAttribute()
	}
}

// response is what a function returns: [events.DynamoDBTimeWindowEventResponse],
// [events.DynamoDBEventResponse], or nothing, which is a success.
type response struct {
	State             map[string]string `json:"state"`
	BatchItemFailures []struct {
		ItemIdentifier string `json:"itemIdentifier"`
	} `json:"batchItemFailures"`
}

// succeeded returns how many records at the head of the batch the function
// dealt with: those before the lowest that it names, and none where it names
// one that is not of the batch.
func (r response) succeeded(batch []record) int {
	lowest := len(batch)
	for _, f := range r.BatchItemFailures {
		at := 0
		for i, rec := range batch {
			if rec.sequence == f.ItemIdentifier {
				at = i
				break
			}
		}
		lowest = min(lowest, at)
	}
	return lowest
}

// call invokes the function with JSON and reads the JSON that it returns. A
// panic is an error, as it is to Lambda.
func (s *shard) call(ctx context.Context, e event) (out response, request string, err error) {
	request = rand.Text()
	payload, err := json.Marshal(e)
	if err != nil {
		return out, request, fmt.Errorf("writing the event: %w", err)
	}
	// The invocation outlives ctx by stopGrace.
	alive, end := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer end()
	stop := context.AfterFunc(ctx, func() {
		pause(alive, stopGrace)
		end()
	})
	defer stop()
	invocation := lambdacontext.NewContext(alive, &lambdacontext.LambdaContext{AwsRequestID: request})
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	b, err := s.Function.Invoke(invocation, payload)
	if err != nil || len(b) == 0 {
		return out, request, err
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return response{}, request, fmt.Errorf("reading the response: %w", err)
	}
	return out, request, nil
}

// condition is why records were given up.
type condition string

const (
	exhausted condition = "RetryAttemptsExhausted"
	tooOld    condition = "RecordAgeExceeded"
)

// failure is what Lambda sends to an on-failure destination of a stream
// (Developer Guide, "Configuring destinations for failed invocations").
type failure struct {
	RequestContext struct {
		RequestID              string    `json:"requestId"`
		FunctionArn            string    `json:"functionArn"`
		Condition              condition `json:"condition"`
		ApproximateInvokeCount int       `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	Version   string    `json:"version"`
	Timestamp time.Time `json:"timestamp"`
	Batch     struct {
		ShardID       string    `json:"shardId"`
		StartSequence string    `json:"startSequenceNumber"`
		EndSequence   string    `json:"endSequenceNumber"`
		FirstArrival  time.Time `json:"approximateArrivalOfFirstRecord"`
		LastArrival   time.Time `json:"approximateArrivalOfLastRecord"`
		BatchSize     int       `json:"batchSize"`
		StreamARN     string    `json:"streamArn"`
	} `json:"DDBStreamBatchInfo"`
}

func newFailure(s *shard, batch []record, why condition, request string, invocations int) failure {
	first, last := batch[0], batch[len(batch)-1]
	f := failure{Version: "1.0", Timestamp: time.Now().UTC()}
	f.RequestContext.RequestID = request
	f.RequestContext.FunctionArn = string(s.Mapping.Function)
	f.RequestContext.Condition = why
	f.RequestContext.ApproximateInvokeCount = invocations
	f.Batch.ShardID, f.Batch.StreamARN, f.Batch.BatchSize = s.id, s.ARN, len(batch)
	f.Batch.StartSequence, f.Batch.EndSequence = first.sequence, last.sequence
	f.Batch.FirstArrival, f.Batch.LastArrival = first.created.UTC(), last.created.UTC()
	return f
}
