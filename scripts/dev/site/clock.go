package site

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pulssi/pulssi/scripts/dev/ledger"
	"github.com/pulssi/pulssi/scripts/dev/service"
	"github.com/pulssi/pulssi/shared/survey"
)

// steps are how far the clock is moved by a button.
var steps = []string{"hour", "day", "week", "month", "quarter"}

// step returns the moment a step after t: the same time of the day in the
// zone, but for an hour.
func step(t time.Time, by string, zone *time.Location) (time.Time, bool) {
	local := t.In(zone)
	switch by {
	case "hour":
		return t.Add(time.Hour), true
	case "day":
		return local.AddDate(0, 0, 1), true
	case "week":
		return local.AddDate(0, 0, 7), true
	case "month":
		return local.AddDate(0, 1, 0), true
	case "quarter":
		return local.AddDate(0, 3, 0), true
	}
	return time.Time{}, false
}

// ofInput is how a browser writes the value of an input of type datetime-local.
const ofInput = "2006-01-02T15:04"

// clockView is what the page shows, and what its script asks for.
type clockView struct {
	Now      string  `json:"now"`
	Ahead    string  `json:"ahead"`
	Moving   bool    `json:"moving"`
	Progress string  `json:"progress"`
	Percent  int     `json:"percent"`
	Last     string  `json:"last"` // what became of the last move
	Days     dayView `json:"days"`

	Steps            []string `json:"-"`
	To, Min, Mistake string   `json:"-"`
}

// dayView is what happened by day.
type dayView struct {
	Sum   string   `json:"sum"`
	First string   `json:"first"`
	Last  string   `json:"last"`
	Width int      `json:"width"`
	Bars  []bar    `json:"bars"`
	Rows  []dayRow `json:"rows"`
}

// bar is one day in a chart of 100 by width: parts from the bottom up.
type bar struct {
	Title string `json:"title"`
	X     int    `json:"x"`
	Parts []part `json:"parts"`
}

type part struct {
	Kind   string  `json:"kind"` // asked, reminded, refused
	Y      float64 `json:"y"`
	Height float64 `json:"height"`
}

type dayRow struct {
	Day      string `json:"day"`
	Asked    int    `json:"asked"`
	Reminded int    `json:"reminded"`
	Refused  int    `json:"refused"`
}

const (
	shownDays  = 200 // the last ones
	fewestDays = 30  // for which there is room, however few there are
	barSpacing = 10  // a bar and the gap after it
)

func newDayView(days []ledger.Day) dayView {
	var v dayView
	if len(days) == 0 {
		v.Sum = "Nobody was asked yet, nor refused."
		return v
	}
	var all ledger.Day
	most, asking := 0, 0
	for _, d := range days {
		all.Asked += d.Asked
		all.Reminded += d.Reminded
		all.Refused += d.Refused
		most = max(most, d.Asked)
		if d.Asked > 0 {
			asking++
		}
	}
	v.Sum = fmt.Sprintf("%s asked, %s reminded, %s not asked.", number(all.Asked), number(all.Reminded), number(all.Refused))
	if asking > 1 {
		v.Sum += fmt.Sprintf(" On the %d days with asks, %.1f a day, and %s at most.", asking, float64(all.Asked)/float64(asking), number(most))
	}
	days = days[max(0, len(days)-shownDays):]
	from, to := days[0].Day, days[len(days)-1].Day
	if oldest := to.AddDate(0, 0, 1-shownDays); from.Before(oldest) {
		from = oldest
	}
	v.First, v.Last = from.Format("2 Jan 2006"), to.Format("2 Jan 2006")
	v.Width = barSpacing * max(fewestDays, int(to.Sub(from).Hours()/24)+1)
	highest := 0
	for _, d := range days {
		highest = max(highest, d.Asked+d.Reminded+d.Refused)
	}
	for _, d := range days {
		if d.Day.Before(from) {
			continue
		}
		name := d.Day.Format("Mon 2 Jan 2006")
		b := bar{
			Title: fmt.Sprintf("%s: %d asked, %d reminded, %d not asked", name, d.Asked, d.Reminded, d.Refused),
			X:     barSpacing * int(d.Day.Sub(from).Hours()/24),
		}
		top := 100.0
		for _, p := range []struct {
			kind string
			n    int
		}{{"asked", d.Asked}, {"reminded", d.Reminded}, {"refused", d.Refused}} {
			if p.n > 0 {
				height := 100 * float64(p.n) / float64(highest)
				top -= height
				b.Parts = append(b.Parts, part{p.kind, top, height})
			}
		}
		v.Bars = append(v.Bars, b)
		v.Rows = append(v.Rows, dayRow{name, d.Asked, d.Reminded, d.Refused})
	}
	return v
}

func (s *site) clockView() clockView {
	p := s.desk.Journey.Progress()
	v := clockView{
		Now: s.moment(p.Now) + " " + p.Now.In(s.desk.Zone).Format("MST"), Ahead: ahead(time.Until(p.Now)),
		Moving: p.Moving, Days: newDayView(s.desk.Days.Days()), Steps: steps,
		To:  p.Now.In(s.desk.Zone).AddDate(0, 0, 1).Format("2006-01-02") + "T12:00",
		Min: p.Now.In(s.desk.Zone).Format(ofInput),
	}
	switch {
	case p.Moving:
		v.Progress = "Moving to " + s.moment(p.To)
		v.Percent = percent(p)
	case p.To.IsZero():
	case p.Err != "":
		v.Last = "Did not come to " + s.moment(p.To) + ": " + sentence(p.Err)
	default:
		v.Last = "Moved from " + s.moment(p.From) + " to " + s.moment(p.To) + "."
	}
	return v
}

func percent(p service.Progress) int {
	return min(100, int(100*p.Now.Sub(p.From)/p.To.Sub(p.From)))
}

// ahead says how far the clock is ahead of real time.
func ahead(d time.Duration) string {
	switch days := int(d.Round(time.Hour).Hours()) / 24; {
	case d < time.Minute:
		return "Real time."
	case days < 1:
		return "Moved ahead of real time by " + d.Round(time.Minute).String() + "."
	default:
		return "Moved ahead of real time by " + count(days, "day") + "."
	}
}

func (s *site) clock(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, "clock.html", s.clockView())
}

func (s *site) clockJSON(w http.ResponseWriter, r *http.Request) {
	showJSON(w, r, s.clockView())
}

func (s *site) move(w http.ResponseWriter, r *http.Request) {
	to, err := s.target(r)
	if err == nil {
		err = s.desk.Journey.Begin(to)
	}
	if message, status, ok := mistake(err); ok {
		v := s.clockView()
		v.Mistake = message
		s.showStatus(w, r, status, "clock.html", v)
		return
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/clock", http.StatusSeeOther)
}

// target returns the moment that the form asks for.
func (s *site) target(r *http.Request) (time.Time, error) {
	if by := r.PostFormValue("by"); by != "" {
		to, ok := step(s.desk.Now(), by, s.desk.Zone)
		if !ok {
			return time.Time{}, survey.Errorf(survey.Invalid, "by", "the clock is moved by an hour, a day, a week, a month or a quarter")
		}
		return to, nil
	}
	to, err := time.ParseInLocation(ofInput, r.PostFormValue("to"), s.desk.Zone)
	if err != nil {
		return time.Time{}, survey.Errorf(survey.Invalid, "to", "choose a day and a time, such as 2027-01-04 and 12:00")
	}
	if to.Year() > 9999 {
		return time.Time{}, survey.Errorf(survey.Invalid, "to", "the clock goes at most ten years ahead of real time")
	}
	return to, nil
}

func (s *site) stop(w http.ResponseWriter, r *http.Request) {
	s.desk.Journey.Stop()
	http.Redirect(w, r, "/clock", http.StatusSeeOther)
}
