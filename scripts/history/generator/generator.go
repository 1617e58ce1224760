// Package generator makes up two years of a shop's customers: what they were
// asked, when they answered, how, and why. The same seed gives the same
// history.
//
// It is made to look like one: weeks and seasons, a slow trend, a Christmas
// rush with late deliveries, people and channels that differ, weeks in which
// something broke. Two things happened that a reader of the results should
// find ([History.Events]): a new checkout, after which ordering is easier, and a
// price rise, after which the customers of the cheaper plan recommend less. The comments tell of them in their time.
package generator

import (
	"cmp"
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Years is how long a history is.
const Years = 2

// History is a time to make up, and for which touchpoints.
type History struct {
	// Seed decides everything by chance, and the ids.
	Seed []byte
	// Touchpoints are those in force; see [Knows].
	Touchpoints []*survey.Touchpoint
	// From and Until are the time that is covered: nothing happens at Until or
	// later, so what was sent just before it may be unanswered.
	From, Until time.Time
	// Zone is that of the customers' days.
	Zone *time.Location
}

// Knows reports whether anything is made up for a touchpoint: for those of the
// local stack's file, unless they have another metric by now.
func Knows(t *survey.Touchpoint) bool {
	p, ok := profiles[t.ID]
	return ok && p.metric == t.Metric
}

// Asks returns the asks as they stand at Until, in the order in which they were
// made. Those without SentAt are votes. Each is marked as generated, and each
// of its times is what the store makes of the steps that led there.
func (h History) Asks() []*survey.Ask {
	var out []*survey.Ask
	w := newWorld(h)
	for _, t := range h.Touchpoints {
		if !Knows(t) {
			continue
		}
		sum := sha256.Sum256(slices.Concat(h.Seed, []byte{0}, []byte(t.ID)))
		m := &maker{world: w, profile: profiles[t.ID], touchpoint: t, rand: rand.New(rand.NewChaCha8(sum))}
		for d := range w.days {
			out = append(out, m.day(d)...)
		}
	}
	slices.SortFunc(out, func(a, b *survey.Ask) int {
		return cmp.Or(a.AskedAt.Compare(b.AskedAt), strings.Compare(a.ID, b.ID))
	})
	return out
}

// maker makes up the asks of one touchpoint.
type maker struct {
	*world
	profile
	touchpoint *survey.Touchpoint
	rand       *rand.Rand
	made       int
}

// day makes up the asks of a day by its number.
func (m *maker) day(d int) []*survey.Ask {
	var out []*survey.Ask
	for _, s := range m.sources {
		if !slices.Contains(m.touchpoint.Channels, s.channel) {
			continue
		}
		for range m.poisson(s.daily * m.busy(m.profile, d)) {
			at := m.start(d).Add(time.Duration(float64(s.from)*float64(time.Hour) + m.rand.Float64()*float64(s.to-s.from)*float64(time.Hour))).UTC().Truncate(time.Millisecond)
			m.made++
			if at.Before(m.From) || !at.Before(m.Until) {
				continue
			}
			out = append(out, m.ask(d, s, at))
		}
	}
	return out
}

func (m *maker) ask(d int, s source, at time.Time) *survey.Ask {
	t := m.touchpoint
	a := &survey.Ask{
		ID:         survey.AskID(m.Seed, t.ID, "demo series "+strconv.Itoa(t.Series), strconv.Itoa(m.made)),
		Touchpoint: t.ID, Series: t.Series, Metric: t.Metric, Channel: s.channel, Locale: pick(m.rand, locales), Demo: true, AskedAt: at,
	}
	p := person{plan: pick(m.rand, plans), area: pick(m.rand, areas)}
	if !s.sent() {
		if len(t.Segments["plan"]) > 0 {
			a.Attrs = map[string]string{"plan": p.plan}
			a.Segments = t.SegmentsOf(a.Attrs)
		} else {
			p = person{}
		}
		if s.page != "" {
			a.Page = s.page
		}
		a.Score = m.score(d, s.channel, p)
		a.Trust, a.AnsweredAt, a.EditedAt = survey.Human, at, at
		a.Comment = m.comment(d, a, p)
		return a
	}
	a.Segments = []string{"area=" + p.area, "plan=" + p.plan}
	a.SentAt = at.Add(time.Duration(300+m.rand.IntN(1500)) * time.Millisecond)
	switch r := m.rand.Float64(); {
	case r < s.bounces:
		a.BouncedAt = m.until(a.SentAt.Add(m.within(2 * time.Minute)))
		return a
	case r < 1-unheard:
		a.DeliveredAt = m.until(a.SentAt.Add(m.within(20 * time.Second)))
	}
	rate := s.answers
	if p.plan == "gold" {
		rate *= 1.25
	}
	switch r := m.rand.Float64(); {
	case r < scanned && s.channel == survey.Email:
		// A scanner opened a link at once, with a score of its own.
		low, high := t.Metric.Scale()
		a.Score = low + m.rand.IntN(high-low+1)
		a.Trust, a.AnsweredAt = survey.Suspect, a.SentAt.Add(2*time.Second)
		a.AutoAt = a.AnsweredAt
	case r < rate:
		m.answer(d, s, a, p)
	}
	if !a.AnsweredAt.Before(m.Until) {
		a.Score, a.Comment, a.Trust, a.AnsweredAt, a.EditedAt, a.AutoAt = 0, "", "", time.Time{}, time.Time{}, time.Time{}
	}
	return a
}

// answer has a person answer an ask some time after it came.
func (m *maker) answer(d int, s source, a *survey.Ask, p person) {
	delay := time.Minute + time.Duration(m.rand.ExpFloat64()*float64(s.delay))
	if m.rand.Float64() < 0.2 {
		delay += time.Duration(m.rand.ExpFloat64() * float64(40*time.Hour)) // who reads mail at the weekend
	}
	a.AnsweredAt = a.SentAt.Add(min(delay, survey.AnswerWindow/3)).Truncate(time.Millisecond)
	a.Score = m.score(d, s.channel, p)
	a.Comment = m.comment(d, a, p)
	if a.Comment == "" && m.rand.Float64() < 0.4 {
		a.Trust, a.AutoAt = survey.Click, a.AnsweredAt
		return
	}
	a.Trust, a.EditedAt = survey.Human, a.AnsweredAt
}

// score draws a score: a mood that differs from person to person around the
// day's, put on the metric's scale.
func (m *maker) score(d int, ch survey.Channel, p person) int {
	mood := m.mood(m.profile, d, ch, p) + m.rand.NormFloat64()
	low, high := m.metric.Scale()
	best := high
	if m.metric == survey.CES5 {
		best = low
	}
	for i, bound := range bounds[m.metric] {
		if mood < bound {
			if best == low {
				return high - i
			}
			return low + i
		}
	}
	return best
}

// bounds are the moods between the answers of a metric, from the worst to the
// best: those of a standard normal distribution that give the shares.
var bounds = func() map[survey.Metric][]float64 {
	out := map[survey.Metric][]float64{}
	for metric, shares := range map[survey.Metric][]float64{
		survey.NPS:    {.020, .010, .015, .020, .025, .050, .060, .130, .210, .200, .260},
		survey.CSAT:   {.050, .060, .120, .370, .400},
		survey.CES:    {.030, .040, .060, .100, .200, .300, .270},
		survey.CES5:   {.040, .080, .150, .330, .400},
		survey.Smiley: {.040, .080, .380, .500},
		survey.Thumbs: {.230, .770},
	} {
		sum := 0.0
		for _, s := range shares[:len(shares)-1] {
			sum += s
			out[metric] = append(out[metric], math.Sqrt2*math.Erfinv(2*sum-1))
		}
	}
	return out
}()

// until returns a time, or none where it has not come.
func (m *maker) until(t time.Time) time.Time {
	if t.Before(m.Until) {
		return t
	}
	return time.Time{}
}

func (m *maker) within(d time.Duration) time.Duration {
	return time.Duration(m.rand.Int64N(int64(d))).Truncate(time.Millisecond)
}

// poisson draws how many of something come on average mean times (Knuth's
// method, for small means).
func (m *maker) poisson(mean float64) int {
	limit, n := math.Exp(-mean), 0
	for p := m.rand.Float64(); p > limit; p *= m.rand.Float64() {
		n++
	}
	return n
}

// weighted is a choice and how often it is made beside the others.
type weighted[T any] struct {
	value  T
	weight float64
}

func pick[T any](r *rand.Rand, choices []weighted[T]) T {
	sum := 0.0
	for _, c := range choices {
		sum += c.weight
	}
	at := r.Float64() * sum
	for _, c := range choices {
		if at -= c.weight; at < 0 {
			return c.value
		}
	}
	return choices[len(choices)-1].value
}
