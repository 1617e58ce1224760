package survey

import (
	"strconv"
	"strings"
	"time"
)

// Span is a length of time as people write it in a touchpoints file: a whole
// number and a unit, "3s", "10m", "12h" or "90d". A day is 24 hours.
type Span time.Duration

const day = 24 * time.Hour

var units = []struct {
	name string
	unit time.Duration
}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// maxSpan keeps every span far from overflow: ten years.
const maxSpan = 3650 * day

// ParseSpan reads a span of at most ten years.
func ParseSpan(s string) (Span, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || time.Duration(n) > maxSpan/u.unit {
			break
		}
		return Span(time.Duration(n) * u.unit), nil
	}
	return 0, Errorf(Invalid, "", "%q is not a time span: write a whole number and s, m, h or d, at most 3650d", s)
}

// String writes the span in the largest unit that divides it.
func (s Span) String() string {
	d := time.Duration(s)
	for _, u := range units {
		if d%u.unit == 0 && d != 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	return "0s"
}

// MarshalText writes the span as [Span.String] does.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the span as [ParseSpan] does.
func (s *Span) UnmarshalText(b []byte) error {
	v, err := ParseSpan(string(b))
	if err != nil {
		return err
	}
	*s = v
	return nil
}
