package survey

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what a person or a program can send with an answer. Characters
// are Unicode code points.
const (
	MaxComment       = 2000
	MaxRef           = 64
	MaxPage          = 300
	MaxAttrs         = 10
	MaxAttrKey       = 40
	MaxAttrValue     = 200
	MaxSegmentsOfAsk = 20
)

// Answer is what arrives for an ask. A nil Comment leaves the comment as it
// is; an empty one removes it.
type Answer struct {
	Score   int
	Comment *string
	Via     Via
}

// Step is what an answer does to an ask as it stands.
type Step string

// The steps. Each but Keep is one conditional write.
const (
	Keep     Step = "keep"     // nothing to write: the answer that stands, stands
	Take     Step = "take"     // the answer becomes the ask's
	Distrust Step = "distrust" // the ask becomes suspect; the score that stands is kept where there is one
)

// Decide applies the rules of trust (architecture: "one click without robots'
// votes", rules 3 and 4) to an ask as it stands and an answer that arrives
// now:
//
//   - A human always wins: the answer is taken with trust human, whatever
//     stood there, and nothing automatic ever changes it again.
//   - The first automatic answer is taken with trust click, unless it comes
//     within [SendGrace] of sending: then it is suspect.
//   - Another automatic answer with a different score within
//     [ScannerWindow] of the last makes the ask suspect; after that time it is
//     the same reader clicking another score, and is taken.
//   - A suspect ask stays so until a human answers.
//
// It returns the step and the trust that the ask has afterwards. The errors
// are [Invalid] with the field score where the ask's metric does not admit the
// score, and [Closed] where it is too late.
func (a *Ask) Decide(in Answer, now time.Time) (Step, Trust, error) {
	if err := CheckScore(a.Metric, in.Score); err != nil {
		return "", "", err
	}
	if !now.Before(a.Open()) {
		if a.Counted() {
			return "", "", Errorf(Closed, "", "the answer could be changed until %s", a.Open().UTC().Format(time.RFC3339))
		}
		return "", "", Errorf(Closed, "", "the question could be answered until %s", a.Open().UTC().Format(time.RFC3339))
	}
	if in.Via == ViaHuman {
		return Take, Human, nil
	}
	switch a.Trust {
	case Human, Suspect:
		return Keep, a.Trust, nil
	case Click:
		switch {
		case in.Score == a.Score:
			return Keep, Click, nil
		case now.Sub(a.AutoAt) < ScannerWindow:
			return Distrust, Suspect, nil
		}
		return Take, Click, nil
	}
	if !a.SentAt.IsZero() && now.Sub(a.SentAt) < SendGrace {
		return Distrust, Suspect, nil
	}
	return Take, Click, nil
}

// Vote is what a page, an app or a kiosk posts to a touchpoint. ID is made
// by the client, which makes a retry harmless. A nil Comment leaves the
// comment as it is; an empty one removes it.
type Vote struct {
	ID      string
	Score   int
	Comment *string
	Channel Channel
	Locale  string
	Page    string
	Ref     string
	Attrs   map[string]string
	Demo    bool // see [Ask.Demo]; nothing that is posted sets it
}

// CheckScore returns an [Invalid] error on the field score where m does not
// admit it.
func CheckScore(m Metric, score int) error {
	if m.Admits(score) {
		return nil
	}
	low, high := m.Scale()
	return Errorf(Invalid, "score", "score must be a whole number from %d to %d", low, high)
}

// CleanComment returns the comment with line ends as "\n" and no white space
// around it. It returns an [Invalid] error on the field comment where the
// comment is over [MaxComment] characters, is not UTF-8 or has control
// characters other than tab and line end.
func CleanComment(s string) (string, error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	s = strings.TrimSpace(s)
	switch {
	case !utf8.ValidString(s):
		return "", Errorf(Invalid, "comment", "comment must be UTF-8")
	case utf8.RuneCountInString(s) > MaxComment:
		return "", Errorf(Invalid, "comment", "comment must be at most %d characters", MaxComment)
	case hasControl(s):
		return "", Errorf(Invalid, "comment", "comment must not contain control characters")
	}
	return s, nil
}

// Check returns an [Invalid] error naming the first field of the vote that
// breaks a rule. It also cleans the comment, names the channel where the vote
// does not, and cuts the page at its query: what follows may name a person.
func (v *Vote) Check(t *Touchpoint) error {
	if err := CheckID("id", v.ID); err != nil {
		return err
	}
	if err := CheckScore(t.Metric, v.Score); err != nil {
		return err
	}
	if v.Comment != nil {
		c, err := CleanComment(*v.Comment)
		if err != nil {
			return err
		}
		v.Comment = &c
	}
	open := slices.DeleteFunc([]Channel{Popup, Link, App, Kiosk}, func(c Channel) bool { return !slices.Contains(t.Channels, c) })
	if len(open) == 0 {
		return Errorf(Invalid, "channel", "channel: no channel of this touchpoint takes votes")
	}
	if v.Channel == "" {
		v.Channel = open[0]
	}
	if !slices.Contains(open, v.Channel) {
		return Errorf(Invalid, "channel", "channel must be one that takes votes for this touchpoint: %s", list(open))
	}
	if v.Locale != "" && !validLocale(v.Locale) {
		return Errorf(Invalid, "locale", "locale must be a language such as fi or sv-FI")
	}
	v.Page = cutQuery(v.Page)
	if err := checkLine("page", v.Page, MaxPage); err != nil {
		return err
	}
	if err := checkLine("ref", v.Ref, MaxRef); err != nil {
		return err
	}
	if len(v.Attrs) > MaxAttrs {
		return Errorf(Invalid, "attrs", "attrs must have at most %d entries", MaxAttrs)
	}
	for _, k := range slices.Sorted(maps.Keys(v.Attrs)) {
		if !validSegmentPart(k) {
			return Errorf(Invalid, "attrs", "attrs must have names of 1 to %d letters, digits, spaces, - and _", MaxAttrKey)
		}
		if err := checkLine("attrs."+k, v.Attrs[k], MaxAttrValue); err != nil {
			return err
		}
	}
	return nil
}

func cutQuery(page string) string {
	if i := strings.IndexAny(page, "?#"); i >= 0 {
		return page[:i]
	}
	return page
}

func checkLine(field, s string, limit int) error {
	switch {
	case !utf8.ValidString(s):
		return Errorf(Invalid, field, "%s must be UTF-8", field)
	case utf8.RuneCountInString(s) > limit:
		return Errorf(Invalid, field, "%s must be at most %d characters", field, limit)
	case hasControl(s) || strings.ContainsAny(s, "\n\t"):
		return Errorf(Invalid, field, "%s must not contain control characters", field)
	}
	return nil
}

// hasControl reports whether s has a control character (Unicode category Cc)
// other than tab and line end.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t'
	})
}

func validSegmentPart(s string) bool {
	n := 0
	for _, r := range s {
		n++
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' && r != ' ' {
			return false
		}
	}
	return 1 <= n && n <= MaxAttrKey
}
