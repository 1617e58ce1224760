package survey

import (
	"testing"
	"time"
)

func TestBounces(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 11, day, 9, 0, 0, 0, time.UTC) }
	soft := func(b Bounces, ask string, day int) Bounces { return b.Bounced("a@example.com", ask, false, at(day)) }
	four := soft(soft(soft(soft(Bounces{}, "1", 1), "2", 2), "3", 3), "4", 4)
	for _, c := range []struct {
		name string
		got  Bounces
		want Bounces
	}{
		{"one hard", Bounces{}.Bounced("a@example.com", "1", true, at(1)), Bounces{"a@example.com", 0, "1", at(1)}},
		{"one soft", soft(Bounces{}, "1", 1), Bounces{"a@example.com", 1, "1", time.Time{}}},
		{"the same told again", soft(soft(Bounces{}, "1", 1), "1", 2), Bounces{"a@example.com", 1, "1", time.Time{}}},
		{"soft, then hard of the same", soft(Bounces{}, "1", 1).Bounced("a@example.com", "1", true, at(2)), Bounces{"a@example.com", 0, "1", at(2)}},
		{"four soft", four, Bounces{"a@example.com", 4, "4", time.Time{}}},
		{"five soft", soft(four, "5", 5), Bounces{"a@example.com", 5, "5", at(5)}},
		{"a sixth: the stop stands from the fifth", soft(soft(four, "5", 5), "6", 6), Bounces{"a@example.com", 5, "5", at(5)}},
		{"one that arrived in between", soft(four.Delivered("a@example.com", "9"), "5", 5), Bounces{"a@example.com", 1, "5", time.Time{}}},
		{"one that arrived elsewhere", four.Delivered("b@example.com", "9"), four},
		{"arrived after the stop", soft(four, "5", 5).Delivered("a@example.com", "9"), Bounces{"a@example.com", 5, "5", at(5)}},
		{"arrived, and came back", soft(four.Delivered("a@example.com", "5"), "5", 5), Bounces{"a@example.com", 1, "5", time.Time{}}},
		{"came back, and arrived", soft(four, "5", 5).Delivered("a@example.com", "5"), Bounces{"a@example.com", 1, "5", time.Time{}}},
		{"hard after the stop", soft(four, "5", 5).Bounced("a@example.com", "6", true, at(6)), Bounces{"a@example.com", 0, "6", at(6)}},
		{"soft after hard", soft(four.Bounced("a@example.com", "5", true, at(5)), "6", 6), Bounces{"a@example.com", 0, "5", at(5)}},
		{"hard after hard", four.Bounced("a@example.com", "5", true, at(5)).Bounced("a@example.com", "6", true, at(6)), Bounces{"a@example.com", 0, "5", at(5)}},
		{"arrived after hard", four.Bounced("a@example.com", "5", true, at(5)).Delivered("a@example.com", "5"), Bounces{"a@example.com", 0, "5", at(5)}},
		{"a new address", four.Bounced("b@example.com", "5", false, at(5)), Bounces{"b@example.com", 1, "5", time.Time{}}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
}

func TestUndeliverable(t *testing.T) {
	since := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	c := Contact{Email: "a@example.com", Phone: "+358401234567", Bounces: map[Channel]Bounces{Email: {Address: "a@example.com", StoppedAt: since}}}
	if got, ok := c.Undeliverable(Email); !ok || !got.Equal(since) {
		t.Errorf("stopped: %v, %v", got, ok)
	}
	if _, ok := c.Undeliverable(SMS); ok {
		t.Error("another channel is stopped")
	}
	c.Email = "b@example.com"
	if _, ok := c.Undeliverable(Email); ok {
		t.Error("a new address is stopped")
	}
}
