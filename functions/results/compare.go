package results

import (
	"context"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

// comparison is the answer to GET /api/compare/{touchpoint}.
type comparison struct {
	Touchpoint string        `json:"touchpoint"`
	Metric     survey.Metric `json:"metric"`
	Series     int           `json:"series"`
	First      period        `json:"first"`
	Second     period        `json:"second"`
	Difference *difference   `json:"difference"` // from the first to the second; null where either has no answer
}

// side is the answers of some days that are in a group.
type side struct {
	span
	group score.Group
}

// with are the names of the parameters of the second of two.
var with = names{"withFrom", "withTo", "withChannel", "withSegment"}

// parseComparison reads which answers are held against which. What is left out
// of the second is as with the first: the days, and the channel or segment.
//
// The two must share no answer, which the difference supposes: on days that
// both have, the groups must be two channels, or two values of one attribute,
// plan=gold and plan=basic. People can be in two other segments at once, and
// everyone in a segment has come by some channel; how those differ from the
// rest is in the segments and channels of a report.
func parseComparison(raw string, today time.Time) (first, second side, err error) {
	values, err := onceEach(raw, asked.from, asked.to, asked.channel, asked.segment, with.from, with.to, with.channel, with.segment)
	if err != nil {
		return first, second, err
	}
	if first.span, err = parseSpan(values, asked, today); err != nil {
		return first, second, err
	}
	if first.group, err = parseGroup(values); err != nil {
		return first, second, err
	}
	second = first
	if values.Has(with.from) != values.Has(with.to) {
		return first, second, survey.Errorf(survey.Invalid, with.to, "withFrom and withTo must be there together")
	}
	if values.Has(with.from) {
		if second.span, err = parseSpan(values, with, today); err != nil {
			return first, second, err
		}
	}
	if values.Has(with.channel) || values.Has(with.segment) {
		if second.group, err = parseGroupAs(values, with); err != nil {
			return first, second, err
		}
	}
	if first.from.Before(second.to) && second.from.Before(first.to) && !apart(first.group, second.group) {
		field := with.from
		if first.group != second.group {
			field = with.segment
		}
		return first, second, survey.Errorf(survey.Invalid, field, "%s must be such that no answer is in both: other days, or on the same days two channels or two values of one attribute", field)
	}
	return first, second, nil
}

// apart reports whether no answer can be in both groups.
func apart(a, b score.Group) bool {
	if a == b {
		return false
	}
	_, channel := a.Channel()
	_, other := b.Channel()
	if channel && other {
		return true
	}
	attribute, _, ok := strings.Cut(string(a), "=")
	same, _, ok2 := strings.Cut(string(b), "=")
	return ok && ok2 && attribute == same
}

func (h *Handler) compare(ctx context.Context, r *call) (apigw.Response, error) {
	t, err := h.touchpoint(ctx, r, r.Path("touchpoint"))
	if err != nil {
		return apigw.Response{}, err
	}
	first, second, err := parseComparison(r.RawQueryString, h.today())
	if err != nil {
		return apigw.Response{}, err
	}
	var parts []part
	for _, s := range []*side{&first, &second} {
		if s.group, err = r.group(s.group); err != nil {
			return apigw.Response{}, err
		}
		parts = append(parts, part{seriesOf(t), month, s.span})
	}
	c, err := h.read(ctx, parts)
	if err != nil {
		return apigw.Response{}, err
	}
	out := comparison{Touchpoint: t.ID, Metric: t.Metric, Series: t.Series}
	var tallies []score.Tally
	for i, s := range []side{first, second} {
		if err := c.know(r.who, s.group); err != nil {
			return apigw.Response{}, err
		}
		tallies = append(tallies, c.sum(parts[i])[s.group])
	}
	out.First, out.Second = newPeriod(t, first.span, tallies[0]), newPeriod(t, second.span, tallies[1])
	out.Difference = compared(t, tallies[0], tallies[1])
	return tagged(r, out), nil
}
