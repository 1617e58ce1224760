package results

import (
	"context"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// maxSharedComments is the most comments in a shared view.
const maxSharedComments = 50

// anybody is who opens a shared view: somebody who may see all scores, as only
// those may share who do, and nobody's contact.
var anybody = signin.Who{Role: signin.Viewer}

// sharedView is the answer to GET /shared/{key}.
type sharedView struct {
	Name       string           `json:"name"`
	View       survey.View      `json:"view"`
	Zone       string           `json:"zone"`
	Today      string           `json:"today"`
	Expires    *string          `json:"expires"` // the last day, null for no end
	Touchpoint *touchpointEntry `json:"touchpoint,omitempty"`
	Overview   *sharedOverview  `json:"overview,omitempty"`
	Report     *sharedReport    `json:"report,omitempty"`
	Comments   []sharedComment  `json:"comments,omitzero"` // the newest first
}

type sharedComment struct {
	Touchpoint string          `json:"touchpoint"`
	Score      int             `json:"score"`
	Category   survey.Category `json:"category"`
	Comment    string          `json:"comment"`
	AnsweredAt time.Time       `json:"answeredAt"`
	Channel    survey.Channel  `json:"channel"`
}

// sharedReport is a report of which the small figures are hidden.
type sharedReport struct {
	report
	Periods  []sharedPeriod  `json:"periods"`
	Total    sharedPeriod    `json:"total"`
	LastYear *sharedYear     `json:"lastYear,omitempty"`
	Channels []sharedGroup   `json:"channels,omitzero"`
	Segments []sharedGroup   `json:"segments,omitzero"`
	Earlier  []sharedEarlier `json:"earlier,omitzero"`
}

type sharedYear struct {
	Periods    []sharedPeriod `json:"periods"`
	Total      sharedPeriod   `json:"total"`
	Difference *difference    `json:"difference"`
}

type sharedEarlier struct {
	earlierSeries
	Periods []sharedPeriod `json:"periods"`
}

// sharedOverview is an overview of which the small figures are hidden.
type sharedOverview struct {
	overview
	Touchpoints []sharedEntry `json:"touchpoints"`
}

type sharedEntry struct {
	touchpointEntry
	Total  sharedPeriod   `json:"total"`
	Trend  []sharedPeriod `json:"trend"`
	Recent sharedRecent   `json:"recent"`
}

type sharedRecent struct {
	Now        sharedPeriod `json:"now"`
	Before     sharedPeriod `json:"before"`
	Difference *difference  `json:"difference"`
}

// sharedPeriod, sharedGroup and sharedFigures are as those that are not
// shared. Of what is hidden, the counts are null and the rest is empty.
type sharedPeriod struct {
	From string `json:"from"`
	To   string `json:"to"`
	sharedFigures
}

type sharedGroup struct {
	Name string `json:"name"`
	sharedFigures
	Difference *difference `json:"difference"`
}

type sharedFigures struct {
	figures
	N         *int64 `json:"n"`
	Suspect   *int64 `json:"suspect"`
	Sent      *int64 `json:"sent"`
	Delivered *int64 `json:"delivered"`
	Bounced   *int64 `json:"bounced"`
	Answered  *int64 `json:"answered"`
	Confirmed *int64 `json:"confirmed"`
	Hidden    bool   `json:"hidden,omitempty"`
}

// openShare answers with a shared view to whoever has its key. A key that was
// never given, is revoked or has expired, and a view of what is no longer there,
// are all the same to them.
func (h *Handler) openShare(ctx context.Context, r *call) (apigw.Response, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return apigw.Response{}, err
	}
	v, err := h.shared(ctx, r.Path("key"))
	if survey.CodeOf(err) == survey.NotFound {
		err = survey.Errorf(survey.NotFound, "key", "there is no such shared view")
	}
	if err != nil {
		return apigw.Response{}, err
	}
	return tagged(r, v).Set("cache-control", "no-store").Set("x-robots-tag", "noindex"), nil
}

func (h *Handler) shared(ctx context.Context, key string) (*sharedView, error) {
	if survey.CheckID("key", key) != nil {
		return nil, survey.Errorf(survey.NotFound, "key", "a key is not like that")
	}
	s, err := h.Shares.Share(ctx, survey.ShareID(key))
	if err != nil {
		return nil, err
	}
	today := h.today()
	if !s.Open(today) {
		return nil, survey.Errorf(survey.NotFound, "key", "the shared view has expired")
	}
	out := &sharedView{Name: s.Name, View: s.View, Zone: h.Zone.String(), Today: today.Format(dateFormat), Expires: ending(s)}
	if s.View.Page == survey.OverviewPage {
		err = h.shareOverview(ctx, out, s)
	} else {
		err = h.shareReport(ctx, out, s)
	}
	return out, err
}

// shareReport puts what a share shows of one touchpoint into the view: the
// series in force alone. The year before is there where it shares no day with
// the range, and channels and segments where neither is asked for: figures that
// overlap could be subtracted from each other.
func (h *Handler) shareReport(ctx context.Context, out *sharedView, s survey.Share) error {
	t, err := h.Touchpoints.Touchpoint(ctx, s.View.Touchpoint)
	if err != nil {
		return err
	}
	q, err := parseQuery(parameters(s.View, h.today()), h.today())
	if err != nil {
		return err
	}
	q.include = include{
		lastYear: !q.by.yearBefore(q.span).to.After(q.from), earlier: true, annotations: true,
		channels: q.group == score.All, segments: q.group == score.All,
	}
	rep, err := h.report(ctx, anybody, t, q)
	if err != nil {
		return err
	}
	entry, told := newEntry(t), concealReport(rep)
	out.Touchpoint, out.Report = &entry, &told
	if s.Comments && told.Total.N != nil && *told.Total.N >= score.Hidden {
		out.Comments, err = h.sharedComments(ctx, q.span, q.group, map[store.SeriesKey]commented{seriesOf(t): {told.Periods, told.Channels}})
	}
	return err
}

func (h *Handler) shareOverview(ctx context.Context, out *sharedView, s survey.Share) error {
	q, err := parseOverview(parameters(s.View, h.today()), h.today())
	if err != nil {
		return err
	}
	all, err := h.overview(ctx, anybody, q)
	if err != nil {
		return err
	}
	told := sharedOverview{overview: all, Touchpoints: make([]sharedEntry, 0, len(all.Touchpoints))}
	of := map[store.SeriesKey]commented{}
	for _, e := range all.Touchpoints {
		one := concealEntry(e, all.From, all.To)
		told.Touchpoints = append(told.Touchpoints, one)
		if n := one.Total.N; n != nil && *n >= score.Hidden {
			of[store.SeriesKey{Touchpoint: e.ID, Series: e.Series}] = commented{periods: one.Trend}
		}
	}
	out.Overview = &told
	if s.Comments {
		out.Comments, err = h.sharedComments(ctx, q.span, q.group, of)
	}
	return err
}

// commented is what is told of a series whose comments are shown.
type commented struct {
	periods  []sharedPeriod
	channels []sharedGroup // none where nothing is told of channels
}

// tells reports whether an answer is in no figure that is hidden. day is that of
// the answer.
func (c commented) tells(day string, channel survey.Channel) bool {
	in := func(p sharedPeriod) bool { return !p.Hidden && p.From <= day && day < p.To }
	by := func(g sharedGroup) bool { return g.Hidden && g.Name == string(channel) }
	return slices.ContainsFunc(c.periods, in) && !slices.ContainsFunc(c.channels, by)
}

// sharedComments returns the newest comments of some series, but those of days
// of the reporting zone and by channels whose figures are hidden: each tells its
// score.
func (h *Handler) sharedComments(ctx context.Context, in span, g score.Group, of map[store.SeriesKey]commented) ([]sharedComment, error) {
	f := filter{who: anybody}
	f.set(g)
	wanted := func(a *survey.Ask) bool {
		c := of[store.SeriesKey{Touchpoint: a.Touchpoint, Series: a.Series}]
		return c.tells(a.AnsweredAt.In(h.Zone).Format(dateFormat), a.Channel) && f.keeps(a)
	}
	var touchpoints []string
	for k := range of {
		touchpoints = append(touchpoints, k.Touchpoint)
	}
	slices.Sort(touchpoints)
	reading := newReading(h.Feed, touchpoints, store.FeedAt(h.midnight(in.from)), store.FeedAt(h.midnight(in.to)), wanted)
	for wave := 0; wave < maxWaves && len(reading.gaps) > 0 && len(reading.entries()) < maxSharedComments; wave++ {
		if err := reading.wave(ctx); err != nil {
			return nil, err
		}
	}
	found := reading.entries()
	out := []sharedComment{}
	for _, e := range found[:min(len(found), maxSharedComments)] {
		a := e.Ask
		out = append(out, sharedComment{a.Touchpoint, a.Score, a.Metric.Category(a.Score), a.Comment, a.AnsweredAt.UTC(), a.Channel})
	}
	return out, nil
}
