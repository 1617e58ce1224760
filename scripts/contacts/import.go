package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pulssi/pulssi/functions/intake"
	"github.com/pulssi/pulssi/scripts/contacts/people"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// shown is how many problems are printed.
const shown = 20

func (t *terminal) importFile(flags *flag.FlagSet) func(context.Context, []string) error {
	fields := make([]string, len(intake.Fields()))
	for i, f := range intake.Fields() {
		fields[i] = string(f)
	}
	mapping := map[string]intake.Field{}
	flags.Func("map", "what columns are, where that is not recognised: `Column=field,...`; Column= ignores one; may be repeated. The fields are "+strings.Join(fields, ", "), func(v string) error {
		for pair := range strings.SplitSeq(v, ",") {
			i := strings.LastIndexByte(pair, '=')
			if i < 1 {
				return fmt.Errorf("must be Column=field, not %q", pair)
			}
			mapping[strings.TrimSpace(pair[:i])] = intake.Field(strings.TrimSpace(pair[i+1:]))
		}
		return nil
	})
	var d intake.Defaults
	flags.StringVar(&d.Country, "country", "", "`country` of phone numbers without one, such as SE; the deployment's where it is not said")
	flags.StringVar(&d.Locale, "locale", "", "`language` of everybody for whom the file tells none")
	flags.StringVar(&d.Segment, "segment", "", "a `segment` for everybody in the file")
	problems := flags.String("problems", "", "a `file` to write all problems into, as CSV")
	check := flags.Bool("check", false, "only read the file, without a deployment, and tell what is in it")
	return func(ctx context.Context, args []string) (err error) {
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		i := &intake.Import{Contacts: checking{}, Now: time.Now, Mapping: mapping, Defaults: d, Problems: io.Discard, Tell: t.tell()}
		record := func(ctx context.Context, do func(context.Context) error) error { return do(ctx) }
		if !*check {
			in, err := t.open(ctx)
			if err != nil {
				return err
			}
			by, err := operator.Of(ctx, in)
			if err != nil {
				return err
			}
			record = func(ctx context.Context, do func(context.Context) error) error {
				return by.Do(ctx, survey.ContactsImport, "", nil, map[string]int64{"bytes": info.Size()}, do)
			}
			i.Contacts, i.Now = in.Store, in.Now
			t.note("importing %s into %s\n", info.Name(), in.Where)
		}
		if *problems != "" {
			to, err := os.Create(*problems)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, to.Close()) }()
			i.Problems = to
		}
		r := &intake.Report{File: info.Name(), Size: info.Size(), Modified: info.ModTime(), StartedAt: i.Now()}
		return record(ctx, func(ctx context.Context) error {
			if err := i.Run(ctx, f, info.Size(), r); err != nil {
				return fmt.Errorf("stopped after %d rows; run it again to go on: %w", r.Rows, err)
			}
			t.report(r, *check, *problems != "")
			if r.State == intake.Failed {
				return errors.New(r.Error)
			}
			return nil
		})
	}
}

// checking stands for the contacts of nowhere.
type checking struct{}

func (checking) Rules(context.Context) (survey.Rules, error) { return survey.DefaultRules(), nil }

func (checking) Upsert(_ context.Context, rows []survey.Details, _ time.Time) ([]store.Outcome, error) {
	out := make([]store.Outcome, len(rows))
	for i := range out {
		out[i].Result = store.Unchanged
	}
	return out, nil
}

func (t *terminal) note(format string, args ...any) { _, _ = fmt.Fprintf(t.progress, format, args...) }

// tell returns what shows how far an import is that begins now.
func (t *terminal) tell() func(context.Context, *intake.Report) error {
	began := time.Now()
	return func(_ context.Context, r *intake.Report) error {
		if r.Rows > 0 {
			t.note("%d rows, %.0f a second\n", r.Rows, float64(r.Rows)/max(1, time.Since(began).Seconds()))
		}
		return nil
	}
}

func (t *terminal) report(r *intake.Report, check, kept bool) {
	for _, n := range slices.Sorted(maps.Keys(r.Columns.Recognised)) {
		t.say("column %q: %s\n", n, r.Columns.Recognised[n])
	}
	if len(r.Columns.Ignored) > 0 {
		t.say("columns ignored: %q\n", r.Columns.Ignored)
	}
	for i, p := range r.Problems {
		if i == shown {
			break
		}
		t.say("row %d", p.Row)
		if p.Column != "" {
			t.say(", %q", p.Column)
		}
		t.say(": %s: %s\n", p.Kind, p.Reason)
	}
	if len(r.Problems) > shown && !kept {
		t.say("... and more; -problems FILE writes all of them\n")
	}
	if check {
		t.say("rows: %d, usable: %d, refused: %d, cells left out: %d\n", r.Rows, r.Unchanged, r.Refused, r.LeftOut)
		return
	}
	t.say("rows: %d, added: %d, changed: %d, unchanged: %d, refused: %d, cells left out: %d\n", r.Rows, r.Added, r.Changed, r.Unchanged, r.Refused, r.LeftOut)
}

func (t *terminal) generate(flags *flag.FlagSet) func(context.Context, []string) error {
	o := people.Options{}
	flags.Uint64Var(&o.Seed, "seed", 1, "the same `number` makes up the same people")
	separator := flags.String("separator", ";", "the `character` between cells")
	flags.StringVar(&o.Encoding, "encoding", "utf-8", "one of "+strings.Join(people.Encodings(), ", "))
	return func(_ context.Context, args []string) error {
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 0 || n > 10_000_000 {
			return fmt.Errorf("the number of people must be from 0 to 10000000, not %q", args[0])
		}
		sep, size := utf8.DecodeRuneInString(strings.ReplaceAll(*separator, `\t`, "\t"))
		if size == 0 || !strings.ContainsRune(";,\t", sep) || size != len(strings.ReplaceAll(*separator, `\t`, "\t")) {
			return fmt.Errorf(`-separator must be ; or , or \t, not %q`, *separator)
		}
		o.People, o.Separator = n, sep
		return people.Write(t.out, o)
	}
}
