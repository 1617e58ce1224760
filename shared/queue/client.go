package queue

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pulssi/pulssi/shared/batch"
)

// maxBytes is the most that the bodies of one call may have. SQS takes 1 MiB
// (Amazon SQS quotas: message quotas), Scheduler gives it 256 KiB at most, and
// an ask is the same wherever it comes from.
const maxBytes = 256 << 10

// Client puts asks into the queue of asks. It is safe for concurrent use.
type Client struct {
	sqs *sqs.Client
	url string
}

// New returns a client of the queue at url.
func New(c *sqs.Client, url string) *Client { return &Client{c, url} }

// SendAsks puts asks into the queue, by 10 in one call (Amazon SQS quotas:
// messages in a batch). It repeats what SQS did not take, as package batch
// tells, and returns an error where some, or all, were not taken in the end.
// The order is not kept. An ask may arrive more than once, as may all messages
// of a standard queue; after an error the caller may send all of them again.
func (c *Client) SendAsks(ctx context.Context, asks []Ask) error {
	bodies := make([]string, len(asks))
	for i, a := range asks {
		b, err := a.Encode()
		if err != nil {
			return err
		}
		bodies[i] = string(b)
	}
	limits := batch.Limits{Items: 10, Bytes: maxBytes}
	err := batch.Give(ctx, bodies, limits, func(body string) int { return len(body) }, c.send)
	if err != nil {
		return fmt.Errorf("sending %d asks: %w", len(asks), err)
	}
	return nil
}

// send makes one call.
func (c *Client) send(ctx context.Context, bodies []string) ([]batch.Failure, error) {
	entries := make([]types.SendMessageBatchRequestEntry, len(bodies))
	for i, body := range bodies {
		entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(body)}
	}
	out, err := c.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &c.url, Entries: entries})
	if err != nil {
		return nil, err
	}
	var failed []batch.Failure
	for _, f := range out.Failed {
		i, err := strconv.Atoi(aws.ToString(f.Id))
		if err != nil || i < 0 || i >= len(bodies) {
			return nil, fmt.Errorf("SQS tells of a message that it was not given, %q", aws.ToString(f.Id))
		}
		failed = append(failed, batch.Failure{Index: i, Refused: f.SenderFault, Reason: aws.ToString(f.Code)})
	}
	return failed, nil
}

// MaxDelay is the longest that [Client.Delay] hides a message. SQS lets one be
// hidden for 12 hours after it was received (Amazon SQS quotas: visibility
// timeout), and a function has it for up to 15 minutes before it delays it.
const MaxDelay = 12*time.Hour - 15*time.Minute

// Delay hides a message that was received, so that it comes again after d,
// rounded up to a second, at most [MaxDelay]. It counts as one of the times
// that a message may be received. The message has to be reported as failed as
// well, or Lambda takes it from the queue. An error, such as that the message
// is hidden no more, means that it comes again when it would have anyway.
func (c *Client) Delay(ctx context.Context, receiptHandle string, d time.Duration) error {
	d = min(max(d, 0), MaxDelay)
	seconds := int32((d + time.Second - 1) / time.Second)
	_, err := c.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &c.url, ReceiptHandle: &receiptHandle, VisibilityTimeout: seconds,
	})
	if err != nil {
		return fmt.Errorf("delaying a message by %d s: %w", seconds, err)
	}
	return nil
}

// Refused puts what could not be used into a queue where people find it. It is
// safe for concurrent use.
type Refused struct {
	sqs *sqs.Client
	url string
}

// NewRefused returns a Refused of the queue at url.
func NewRefused(c *sqs.Client, url string) *Refused { return &Refused{c, url} }

// ReasonAttribute is the attribute of a refused message that has the reason.
const ReasonAttribute = "reason"

// maxReason is the most bytes that a reason has.
const maxReason = 1 << 10

// SendRefused puts body into the queue as it came, with the reason as the
// attribute [ReasonAttribute]. Characters that SQS does not take (SendMessage:
// control characters, broken UTF-8) become U+FFFD, and a body is cut at 255 KiB,
// a reason at 1 KiB, so that nothing is too broken to be kept. Called again it
// puts another message.
func (r *Refused) SendRefused(ctx context.Context, body []byte, reason string) error {
	// SQS takes neither a body nor a value that is empty.
	text := cmp.Or(taken(string(body), maxBytes-maxReason), "(empty)")
	why := cmp.Or(taken(reason, maxReason), "(none)")
	_, err := r.sqs.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &r.url, MessageBody: &text,
		MessageAttributes: map[string]types.MessageAttributeValue{
			ReasonAttribute: {DataType: aws.String("String"), StringValue: &why},
		},
	})
	if err != nil {
		return fmt.Errorf("keeping what was refused: %w", err)
	}
	return nil
}

// taken returns s as SQS takes it, cut at a whole character to most bytes.
// SendMessage takes #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and
// #x10000 to #x10FFFF.
func taken(s string, most int) string {
	out := make([]byte, 0, min(len(s), most))
	for _, c := range s {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF {
			c = utf8.RuneError
		}
		if len(out)+utf8.RuneLen(c) > most {
			break
		}
		out = utf8.AppendRune(out, c)
	}
	return string(out)
}
