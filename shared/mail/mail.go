// Package mail sends messages by e-mail, through Amazon SES (API v2).
package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
)

// Client sends e-mails. It is safe for concurrent use.
type Client struct {
	// Set is the configuration set that SES sends the e-mails with, which tells
	// what becomes of them; "" for the default of the sender's identity, if it
	// has one. It is given before the first Send.
	Set string

	ses    *sesv2.Client
	sender *mail.Address
	now    func() time.Time
}

// New returns a client that sends from an address that SES knows as verified:
// "feedback@example.com", or with the name that is shown, "Example
// <feedback@example.com>". now is the clock. The error tells that sender is no
// address.
func New(c *sesv2.Client, sender string, now func() time.Time) (*Client, error) {
	a, err := mail.ParseAddress(sender)
	if err != nil {
		return nil, fmt.Errorf("%q is no e-mail address to send from: %w", sender, err)
	}
	return &Client{ses: c, sender: a, now: now}, nil
}

// Options make a client of SES call it once for one e-mail: a call whose answer
// was lost may have sent it, and whoever calls must know before it is sent again.
func Options(o *sesv2.Options) { o.RetryMaxAttempts = 1 }

// Send hands a message to SES and returns the id that SES gave it. The error is
//
//   - [survey.Invalid] where SES refuses this message for good, or the address
//     is none;
//   - [survey.Unavailable] where it was surely not sent and may be later: too
//     many at once, SES is down, or does not let this account or sender send;
//   - any other where nobody knows whether it was sent.
//
// The e-mail is composed as [Compose] says, with the ask's id as ID and the
// touchpoint as Stream, and SES is told both as tags.
func (c *Client) Send(ctx context.Context, m message.Message) (id string, err error) {
	if a, err := mail.ParseAddress(m.To); err != nil || a.Name != "" || a.Address != m.To {
		return "", survey.Errorf(survey.Invalid, "email", "the e-mail address is none")
	}
	l := Letter{
		From: mail.Address{Name: cmp.Or(c.sender.Name, m.Name), Address: c.sender.Address}, ReplyTo: m.ReplyTo, To: m.To,
		Subject: m.Subject, HTML: m.HTML, Text: m.Text, Lang: m.Lang,
		ID: m.Ask, Unsubscribe: m.Unsubscribe, Stream: m.Touchpoint, Date: c.now(),
	}
	if m.Reminder {
		l.ID += "/reminder" // mail programs hide the second of two e-mails with the same Message-ID
	}
	if a, err := mail.ParseAddress(m.ReplyTo); m.ReplyTo != "" && (err != nil || a.Address != m.ReplyTo) {
		// A mistake in the rules shall not keep everybody from being asked.
		slog.WarnContext(ctx, "the address that answers go to is none", "touchpoint", m.Touchpoint)
		l.ReplyTo = ""
	}
	raw, err := Compose(l)
	if err != nil {
		return "", err
	}
	in := &sesv2.SendEmailInput{
		FromEmailAddress: &c.sender.Address,
		Destination:      &types.Destination{ToAddresses: []string{m.To}},
		Content:          &types.EmailContent{Raw: &types.RawMessage{Data: raw}},
		EmailTags: []types.MessageTag{
			{Name: aws.String("ask"), Value: &m.Ask},
			{Name: aws.String("touchpoint"), Value: &m.Touchpoint},
		},
	}
	if c.Set != "" {
		in.ConfigurationSetName = &c.Set
	}
	out, err := c.ses.SendEmail(ctx, in)
	if err != nil {
		return "", c.told(err)
	}
	return aws.ToString(out.MessageId), nil
}

// told says what an error of SES means for the message (Amazon SES API v2,
// SendEmail and Common Errors). What SES says in words is left out: it may name
// the address.
func (c *Client) told(err error) error {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && answer.HTTPStatusCode() >= http.StatusBadRequest {
		code := strconv.Itoa(answer.HTTPStatusCode())
		fault, _ := errors.AsType[smithy.APIError](err)
		if fault != nil {
			code = fault.ErrorCode()
		}
		if (code == "BadRequestException" || code == "MessageRejected") && !c.isMine(fault) {
			return survey.Errorf(survey.Invalid, "email", "the mail service refuses the message: %s", code)
		}
		return survey.Errorf(survey.Unavailable, "", "the mail service does not send now: %s", code)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return &survey.Error{Code: survey.Unavailable, Message: "the mail service cannot be reached", Err: err}
	}
	return fmt.Errorf("sending by e-mail: %w", err)
}

// isMine reports whether SES refuses a message because of what whoever deploys
// can mend: the configuration set is none ("Configuration set <...> does not
// exist"), or the sender is not verified ("Email address is not verified. The
// following identities failed the check in region ...").
func (c *Client) isMine(fault smithy.APIError) bool {
	if c.Set != "" && strings.Contains(fault.ErrorMessage(), "onfiguration set <"+c.Set+">") {
		return true
	}
	_, identities, ok := strings.Cut(fault.ErrorMessage(), "failed the check")
	_, domain, _ := strings.Cut(c.sender.Address, "@")
	return ok && strings.Contains(identities, domain)
}
