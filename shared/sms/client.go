// Package sms sends messages by SMS, through Amazon SNS.
package sms

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/pulssi/pulssi/shared/gsm"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
)

// MaxPrice is the most that one SMS may cost, in US dollars: SNS does not send
// a dearer one. Three parts to Finland cost about half of it.
const MaxPrice = "0.60"

// Client sends SMS. It is safe for concurrent use.
type Client struct {
	sns    *sns.Client
	sender string
	// Number is the number (E.164) that messages which ask for a reply come
	// from, as a sender id cannot be replied to; "" for none.
	Number string
}

// New returns a client that sends under a sender id: 1 to 11 letters and
// digits, with at least one letter (Amazon SNS Developer Guide: SenderID).
// Countries without sender ids show a number instead.
func New(c *sns.Client, sender string) (*Client, error) {
	letter := func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
	other := func(r rune) bool { return !letter(r) && (r < '0' || r > '9') }
	if len(sender) > 11 || strings.ContainsFunc(sender, other) || !strings.ContainsFunc(sender, letter) {
		return nil, fmt.Errorf("%q is no sender id of an SMS: it has 1 to 11 letters (a-z) and digits, and at least one letter", sender)
	}
	return &Client{sns: c, sender: sender}, nil
}

// Options make a client of SNS call it once for one SMS: a call whose answer
// was lost may have sent it, and whoever calls must know before it is sent again.
func Options(o *sns.Options) { o.RetryMaxAttempts = 1 }

// Send hands a message to SNS, as [gsm.Plain] writes its text, and returns the id
// that SNS gave it. The error is
//
//   - [survey.Invalid] where it can never be sent: the number is none, its owner
//     has opted out of SMS at SNS, the text is empty or takes more than
//     [gsm.MaxParts] parts;
//   - [survey.Unavailable] where it was surely not sent and may be later: too
//     many at once, SNS is down, or does not let this account send;
//   - any other where nobody knows whether it was sent.
func (c *Client) Send(ctx context.Context, m message.Message) (id string, err error) {
	if digits, ok := strings.CutPrefix(m.To, "+"); !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", survey.Errorf(survey.Invalid, "phone", "the phone number is none")
	}
	text := gsm.Plain(m.Text)
	if size := gsm.Measure(text); size.Parts == 0 || size.Parts > gsm.MaxParts {
		return "", survey.Errorf(survey.Invalid, "message", "the SMS of %s must take 1 to %d parts, not %d (%d units of %s)", m.Touchpoint, gsm.MaxParts, size.Parts, size.Units, size.Encoding)
	}
	attribute := func(v string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &v}
	}
	from, sender := "AWS.SNS.SMS.SenderID", c.sender
	if m.Reply && c.Number != "" {
		from, sender = "AWS.MM.SMS.OriginationNumber", c.Number
	}
	price := attribute(MaxPrice)
	price.DataType = aws.String("Number")
	out, err := c.sns.Publish(ctx, &sns.PublishInput{
		PhoneNumber: &m.To,
		Message:     &text,
		MessageAttributes: map[string]types.MessageAttributeValue{
			from:                   attribute(sender),
			"AWS.SNS.SMS.MaxPrice": price,
			"AWS.SNS.SMS.SMSType":  attribute("Transactional"),
		},
	})
	if err != nil {
		return "", told(err)
	}
	return aws.ToString(out.MessageId), nil
}

// refusals are the errors of SNS about one message (Amazon SNS API, Publish).
var refusals = []string{"InvalidParameter", "ParameterValueInvalid", "OptedOut", "OptedOutException", "ValidationException"}

// told says what an error of SNS means for the message. What SNS says in words
// is left out: it names the number.
func told(err error) error {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && answer.HTTPStatusCode() >= http.StatusBadRequest {
		code := strconv.Itoa(answer.HTTPStatusCode())
		if fault, ok := errors.AsType[smithy.APIError](err); ok {
			code = fault.ErrorCode()
		}
		if slices.Contains(refusals, code) {
			return survey.Errorf(survey.Invalid, "phone", "the SMS service refuses the message: %s", code)
		}
		return survey.Errorf(survey.Unavailable, "", "the SMS service does not send now: %s", code)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return &survey.Error{Code: survey.Unavailable, Message: "the SMS service cannot be reached", Err: err}
	}
	return fmt.Errorf("sending by SMS: %w", err)
}
