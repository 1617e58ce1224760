package survey

import "time"

// Limits of shared views.
const (
	MaxShares      = 200
	MaxShareName   = 100
	MaxShareYears  = 5
	MaxShareMonths = 120 // of a view that moves on with time
)

// Share is a read-only view behind a link, for whoever has the link. Field
// names in lower case are those that it is stored under.
type Share struct {
	ID       string    `json:"-"` // of the key, which is stored nowhere
	Name     string    `json:"name"`
	View     View      `json:"view"`
	Comments bool      `json:"comments,omitempty"` // whether comments are in it
	Expires  string    `json:"expires,omitempty"`  // the last day on which it can be opened; "" for no end
	By       string    `json:"by"`                 // the subject who made it
	At       time.Time `json:"at"`
}

// Page is a page of the dashboard that can be shared.
type Page string

// The pages.
const (
	OverviewPage   Page = "overview"
	TouchpointPage Page = "touchpoint"
)

// Pages lists the pages.
func Pages() []Page { return []Page{OverviewPage, TouchpointPage} }

// View is what a share shows: a page, and the question that is asked of the
// results. What is empty is not asked for.
type View struct {
	Page       Page   `json:"page"`
	Touchpoint string `json:"touchpoint,omitempty"`
	// Last is how many months are shown, up to and including the running one,
	// so that the range moves on; 0 where From and To say which days.
	Last    int    `json:"last,omitempty"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"` // exclusive
	By      string `json:"by,omitempty"`
	Channel string `json:"channel,omitempty"`
	Segment string `json:"segment,omitempty"`
}

// ShareID returns the id of the share that a key opens: the key's [Fingerprint].
// Whoever can read what is stored can open nothing with it.
func ShareID(key string) string { return Fingerprint(key) }

// Check returns nil, or the first broken rule: an [Invalid] [Error] on name,
// expires or a field of the view ("view.last"). today is the day of the
// reporting zone, as a UTC midnight. Whether the view's touchpoint exists and its question can be asked is
// for others to say.
func (s *Share) Check(today time.Time) error {
	if err := checkName("name", s.Name, MaxShareName); err != nil {
		return err
	}
	if err := s.View.check(); err != nil {
		return err
	}
	if s.Expires == "" {
		return nil
	}
	if err := CheckDate("expires", s.Expires); err != nil {
		return err
	}
	first, last := today.AddDate(0, 0, 1).Format(time.DateOnly), today.AddDate(MaxShareYears, 0, 0).Format(time.DateOnly)
	if s.Expires < first || s.Expires > last {
		return broken("expires", "must be after today and at most %d years from it: from %s to %s", MaxShareYears, first, last)
	}
	return nil
}

// Open reports whether the share can be opened on a day of the reporting zone,
// a UTC midnight.
func (s *Share) Open(today time.Time) bool {
	return s.Expires == "" || today.Format(time.DateOnly) <= s.Expires
}

func (v *View) check() error {
	switch v.Page {
	case TouchpointPage:
		if err := CheckTouchpointID("view.touchpoint", v.Touchpoint); err != nil {
			return err
		}
	case OverviewPage:
		for _, f := range []struct{ field, value string }{{"touchpoint", v.Touchpoint}, {"by", v.By}, {"channel", v.Channel}} {
			if f.value != "" {
				return broken("view."+f.field, "must be left out on the page %s", OverviewPage)
			}
		}
	default:
		return broken("view.page", "must be one of %s, %s", OverviewPage, TouchpointPage)
	}
	switch ranged := v.From != "" || v.To != ""; {
	case ranged && v.Last != 0:
		return broken("view.last", "must not be given together with from and to")
	case ranged && v.From == "":
		return broken("view.from", "must be given together with to")
	case ranged && v.To == "":
		return broken("view.to", "must be given together with from")
	case !ranged && (v.Last < 1 || v.Last > MaxShareMonths):
		return broken("view.last", "must be a whole number of months from 1 to %d, where there are no from and to", MaxShareMonths)
	}
	return nil
}
