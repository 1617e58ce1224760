package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pulssi/pulssi/shared/queue"
)

// show prints messages: their ids and reasons, and of what is in them no more
// than ids.
func show(out io.Writer, k kind, letters []letter) {
	for _, l := range letters {
		say(out, "  %s  %s", l.ID, l.At.UTC().Format(time.RFC3339))
		if about := about(l.Body); about != "" {
			say(out, "  %s", about)
		}
		reason := l.Reason
		if reason == "" {
			reason = fmt.Sprintf("the log of %s has the reason", k.of)
		}
		say(out, "\n    %s\n", reason)
	}
}

// about says what a message is about by the ids in it, "" where nothing is known
// to be one: its words may be somebody's.
func about(body string) string {
	if a, err := queue.DecodeAsk([]byte(body)); err == nil {
		about := fmt.Sprintf("contact %s at %s", a.Contact, a.Touchpoint)
		if a.Reminder {
			about += ", reminder"
		}
		return about
	}
	var call struct {
		RequestContext struct {
			RequestID string `json:"requestId"`
			Condition string `json:"condition"`
		} `json:"requestContext"`
	}
	if json.Unmarshal([]byte(body), &call) == nil && call.RequestContext.RequestID != "" {
		return fmt.Sprintf("invocation %s, %s", call.RequestContext.RequestID, call.RequestContext.Condition)
	}
	return ""
}
