package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pulssi/pulssi/shared/queue"
)

// cloud is the queues in AWS.
type cloud struct {
	sqs    *sqs.Client
	prefix string
	// every is how often it looks whether a move is done.
	every time.Duration
}

const (
	// hidden is for how long a message is hidden that is looked at, in seconds:
	// until it is shown again, or the command is killed.
	hidden = 60
	// batch is the most messages in one call (Amazon SQS quotas).
	batch = 10
)

func (c *cloud) url(ctx context.Context, name string) (string, error) {
	out, err := c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(c.prefix + name)})
	if err != nil {
		return "", fmt.Errorf("looking for the queue %s%s: %w", c.prefix, name, err)
	}
	return *out.QueueUrl, nil
}

// Count tells what SQS tells, which lags behind by about a minute.
func (c *cloud) Count(ctx context.Context, name string) (int, error) {
	url, err := c.url(ctx, name)
	if err != nil {
		return 0, err
	}
	out, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		return 0, fmt.Errorf("counting the messages of %s: %w", name, err)
	}
	return strconv.Atoi(out.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
}

// Look receives messages, and has them shown again when it has enough.
func (c *cloud) Look(ctx context.Context, name string, limit int) (letters []letter, err error) {
	url, err := c.url(ctx, name)
	if err != nil {
		return nil, err
	}
	var receipts []types.ChangeMessageVisibilityBatchRequestEntry
	defer func() { err = errors.Join(err, c.release(context.WithoutCancel(ctx), url, receipts)) }()
	seen := map[string]bool{}
	for len(letters) < limit {
		out, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: int32(min(batch, limit-len(letters))), VisibilityTimeout: hidden,
			WaitTimeSeconds:             1, // so that all servers of SQS are asked
			MessageAttributeNames:       []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
		})
		if err != nil {
			return letters, fmt.Errorf("looking into %s: %w", name, err)
		}
		if len(out.Messages) == 0 {
			break
		}
		for _, m := range out.Messages {
			receipts = append(receipts, types.ChangeMessageVisibilityBatchRequestEntry{ReceiptHandle: m.ReceiptHandle})
			if !seen[*m.MessageId] { // a copy of SQS's own
				seen[*m.MessageId] = true
				letters = append(letters, letterOf(m))
			}
		}
	}
	return letters, nil
}

// letterOf reads a message. What it failed for is told by the function that
// refused it, or by EventBridge or Scheduler that could not deliver it (Amazon
// EventBridge User Guide: dead-letter queues).
func letterOf(m types.Message) letter {
	l := letter{ID: *m.MessageId, Body: *m.Body}
	if ms, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64); err == nil {
		l.At = time.UnixMilli(ms)
	}
	for _, name := range []string{queue.ReasonAttribute, "ERROR_MESSAGE", "ERROR_CODE"} {
		if a, ok := m.MessageAttributes[name]; ok && l.Reason == "" {
			l.Reason = aws.ToString(a.StringValue)
		}
	}
	return l
}

// release has messages shown to everybody again.
func (c *cloud) release(ctx context.Context, url string, receipts []types.ChangeMessageVisibilityBatchRequestEntry) error {
	var errs []error
	for len(receipts) > 0 {
		n := min(batch, len(receipts))
		for i := range receipts[:n] {
			receipts[i].Id = aws.String(strconv.Itoa(i))
		}
		out, err := c.sqs.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: receipts[:n]})
		if err == nil && len(out.Failed) > 0 {
			err = fmt.Errorf("%d messages are hidden for a minute yet: %s", len(out.Failed), aws.ToString(out.Failed[0].Code))
		}
		errs = append(errs, err)
		receipts = receipts[n:]
	}
	return errors.Join(errs...)
}

// Move has SQS move the messages, and waits until it has.
func (c *cloud) Move(ctx context.Context, name string) (int, error) {
	url, err := c.url(ctx, name)
	if err != nil {
		return 0, err
	}
	attributes, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return 0, fmt.Errorf("looking for the name of %s: %w", name, err)
	}
	arn := attributes.Attributes[string(types.QueueAttributeNameQueueArn)]
	if _, err := c.sqs.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		return 0, fmt.Errorf("moving the messages of %s: %w", name, err)
	}
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	for {
		out, err := c.sqs.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: aws.Int32(1)})
		if err != nil {
			return 0, fmt.Errorf("looking how far the move of %s is: %w", name, err)
		}
		if len(out.Results) == 1 { // the newest
			switch task := out.Results[0]; aws.ToString(task.Status) {
			case "COMPLETED":
				return int(task.ApproximateNumberOfMessagesMoved), nil
			case "FAILED", "CANCELLED":
				return int(task.ApproximateNumberOfMessagesMoved), fmt.Errorf("SQS ended the move of %s: %s", name, *task.Status+" "+aws.ToString(task.FailureReason))
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("SQS goes on moving %s: %w", name, ctx.Err())
		case <-tick.C:
		}
	}
}
