// Package grants holds what the functions may do to what they do. Its test runs
// every compiled function through all of its work, records each call that it
// makes to AWS, and compares the calls with the policies of the synthesized
// templates: a call without a grant fails, and so does a grant without a call.
//
// A new table, queue or bucket needs nothing here, as it is made by its name in
// the templates; a new function needs its work among the scenarios, and a call
// to AWS that no function made before a line in [needs].
package grants

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/shared/topology"
)

// condition is one key of a request's context and its value; zero for none.
type condition struct{ key, value string }

// call is one permission that a call to AWS needs.
type call struct {
	function topology.Function
	action   string // of IAM: dynamodb:GetItem
	resource string // its ARN; a phone number, which has none, as it is
	with     condition
}

// grant is one action on one resource that a function's role allows.
type grant struct {
	function topology.Function
	action   string
	resource string // * stands for any text, also of none
	but      bool   // whether all but that resource is granted
	only     condition
}

// exception is a grant that no call of the function itself uses.
type exception struct {
	function topology.Function
	action   string
	resource string // as of a grant
	reason   string
}

func (g grant) String() string {
	text := string(g.function) + " is granted " + g.action
	if g.but {
		text += " on all but " + g.resource
	} else {
		text += " on " + g.resource
	}
	if g.only.key != "" {
		text += fmt.Sprintf(" where %s is %s", g.only.key, g.only.value)
	}
	return text
}

// allows reports whether a call is one of those that are granted.
func (g grant) allows(c call) bool {
	return g.function == c.function && matches(g.action, c.action) && matches(g.resource, c.resource) != g.but &&
		(g.only == condition{} || g.only == c.with)
}

// matches reports whether a text fits a pattern, in which * stands for any text
// and ? for one character, as in policies. A * goes over slashes too.
func matches(pattern, text string) bool {
	flat := strings.NewReplacer("/", "\x00", "[", "\x01", "\\", "\x02")
	ok, err := path.Match(flat.Replace(pattern), flat.Replace(text))
	return ok && err == nil
}

// compare returns what differs between the calls and the grants, in words, and
// in order. An exception that no grant needs is a difference too, and an action
// with a *, which grants what nobody calls.
func compare(calls []call, grants []grant, exceptions []exception) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	called, needed := map[int]bool{}, map[int]bool{}
	for _, c := range calls {
		granted := false
		for i, g := range grants {
			if g.allows(c) {
				called[i], granted = true, true
			}
		}
		if !granted {
			say("%s calls %s on %s, which is not granted%s", c.function, c.action, c.resource, given(c.with))
		}
	}
	for i, g := range grants {
		if strings.ContainsAny(g.action, "*?") {
			say("%s, which is more than one action", g)
		}
		if called[i] {
			continue
		}
		of := slices.IndexFunc(exceptions, func(e exception) bool {
			return e.function == g.function && e.action == g.action && matches(e.resource, g.resource)
		})
		if of < 0 {
			say("%s and never calls it", g)
		} else {
			needed[of] = true
		}
	}
	for i, e := range exceptions {
		if !needed[i] {
			say("%s has an exception for %s on %s, which is not granted or is called (%s)", e.function, e.action, e.resource, e.reason)
		}
	}
	slices.Sort(out)
	return out
}

func given(c condition) string {
	if c.key == "" {
		return ""
	}
	return fmt.Sprintf(" where %s is %s", c.key, c.value)
}

// exceptions are what Lambda does with a function's role, before and after the
// function itself: the SDK in it never makes these calls.
func exceptions() []exception {
	var out []exception
	add := func(f topology.Function, resource, reason string, actions ...string) {
		for _, a := range actions {
			out = append(out, exception{f, a, resource, reason})
		}
	}
	for _, f := range topology.Functions() {
		add(f, "arn:aws:logs:*:log-group:/pulssi/*/"+string(f)+":*", "Lambda writes the function's log",
			"logs:CreateLogStream", "logs:PutLogEvents")
		add(f, "*", "Lambda tells X-Ray of the invocation", "xray:PutTraceSegments", "xray:PutTelemetryRecords")
	}
	for _, s := range topology.Streams() {
		table := "arn:aws:dynamodb:*:table/*-" + s.Table.Name
		add(s.Function, table+"/stream/*", "Lambda reads the stream",
			"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
		add(s.Function, failed(s.Function), "Lambda puts there the records that the function could not handle", "sqs:SendMessage")
	}
	for _, q := range topology.Queues() {
		add(q.Function, "arn:aws:sqs:*-"+q.Name, "Lambda takes the messages from the queue",
			"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
	}
	for _, f := range []topology.Function{topology.NoticeFunction, topology.PublishFunction} {
		add(f, failed(f), "Lambda puts there the events that the function could not handle", "sqs:SendMessage")
	}
	return out
}

func failed(f topology.Function) string { return "arn:aws:sqs:*-" + string(f) + "-failed" }
