package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/survey"
)

// incoming is a text message that somebody sent (AWS End User Messaging SMS,
// "Two-way SMS messaging": the payload of its Amazon SNS message).
type incoming struct {
	From string `json:"originationNumber"`
	Body string `json:"messageBody"`
	ID   string `json:"inboundMessageId"`
}

// reply takes a text message. Who sends one number of the scale answers the last
// question that they got by SMS and that is still open; who sends STOP, or the
// same in Finnish or Swedish, gets no more; what else they write is added to the
// comment, and words that are there are not added again.
func (h *Handler) reply(ctx context.Context, message string) error {
	var in incoming
	if err := json.Unmarshal([]byte(message), &in); err != nil || in.From == "" {
		passOver(ctx, "a text message that is none")
		return nil
	}
	from, err := address.Phone(in.From, "")
	if err != nil {
		passOver(ctx, "a text message from a number that is none", "serviceId", survey.Fingerprint(in.ID))
		return nil
	}
	c, err := h.Store.FindContact(ctx, "phone", from)
	if isGone(err) {
		passOver(ctx, "a text message from somebody nobody knows", "serviceId", survey.Fingerprint(in.ID))
		return nil
	}
	if err != nil {
		return err
	}
	if err := h.said(ctx, c, in.Body); err != nil && !isGone(err) {
		return fmt.Errorf("taking a text message of contact %s: %w", survey.Fingerprint(c.ID), err)
	}
	return nil
}

func (h *Handler) said(ctx context.Context, c *survey.Contact, body string) error {
	if back, ok := command(body); ok {
		_, err := h.Store.OptOut(ctx, c.ID, []survey.Channel{survey.SMS}, back, h.Now())
		return err
	}
	a, err := h.open(ctx, c)
	if err != nil {
		return err
	}
	if a == nil {
		passOver(ctx, "a text message to no open question", "contact", survey.Fingerprint(c.ID))
		return nil
	}
	score, rest, ok := Score(a.Metric, body)
	if !ok {
		rest = body
	}
	comment := added(a.Comment, words(rest))
	if !ok && !a.Counted() {
		return h.keep(ctx, a, comment)
	}
	in := survey.Answer{Score: score, Via: survey.ViaHuman}
	if !ok { // more about the answer that stands
		in.Score = a.Score
	}
	if comment != a.Comment {
		in.Comment = &comment
	}
	_, err = h.Store.Answer(ctx, a.ID, in, h.Now())
	if err != nil && survey.CodeOf(err) == survey.Closed {
		passOver(ctx, "a text message to a question that has closed", "contact", survey.Fingerprint(c.ID))
		return nil
	}
	return err
}

// keep keeps words that came without an answer.
func (h *Handler) keep(ctx context.Context, a *survey.Ask, comment string) error {
	if comment == a.Comment {
		return nil
	}
	err := h.Store.KeepReply(ctx, a, comment, h.Now())
	if err != nil && survey.CodeOf(err) == survey.Conflict {
		return fmt.Errorf("answered meanwhile, so try again: %w", err)
	}
	return err
}

// added is a comment with what is said after it: on a line of its own, once, and
// as far as there is room.
func added(comment, more string) string {
	if more == "" || strings.Contains("\n"+comment+"\n", "\n"+more+"\n") {
		return comment
	}
	return words(comment + "\n" + more)
}

// open returns the last ask of a contact by SMS that can be answered or changed,
// nil where there is none.
func (h *Handler) open(ctx context.Context, c *survey.Contact) (*survey.Ask, error) {
	all, err := h.Store.AsksOf(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	now := h.Now()
	i := slices.IndexFunc(all, func(a *survey.Ask) bool {
		return a.Channel == survey.SMS && !a.SentAt.IsZero() && now.Before(a.Open())
	})
	if i < 0 {
		return nil, nil
	}
	return all[i], nil
}

// commands are the words that end the questions, or bring them back, alone or
// with nothing but marks around them. The first three of stop are what the
// messages say; the rest, what people write and phone companies know (CTIA,
// Messaging Principles and Best Practices, section 5.1.3).
var commands = map[string]bool{
	"stop": false, "lopeta": false, "sluta": false,
	"stopp": false, "seis": false, "peru": false, "avsluta": false, "stopall": false, "unsubscribe": false, "cancel": false, "end": false, "quit": false,
	"start": true, "aloita": true, "börja": true, "unstop": true,
}

// promised are the commands that the messages name. Who sends one with a word or
// two beside it ("stop it please") means it too.
var promised = []string{"stop", "lopeta", "sluta"}

// command reports whether a text is a command, and whether it brings the
// questions back.
func command(body string) (back, ok bool) {
	said := strings.FieldsFunc(strings.ToLower(body), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	switch {
	case len(said) == 1:
		back, ok = commands[said[0]]
		return back, ok
	case len(said) == 0 || len(said) > 3:
		return false, false
	default:
		return false, slices.Contains(promised, said[0]) && !strings.ContainsFunc(body, unicode.IsDigit)
	}
}

var number = regexp.MustCompile(`[-+]?\d+([.,]\d+)?`)

// Score finds the answer in a text message: its only number, where that is whole
// and on the scale. "10/10" and "9 of 10" are one number too, as the scale's
// highest after the answer says nothing. rest is what is said beside it.
func Score(m survey.Metric, body string) (score int, rest string, ok bool) {
	found := number.FindAllStringIndex(body, -1)
	_, high := m.Scale()
	if len(found) == 2 && body[found[1][0]:found[1][1]] == strconv.Itoa(high) && of.MatchString(body[found[0][1]:found[1][0]]) {
		found = [][]int{{found[0][0], found[1][1]}}
	}
	if len(found) != 1 {
		return 0, "", false
	}
	from, to := found[0][0], found[0][1]
	before, _ := utf8.DecodeLastRuneInString(body[:from])
	after, _ := utf8.DecodeRuneInString(body[to:])
	if unicode.IsLetter(before) || unicode.IsLetter(after) {
		return 0, "", false // "A4": part of a word
	}
	digits := number.FindString(body[from:to])
	score, err := strconv.Atoi(digits)
	if err != nil || strings.ContainsAny(digits, "+-") || !m.Admits(score) {
		return 0, "", false
	}
	return score, strings.TrimFunc(body[:from]+body[to:], func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) }), true
}

// of stands between an answer and the scale's highest.
var of = regexp.MustCompile(`^\s*(/|of|out of|av|kautta)\s*$`)

// words is a text as a comment: cut to what a comment may have, and without
// what one must not.
func words(body string) string {
	body = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(body, "\ufffd"))
	body = strings.TrimSpace(body)
	if utf8.RuneCountInString(body) > survey.MaxComment {
		body = string([]rune(body)[:survey.MaxComment])
	}
	return strings.TrimSpace(body)
}
