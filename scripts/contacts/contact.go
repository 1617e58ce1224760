package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// page is how many contacts are read at a time.
const page = 100

func (t *terminal) list(flags *flag.FlagSet) func(context.Context, []string) error {
	limit := flags.Int("limit", 100, "the most contacts to list, 0 for all")
	return func(ctx context.Context, _ []string) error {
		if *limit < 0 {
			return errors.New("-limit must be at least 0")
		}
		in, err := t.open(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "id\tref\te-mail\tphone\tname\tsegments\topted out")
		n, cursor, more := 0, "", true
		for more && (*limit <= 0 || n < *limit) {
			read := page
			if *limit > 0 {
				read = min(page, *limit-n)
			}
			var contacts []*survey.Contact
			if contacts, cursor, err = in.Store.ListContacts(ctx, cursor, read); err != nil {
				return err
			}
			for _, c := range contacts {
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, c.Ref, c.Email, c.Phone, name(c), strings.Join(c.Segments, ", "), optOuts(c))
			}
			n, more = n+len(contacts), cursor != ""
		}
		_ = table.Flush() // fails only as say does
		switch {
		case more:
			t.say("the first %d contacts; -limit says how many to list\n", n)
		default:
			t.say("%d contacts\n", n)
		}
		return nil
	}
}

func name(c *survey.Contact) string { return strings.TrimSpace(c.FirstName + " " + c.LastName) }

func optOuts(c *survey.Contact) string {
	var s []string
	for _, ch := range slices.Sorted(maps.Keys(c.OptOuts)) {
		s = append(s, string(ch)+" since "+c.OptOuts[ch].UTC().Format(time.DateOnly))
	}
	return strings.Join(s, ", ")
}

func (t *terminal) show(*flag.FlagSet) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		_, c, err := t.contact(ctx, args[0])
		if err != nil {
			return err
		}
		t.print(c)
		return nil
	}
}

func (t *terminal) print(c *survey.Contact) {
	table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", c.ID}, {"in logs", survey.Fingerprint(c.ID)}, {"ref", c.Ref}, {"e-mail", c.Email}, {"phone", c.Phone}, {"first name", c.FirstName}, {"last name", c.LastName},
		{"company", c.Company}, {"locale", c.Locale}, {"zone", c.Zone}, {"segments", strings.Join(c.Segments, ", ")}, {"opted out", optOuts(c)},
		{"cohort", fmt.Sprint(asking.Cohort(c.Number))}, {"added", moment(c.CreatedAt)}, {"changed", moment(c.ChangedAt)}, {"last asked", moment(c.LastAskedAt)},
	} {
		if line[1] != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
		}
	}
	_ = table.Flush() // fails only as say does
}

func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04 UTC")
}

func (t *terminal) why(*flag.FlagSet) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		in, c, err := t.contact(ctx, args[0])
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(c.Zone)
		if err != nil {
			return fmt.Errorf("the zone of contact %s: %w", c.ID, err)
		}
		touchpoints, err := in.Store.Touchpoints(ctx)
		if err != nil {
			return err
		}
		names := map[string]string{}
		for _, tp := range touchpoints {
			names[tp.ID] = tp.Name.In("en", tp.Locales)
		}
		decisions, err := in.Store.Decisions(ctx, c.ID)
		if err != nil {
			return err
		}
		t.say("In logs the contact is %s.\n", survey.Fingerprint(c.ID))
		if len(decisions) == 0 {
			t.say("Nothing was decided about contact %s within a year: no touchpoint's turn has come, and no event.\n", c.ID)
			return nil
		}
		// What is to come goes first.
		slices.SortStableFunc(decisions, func(a, b survey.Decision) int {
			return planned(b) - planned(a)
		})
		t.say("Contact %s, times of %s, the newest first:\n", c.ID, c.Zone)
		for _, d := range decisions {
			t.say("  %s: %s\n", d.Touchpoint, asking.Words(d, zone, func(id string) string { return names[id] }))
		}
		return nil
	}
}

func planned(d survey.Decision) int {
	if d.Verdict == survey.Planned {
		return 1
	}
	return 0
}

// details are the flags that tell of a person.
type details struct {
	survey.Details
	given map[string]bool
}

func (d *details) flags(flags *flag.FlagSet) {
	d.given = map[string]bool{}
	for name, to := range map[string]*string{
		"ref": &d.Ref, "email": &d.Email, "phone": &d.Phone, "first": &d.FirstName, "last": &d.LastName,
		"company": &d.Company, "locale": &d.Locale, "zone": &d.Zone,
	} {
		flags.Func(name, map[string]string{
			"ref": "the customer's `number` in your own system", "email": "e-mail `address`", "phone": "phone `number`",
			"first": "first `name`", "last": "last `name`", "company": "`name` of the company",
			"locale": "`language`, such as fi or sv-FI", "zone": "time `zone`, such as Europe/Helsinki",
		}[name], func(v string) error {
			*to, d.given[name] = strings.TrimSpace(v), true
			return nil
		})
	}
	flags.Func("segments", "`names` of segments with commas between, in place of those that there are", func(v string) error {
		d.given["segments"], d.Segments = true, []string{}
		for s := range strings.SplitSeq(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				d.Segments = append(d.Segments, s)
			}
		}
		return nil
	})
	flags.Func("opt-out", "`channel` by which the person does not want to be asked: email or sms; may be repeated", func(v string) error {
		d.given["opt-out"] = true
		d.OptOut = append(d.OptOut, survey.Channel(v))
		return nil
	})
}

// clean normalises the addresses.
func (d *details) clean(ctx context.Context, s *store.Store) error {
	rules, err := s.Rules(ctx)
	if err != nil {
		return err
	}
	var messages []string
	for _, err := range address.Clean(&d.Details, rules.Country) {
		messages = append(messages, words(err))
	}
	if len(messages) > 0 {
		return errors.New(strings.Join(messages, "; "))
	}
	return nil
}

func (t *terminal) add(flags *flag.FlagSet) func(context.Context, []string) error {
	var d details
	d.flags(flags)
	return func(ctx context.Context, _ []string) error {
		in, err := t.open(ctx)
		if err != nil {
			return err
		}
		if err := d.clean(ctx, in.Store); err != nil {
			return err
		}
		if err := d.Check(); err != nil {
			return err
		}
		now := in.Now()
		was, err := in.Store.WhoIs(ctx, d.Details)
		if survey.CodeOf(err) == survey.NotFound {
			id, err := added(ctx, in, d.Details, now)
			if err != nil {
				return err
			}
			t.say("added %s\n", id)
			return nil
		}
		if err != nil {
			return err
		}
		is, err := changed(ctx, in, was, func(c *survey.Contact) { c.Merge(d.Details, now) }, now)
		switch {
		case err != nil:
			return err
		case is == was:
			t.say("there is such a contact already: %s\n", is.ID)
		default:
			t.say("there is such a contact already, and it was changed: %s\n", is.ID)
		}
		return nil
	}
}

// added adds somebody new once that is recorded, and returns the id.
func added(ctx context.Context, in connect.Deployment, d survey.Details, now time.Time) (id string, err error) {
	by, err := operator.Of(ctx, in)
	if err != nil {
		return "", err
	}
	id = survey.NewID()
	after := survey.LoggedContact{Version: 1, Fields: d.Differs(survey.Details{})}
	return id, by.Do(ctx, survey.ContactAdd, survey.Fingerprint(id), nil, after, func(ctx context.Context) error {
		_, err := in.Store.AddContact(ctx, id, d, now)
		return err
	})
}

// changed changes a contact once that is recorded, and returns what is stored
// then: was itself where change changes nothing, which is recorded nowhere.
func changed(ctx context.Context, in connect.Deployment, was *survey.Contact, change func(*survey.Contact), now time.Time) (is *survey.Contact, err error) {
	becomes := *was
	change(&becomes)
	details := becomes.Details()
	fields := details.Differs(was.Details())
	if len(fields) == 0 {
		return was, nil
	}
	by, err := operator.Of(ctx, in)
	if err != nil {
		return nil, err
	}
	before, after := survey.LoggedContact{Version: was.Version}, survey.LoggedContact{Version: was.Version + 1, Fields: fields}
	err = by.Do(ctx, survey.ContactChange, survey.Fingerprint(was.ID), before, after, func(ctx context.Context) error {
		var err error
		is, err = in.Store.ChangeContact(ctx, was.ID, was.Version, func(c *survey.Contact) error { change(c); return nil }, now)
		return err
	})
	return is, err
}

func (t *terminal) change(flags *flag.FlagSet) func(context.Context, []string) error {
	var d details
	d.flags(flags)
	return func(ctx context.Context, args []string) error {
		if len(d.given) == 0 {
			return errors.New("nothing to change: say what, such as -email (with \"\" to remove it)")
		}
		in, err := t.open(ctx)
		if err != nil {
			return err
		}
		if err := d.clean(ctx, in.Store); err != nil {
			return err
		}
		for _, ch := range d.OptOut {
			if ch != survey.Email && ch != survey.SMS {
				return fmt.Errorf("-opt-out must be email or sms, not %q", ch)
			}
		}
		c, err := connect.Find(ctx, in.Store, args[0])
		if err != nil {
			return err
		}
		now := in.Now()
		change := func(c *survey.Contact) {
			for name, set := range map[string]func(){
				"ref": func() { c.Ref = d.Ref }, "email": func() { c.Email = d.Email }, "phone": func() { c.Phone = d.Phone },
				"first": func() { c.FirstName = d.FirstName }, "last": func() { c.LastName = d.LastName },
				"company": func() { c.Company = d.Company }, "locale": func() { c.Locale = d.Locale }, "zone": func() { c.Zone = d.Zone },
				"segments": func() { c.Segments = slices.Compact(slices.Sorted(slices.Values(d.Segments))) },
			} {
				if d.given[name] {
					set()
				}
			}
			c.Merge(survey.Details{OptOut: d.OptOut}, now)
		}
		is, err := changed(ctx, in, c, change, now)
		if err != nil {
			return err
		}
		if is == c {
			t.say("nothing to change\n")
		}
		t.print(is)
		return nil
	}
}

func (t *terminal) remove(flags *flag.FlagSet) func(context.Context, []string) error {
	yes := flags.Bool("yes", false, "delete without asking")
	return func(ctx context.Context, args []string) error {
		in, c, err := t.contact(ctx, args[0])
		if err != nil {
			return err
		}
		if !*yes {
			t.print(c)
			sure, err := t.ask("Delete this contact from " + in.Where + "?")
			if err != nil {
				return err
			}
			if !sure {
				t.say("nothing was deleted\n")
				return nil
			}
		}
		by, err := operator.Of(ctx, in)
		if err != nil {
			return err
		}
		had := c.Details()
		before := survey.LoggedContact{Version: c.Version, Fields: had.Differs(survey.Details{})}
		err = by.Do(ctx, survey.ContactDelete, survey.Fingerprint(c.ID), before, nil, func(ctx context.Context) error {
			return in.Store.DeleteContact(ctx, c.ID)
		})
		if err != nil {
			return err
		}
		t.say("deleted %s\n", c.ID)
		return nil
	}
}
