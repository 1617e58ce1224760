// Package message writes an ask as an e-mail and as an SMS, in the language of
// whoever gets it.
package message

import "github.com/pulssi/pulssi/shared/survey"

// Message is a letter on its way to one address, as the mail and SMS services
// take it.
type Message struct {
	Written
	Channel survey.Channel // Email or SMS
	To      string         // the address of that channel
	// Ask and Touchpoint are the ids by which notices about the message are
	// told to belong to it.
	Ask, Touchpoint string
	Reminder        bool

	// Of an e-mail: who asks, as the sender is shown, where answers go, and the
	// address that ends the e-mails. Each may be empty.
	Name, ReplyTo, Unsubscribe string
}
