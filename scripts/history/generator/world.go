package generator

import (
	"math"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Event is something that happened in the history.
type Event struct {
	Text string    // as somebody in the company would note it
	At   time.Time // the midnight that its first day begins with
	// Touchpoint is the only one that it concerns; "" for all.
	Touchpoint string
}

// Events returns what a reader should find in the results, in order of time.
func (h History) Events() []Event {
	w := newWorld(h)
	return []Event{
		{"Uusi kassa", w.start(w.newCheckout), "shop-checkout"},
		{"Hinnankorotus", w.start(w.priceRise), ""},
	}
}

// world is what happens to all touchpoints, by day counted from the first.
type world struct {
	History
	days                                            int
	newCheckout, priceRise                          int
	strike, crowdedSupport, brokenSearch, badWinter span
}

// span is some days: the first, and the first after.
type span struct{ from, to int }

func (s span) has(d int) bool { return s.from <= d && d < s.to }

func newWorld(h History) *world {
	w := &world{History: h}
	from, until := h.From.In(h.Zone), h.Until.In(h.Zone)
	w.days = int(until.Sub(from).Hours()/24) + 2
	ago := func(days int) int { return w.days - 1 - days }
	w.newCheckout, w.priceRise = ago(300), ago(125)
	for w.start(w.newCheckout).Weekday() != time.Tuesday {
		w.newCheckout++
	}
	for w.start(w.priceRise).Day() != 1 {
		w.priceRise++
	}
	w.strike = span{ago(505), ago(495)}
	w.badWinter = span{ago(650), ago(643)}
	w.brokenSearch = span{ago(210), ago(203)}
	w.crowdedSupport = span{ago(47), ago(38)}
	return w
}

// start returns the midnight that a day begins with.
func (w *world) start(d int) time.Time {
	f := w.From.In(w.Zone)
	return time.Date(f.Year(), f.Month(), f.Day()+d, 0, 0, 0, 0, w.Zone)
}

// rush reports whether a day is in the Christmas rush: orders come from Black
// Friday on, and deliveries are late from December to Epiphany.
func (w *world) rush(d int) (orders, deliveries bool) {
	switch m, day := w.start(d).Month(), w.start(d).Day(); m {
	case time.November:
		return day >= 20, false
	case time.December:
		return day <= 23, day >= 3
	case time.January:
		return false, day <= 6
	default:
		return false, false
	}
}

// busy returns how much happens at a touchpoint on a day, 1 on a usual one.
func (w *world) busy(p profile, d int) float64 {
	at := w.start(d)
	f := p.week[at.Weekday()]
	orders, deliveries := w.rush(d)
	switch {
	case p.follows == withOrders && orders:
		f *= 1.8
	case p.follows == withDeliveries && deliveries:
		f *= 1.7
	case p.follows == withTrouble && (deliveries || w.strike.has(d) || w.crowdedSupport.has(d)):
		f *= 1.5
	case p.follows == withLeaving && d >= w.priceRise:
		f *= 1 + .9*w.fresh(w.priceRise, d, 70)
	}
	if at.Month() == time.July {
		f *= .75
	}
	return f * (1 + .15*w.years(d)) // the shop grows
}

func (w *world) years(d int) float64 { return float64(d) / 365 }

// fresh returns how fresh a thing of a day is some days later: 1 at once, less
// and less after.
func (w *world) fresh(from, d int, fade float64) float64 {
	if d < from {
		return 0
	}
	return math.Exp(-float64(d-from) / fade)
}

// person is what is known of who answers; empty for nothing.
type person struct{ plan, area string }

var (
	locales = []weighted[string]{{"fi", 80}, {"sv", 8}, {"en", 12}}
	plans   = []weighted[string]{{"basic", 68}, {"gold", 32}}
	areas   = []weighted[string]{{"helsinki", 45}, {"tampere", 22}, {"turku", 18}, {"oulu", 15}}
)

// mood returns how people feel at a touchpoint on a day, in standard
// deviations from a usual one.
func (w *world) mood(p profile, d int, ch survey.Channel, who person) float64 {
	m := p.base + p.trend*w.years(d)
	switch ch {
	case survey.Email:
		m += .06
	case survey.SMS, survey.Popup:
		m -= .06
	}
	switch who.plan {
	case "gold":
		m += .28
	case "basic":
		m -= .10
	}
	_, late := w.rush(d)
	if late {
		m -= .55 * p.feels[delivery]
	}
	if who.area == "oulu" {
		m -= .30 * p.feels[delivery]
	}
	if w.strike.has(d) || w.badWinter.has(d) {
		m -= .80 * p.feels[delivery]
	}
	if d >= w.newCheckout {
		m += .60 * p.feels[ordering]
	}
	if d >= w.priceRise {
		switch who.plan {
		case "gold":
			m -= .05 * p.feels[price]
		case "basic":
			m -= .55 * p.feels[price]
		default:
			m -= .35 * p.feels[price]
		}
	}
	if w.crowdedSupport.has(d) {
		m -= .80 * p.feels[waiting]
	}
	if w.brokenSearch.has(d) {
		m -= 1.0 * p.feels[search]
	}
	return m
}

// talked returns how much a theme is talked of by the unhappy on a day, 1 on a
// usual one.
func (w *world) talked(t theme, d int, who person) float64 {
	_, late := w.rush(d)
	switch {
	case t == delivery && (w.strike.has(d) || w.badWinter.has(d)):
		return 6
	case t == delivery && late:
		return 4
	case t == delivery && who.area == "oulu":
		return 2
	case t == ordering && d >= w.newCheckout:
		return .15
	case t == price && d >= w.priceRise:
		f := 2 + 7*w.fresh(w.priceRise, d, 60)
		if who.plan == "gold" {
			f /= 3
		}
		return f
	case t == waiting && w.crowdedSupport.has(d):
		return 6
	case t == search && w.brokenSearch.has(d):
		return 6
	default:
		return 1
	}
}

// praised returns how much a theme is praised on a day.
func (w *world) praised(t theme, d int) float64 {
	_, late := w.rush(d)
	switch {
	case t == ordering && d >= w.newCheckout:
		return 1 + 2.5*w.fresh(w.newCheckout, d, 90)
	case t == ordering:
		return .4
	case t == price && d >= w.priceRise, t == delivery && late:
		return .2
	default:
		return 1
	}
}
