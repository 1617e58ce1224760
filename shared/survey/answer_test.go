package survey

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var asked = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestDecide has every state of an ask, against both ways of answering, the
// same and another score, on either side of every edge in time.
func TestDecide(t *testing.T) {
	const ms = time.Millisecond
	unanswered := Ask{Metric: NPS, AskedAt: asked}
	sent := Ask{Metric: NPS, AskedAt: asked, SentAt: asked.Add(time.Hour)}
	// The first answer came a day after the question, the last automatic one
	// an hour after that.
	answered, auto := asked.Add(24*time.Hour), asked.Add(25*time.Hour)
	in := func(trust Trust) Ask {
		return Ask{Metric: NPS, AskedAt: asked, SentAt: asked.Add(time.Hour), Trust: trust, Score: 9, AnsweredAt: answered, AutoAt: auto}
	}
	click, human, suspect := in(Click), in(Human), in(Suspect)
	neverAuto := in(Click)
	neverAuto.AutoAt = time.Time{}
	suspectVote := Ask{Metric: NPS, AskedAt: asked, Trust: Suspect, Score: 9, AnsweredAt: asked, AutoAt: asked}

	for _, c := range []struct {
		name  string
		ask   Ask
		score int
		via   Via
		at    time.Time
		step  Step
		trust Trust // "" for closed
	}{
		{"vote, auto, at once", unanswered, 9, Auto, asked, Take, Click},
		{"vote, human, at once", unanswered, 9, ViaHuman, asked, Take, Human},
		{"vote, auto, last millisecond", unanswered, 9, Auto, asked.Add(AnswerWindow - ms), Take, Click},
		{"vote, human, last millisecond", unanswered, 9, ViaHuman, asked.Add(AnswerWindow - ms), Take, Human},
		{"vote, auto, too late", unanswered, 9, Auto, asked.Add(AnswerWindow), "", ""},
		{"vote, human, too late", unanswered, 9, ViaHuman, asked.Add(AnswerWindow), "", ""},

		{"sent, auto, at once", sent, 9, Auto, sent.SentAt, Distrust, Suspect},
		{"sent, auto, before it was sent", sent, 9, Auto, asked, Distrust, Suspect},
		{"sent, auto, within the grace", sent, 9, Auto, sent.SentAt.Add(5*time.Second - ms), Distrust, Suspect},
		{"sent, auto, after the grace", sent, 9, Auto, sent.SentAt.Add(5 * time.Second), Take, Click},
		{"sent, human, within the grace", sent, 9, ViaHuman, sent.SentAt.Add(ms), Take, Human},
		{"sent, auto, last millisecond", sent, 9, Auto, asked.Add(AnswerWindow - ms), Take, Click},
		{"sent, auto, too late", sent, 9, Auto, asked.Add(AnswerWindow), "", ""},

		{"click, same, auto, at once", click, 9, Auto, auto, Keep, Click},
		{"click, same, auto, within the window", click, 9, Auto, auto.Add(120*time.Second - ms), Keep, Click},
		{"click, same, auto, after the window", click, 9, Auto, auto.Add(120 * time.Second), Keep, Click},
		{"click, other, auto, at once", click, 3, Auto, auto, Distrust, Suspect},
		{"click, other, auto, within the window", click, 3, Auto, auto.Add(120*time.Second - ms), Distrust, Suspect},
		{"click, other, auto, after the window", click, 3, Auto, auto.Add(120 * time.Second), Take, Click},
		{"click, other, auto, by an earlier clock", click, 3, Auto, auto.Add(-time.Hour), Distrust, Suspect},
		{"click, other, auto, never auto before", neverAuto, 3, Auto, auto, Take, Click},
		{"click, same, human", click, 9, ViaHuman, auto, Take, Human},
		{"click, other, human", click, 3, ViaHuman, auto, Take, Human},
		{"click, other, auto, last millisecond", click, 3, Auto, answered.Add(EditWindow - ms), Take, Click},
		{"click, same, auto, too late", click, 9, Auto, answered.Add(EditWindow), "", ""},
		{"click, other, auto, too late", click, 3, Auto, answered.Add(EditWindow), "", ""},
		{"click, human, last millisecond", click, 3, ViaHuman, answered.Add(EditWindow - ms), Take, Human},
		{"click, human, too late", click, 3, ViaHuman, answered.Add(EditWindow), "", ""},

		{"human, same, auto", human, 9, Auto, auto, Keep, Human},
		{"human, other, auto, within the window", human, 3, Auto, auto.Add(ms), Keep, Human},
		{"human, other, auto, after the window", human, 3, Auto, auto.Add(time.Hour), Keep, Human},
		{"human, same, human", human, 9, ViaHuman, auto, Take, Human},
		{"human, other, human, last millisecond", human, 3, ViaHuman, answered.Add(EditWindow - ms), Take, Human},
		{"human, other, human, too late", human, 3, ViaHuman, answered.Add(EditWindow), "", ""},
		{"human, same, auto, too late", human, 9, Auto, answered.Add(EditWindow), "", ""},

		{"suspect, same, auto, within the window", suspect, 9, Auto, auto.Add(ms), Keep, Suspect},
		{"suspect, same, auto, after the window", suspect, 9, Auto, auto.Add(time.Hour), Keep, Suspect},
		{"suspect, other, auto, within the window", suspect, 3, Auto, auto.Add(ms), Keep, Suspect},
		{"suspect, other, auto, after the window", suspect, 3, Auto, auto.Add(time.Hour), Keep, Suspect},
		{"suspect, same, human", suspect, 9, ViaHuman, auto, Take, Human},
		{"suspect, other, human", suspect, 3, ViaHuman, auto, Take, Human},
		{"suspect, human, after an answer's window", suspect, 3, ViaHuman, answered.Add(EditWindow), Take, Human},
		{"suspect, human, last millisecond", suspect, 3, ViaHuman, asked.Add(AnswerWindow - ms), Take, Human},
		{"suspect, human, too late", suspect, 3, ViaHuman, asked.Add(AnswerWindow), "", ""},
		{"suspect, auto, too late", suspect, 3, Auto, asked.Add(AnswerWindow), "", ""},
		{"suspect vote, human", suspectVote, 3, ViaHuman, asked.Add(time.Hour), Take, Human},

		{"a way nobody knows is trusted least", sent, 9, "robot", sent.SentAt, Distrust, Suspect},
		{"no way is trusted least", human, 3, "", auto, Keep, Human},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.ask
			step, trust, err := c.ask.Decide(Answer{Score: c.score, Via: c.via}, c.at)
			if step != c.step || trust != c.trust {
				t.Errorf("%s, %q, want %s, %q", step, trust, c.step, c.trust)
			}
			if closed := CodeOf(err) == Closed; closed != (c.trust == "") || err != nil && !closed {
				t.Errorf("error %v", err)
			}
			if fmt.Sprint(c.ask) != fmt.Sprint(before) {
				t.Errorf("Decide changed the ask: %+v", c.ask)
			}
		})
	}
}

func TestDecideTellsWhatWasTooLate(t *testing.T) {
	for _, c := range []struct {
		ask  Ask
		want string
	}{
		{Ask{Metric: NPS, AskedAt: asked}, "the question could be answered until 2026-05-30T12:00:00Z"},
		{Ask{Metric: NPS, AskedAt: asked, Trust: Suspect, AnsweredAt: asked}, "the question could be answered until 2026-05-30T12:00:00Z"},
		{Ask{Metric: NPS, AskedAt: asked, Trust: Click, AnsweredAt: asked.Add(time.Hour)}, "the answer could be changed until 2026-03-31T13:00:00Z"},
	} {
		_, _, err := c.ask.Decide(Answer{Score: 1, Via: ViaHuman}, asked.AddDate(1, 0, 0))
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != Closed || e.Message != c.want {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// The score is held against the metric first: it is wrong at any time.
func TestDecideRefusesAScore(t *testing.T) {
	a := Ask{Metric: CES, AskedAt: asked}
	for _, at := range []time.Time{asked, asked.Add(AnswerWindow)} {
		for _, score := range []int{0, 8} {
			step, trust, err := a.Decide(Answer{Score: score, Via: ViaHuman}, at)
			wantError(t, err, "score", "score must be a whole number from 1 to 7")
			if step != "" || trust != "" {
				t.Errorf("%q, %q", step, trust)
			}
		}
	}
}

func TestStatesOfAnAsk(t *testing.T) {
	for _, c := range []struct {
		trust             Trust
		answered, counted bool
		open              time.Time
	}{
		{"", false, false, asked.Add(90 * 24 * time.Hour)},
		{Suspect, true, false, asked.Add(90 * 24 * time.Hour)},
		{Click, true, true, asked.Add(31 * 24 * time.Hour)},
		{Human, true, true, asked.Add(31 * 24 * time.Hour)},
	} {
		a := Ask{AskedAt: asked, AnsweredAt: asked.Add(24 * time.Hour), Trust: c.trust}
		if a.Answered() != c.answered || a.Counted() != c.counted || !a.Open().Equal(c.open) {
			t.Errorf("%q: answered %v, counted %v, open until %v", c.trust, a.Answered(), a.Counted(), a.Open())
		}
	}
}

func TestCleanComment(t *testing.T) {
	emoji := strings.Repeat("😀", MaxComment)
	for _, c := range []struct{ name, in, want, refused string }{
		{"nothing", "", "", ""},
		{"white space", " \t\r\n ", "", ""},
		{"text", "Nopea toimitus!", "Nopea toimitus!", ""},
		{"white space around", "\n  hyvä \t\r\n", "hyvä", ""},
		{"line ends of all kinds", "a\r\nb\rc\nd", "a\nb\nc\nd", ""},
		{"empty lines inside", "a\r\n\r\nb", "a\n\nb", ""},
		{"tab inside", "a\tb", "a\tb", ""},
		{"2000 emoji", emoji, emoji, ""},
		{"2000 emoji between spaces", "  " + emoji + "\r\n", emoji, ""},
		{"2001 emoji", emoji + "😀", "", "comment must be at most 2000 characters"},
		{"2000 with line ends of two", strings.Repeat("a\r\n", 999) + "aa", strings.Repeat("a\n", 999) + "aa", ""},
		{"NUL", "a\x00b", "", "comment must not contain control characters"},
		{"bell", "\aa", "", "control characters"},
		{"escape", "a\x1b[31m", "", "control characters"},
		{"delete", "a\x7f", "", "control characters"},
		{"C1", "a\u0081b", "", "control characters"},
		{"a vertical tab inside", "a\vb", "", "control characters"},
		{"not UTF-8", "a\xff", "", "comment must be UTF-8"},
		{"a lone surrogate", "\xed\xa0\x80", "", "comment must be UTF-8"},
		{"a cut emoji", emoji[:len(emoji)-1], "", "comment must be UTF-8"},
		{"joined and marked letters", "👩‍💻 e\u0301 שלום", "👩‍💻 e\u0301 שלום", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := CleanComment(c.in)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			wantError(t, err, "comment", c.refused)
		})
	}
}

func FuzzCleanComment(f *testing.F) {
	for _, s := range []string{"", " a ", "a\r\nb", "a\rb", "\x00", "\xff", "a\u0085", "\u2028a\u00a0", strings.Repeat("😀", 2001), "\r\r\n\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := CleanComment(s)
		if err != nil {
			if got != "" || CodeOf(err) != Invalid {
				t.Errorf("%q with %v", got, err)
			}
			return
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > MaxComment || got != strings.TrimSpace(got) {
			t.Errorf("%q", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Errorf("%q has %q", got, r)
			}
		}
		if again, err := CleanComment(got); err != nil || again != got {
			t.Errorf("%q becomes %q, %v", got, again, err)
		}
	})
}

func TestVoteCheck(t *testing.T) {
	touchpoint := good() // nps, by email and widget
	attrs := func(n int) map[string]string {
		out := map[string]string{}
		for i := range n {
			out[fmt.Sprintf("key %02d", i)] = "value"
		}
		return out
	}
	for _, c := range []struct {
		name    string
		edit    func(*Vote)
		field   string
		message string
	}{
		{"as it is", func(*Vote) {}, "", ""},
		{"id missing", func(v *Vote) { v.ID = "" }, "id", "id must be 22 characters of A-Z, a-z, 0-9, - and _"},
		{"id of 21", func(v *Vote) { v.ID = v.ID[1:] }, "id", "22 characters"},
		{"score 0", func(v *Vote) { v.Score = 0 }, "", ""},
		{"score 10", func(v *Vote) { v.Score = 10 }, "", ""},
		{"score 11", func(v *Vote) { v.Score = 11 }, "score", "score must be a whole number from 0 to 10"},
		{"score -1", func(v *Vote) { v.Score = -1 }, "score", "from 0 to 10"},
		{"comment of 2000", func(v *Vote) { v.Comment = new(strings.Repeat("ä", 2000)) }, "", ""},
		{"comment of 2001", func(v *Vote) { v.Comment = new(strings.Repeat("ä", 2001)) }, "comment", "at most 2000 characters"},
		{"comment with NUL", func(v *Vote) { v.Comment = new("\x00") }, "comment", "control characters"},
		{"channel of the touchpoint", func(v *Vote) { v.Channel = Popup }, "", ""},
		{"channel that takes no votes", func(v *Vote) { v.Channel = Email }, "channel", "channel must be one that takes votes for this touchpoint: widget"},
		{"channel of other touchpoints", func(v *Vote) { v.Channel = Kiosk }, "channel", "takes votes for this touchpoint: widget"},
		{"channel unknown", func(v *Vote) { v.Channel = "fax" }, "channel", "takes votes"},
		{"locale", func(v *Vote) { v.Locale = "en-GB" }, "", ""},
		{"locale unknown to the touchpoint", func(v *Vote) { v.Locale = "de" }, "", ""},
		{"locale misspelt", func(v *Vote) { v.Locale = "suomi" }, "locale", "locale must be a language such as fi or sv-FI"},
		{"page of 300", func(v *Vote) { v.Page = strings.Repeat("ä", 300) }, "", ""},
		{"page of 300 and a query", func(v *Vote) { v.Page = strings.Repeat("ä", 300) + "?" + strings.Repeat("x", 300) }, "", ""},
		{"page of 301", func(v *Vote) { v.Page = strings.Repeat("ä", 301) }, "page", "page must be at most 300 characters"},
		{"page with a line end", func(v *Vote) { v.Page = "a\nb" }, "page", "page must not contain control characters"},
		{"page not UTF-8", func(v *Vote) { v.Page = "\xff" }, "page", "page must be UTF-8"},
		{"ref of 64", func(v *Vote) { v.Ref = strings.Repeat("ä", 64) }, "", ""},
		{"ref of 65", func(v *Vote) { v.Ref = strings.Repeat("ä", 65) }, "ref", "ref must be at most 64 characters"},
		{"ref with a tab", func(v *Vote) { v.Ref = "a\tb" }, "ref", "ref must not contain control characters"},
		{"ref with delete", func(v *Vote) { v.Ref = "a\x7fb" }, "ref", "control characters"},
		{"ref not UTF-8", func(v *Vote) { v.Ref = "\xff" }, "ref", "ref must be UTF-8"},
		{"10 attrs", func(v *Vote) { v.Attrs = attrs(10) }, "", ""},
		{"11 attrs", func(v *Vote) { v.Attrs = attrs(11) }, "attrs", "attrs must have at most 10 entries"},
		{"attr name of 40", func(v *Vote) { v.Attrs = map[string]string{strings.Repeat("ä", 40): ""} }, "", ""},
		{"attr name of 41", func(v *Vote) { v.Attrs = map[string]string{strings.Repeat("ä", 41): ""} }, "attrs", "attrs must have names of 1 to 40 letters, digits, spaces, - and _"},
		{"attr without a name", func(v *Vote) { v.Attrs = map[string]string{"": "x"} }, "attrs", "names of 1 to 40"},
		{"attr name with a dot", func(v *Vote) { v.Attrs = map[string]string{"a.b": "x"} }, "attrs", "names of 1 to 40"},
		{"attr value of 200", func(v *Vote) { v.Attrs = map[string]string{"a": strings.Repeat("ä", 200)} }, "", ""},
		{"attr value of 201", func(v *Vote) { v.Attrs = map[string]string{"a": strings.Repeat("ä", 201)} }, "attrs.a", "attrs.a must be at most 200 characters"},
		{"attr value with a line end", func(v *Vote) { v.Attrs = map[string]string{"a": "x\n"} }, "attrs.a", "control characters"},
		{"two bad attrs, the first by name", func(v *Vote) { v.Attrs = map[string]string{"b": "\n", "a": "\n", "c": "\n"} }, "attrs.a", "control characters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &Vote{ID: strings.Repeat("A", 22), Score: 9}
			c.edit(v)
			wantError(t, v.Check(touchpoint), c.field, c.message)
		})
	}
}

func TestVoteCheckCleans(t *testing.T) {
	v := Vote{
		ID: strings.Repeat("A", 22), Score: 9, Comment: new(" a\r\nb "), Page: "shop.fi/kiitos?email=a@b.fi#c",
		Attrs: map[string]string{"plan": " gold "},
	}
	if err := v.Check(good()); err != nil {
		t.Fatal(err)
	}
	if *v.Comment != "a\nb" || v.Page != "shop.fi/kiitos" || v.Channel != Popup || !maps.Equal(v.Attrs, map[string]string{"plan": " gold "}) {
		t.Errorf("%+v, comment %q", v, *v.Comment)
	}
	for in, want := range map[string]string{"": "", "shop.fi/": "shop.fi/", "?a": "", "a#b?c": "a", "a?b#c": "a"} {
		v := Vote{ID: strings.Repeat("A", 22), Page: in}
		if err := v.Check(good()); err != nil || v.Page != want || v.Comment != nil {
			t.Errorf("%q: %q, %v, %v; want %q", in, v.Page, v.Comment, err, want)
		}
	}
}

func TestVoteChannel(t *testing.T) {
	for _, c := range []struct {
		open        []Channel
		given, want Channel
		refused     string
	}{
		{[]Channel{Kiosk, App, Link, Popup}, "", Popup, ""},
		{[]Channel{Kiosk, App, Link}, "", Link, ""},
		{[]Channel{Kiosk, App}, "", App, ""},
		{[]Channel{Email, Kiosk}, "", Kiosk, ""},
		{[]Channel{Popup, Kiosk}, Kiosk, Kiosk, ""},
		{[]Channel{Popup, Kiosk}, Link, "", "this touchpoint: widget, kiosk"},
		{[]Channel{Email, SMS, Agent}, "", "", "no channel of this touchpoint takes votes"},
		{[]Channel{Email, SMS, Agent}, Email, "", "no channel of this touchpoint takes votes"},
	} {
		p := good()
		p.Channels = c.open
		v := Vote{ID: strings.Repeat("A", 22), Channel: c.given}
		err := v.Check(p)
		wantError(t, err, "channel", c.refused)
		if err == nil && v.Channel != c.want {
			t.Errorf("%v: %s, want %s", c.open, v.Channel, c.want)
		}
	}
}
