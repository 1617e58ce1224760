package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/scripts/preflight/assembly"
)

// tables is the DynamoDB of an account.
type tables interface {
	// Holds reports whether there is anything in a table of a region: nothing is
	// in one that does not exist. It reads what was written last.
	Holds(ctx context.Context, region, table string) (bool, error)
}

// destroyable looks whether the stacks can be deleted.
func destroyable(ctx context.Context, s stacks, a assembly.Assembly) (finding, error) {
	var locked []string
	f, err := states(ctx, s, a, "is not deployed", func(name, region string, st *stack) []advice {
		if st.Protected {
			locked = append(locked, command("aws cloudformation update-termination-protection --no-enable-termination-protection --region %s --stack-name %s", region, name))
		}
		if !strings.HasSuffix(st.Status, "_IN_PROGRESS") {
			return nil
		}
		return []advice{append(advice{fmt.Sprintf("The stack %s in %s is in the state %s.", name, region, st.Status)}, stuck(name, region, st)...)}
	})
	if len(locked) > 0 {
		f.problems = append(f.problems, append(advice{
			"These stacks are protected from being deleted (termination protection). Switch that off first, by hand:",
		}, locked...))
	}
	return f, err
}

// staying looks what stays when the stacks are deleted.
func staying(ctx context.Context, s stacks, a assembly.Assembly) (finding, error) {
	byType := map[string][]string{}
	for _, st := range a.Stacks {
		all, err := s.Staying(ctx, st.Region, st.Name)
		if err != nil {
			return finding{}, err
		}
		for _, n := range all {
			byType[n.Type] = append(byType[n.Type], n.Name)
		}
	}
	if len(byType) == 0 {
		return finding{seen: "nothing"}, nil
	}
	var seen []string
	note := advice{"This stays when the stacks are deleted, with all that is in it:"}
	for _, kind := range slices.Sorted(maps.Keys(byType)) {
		words, names := kept[kind], byType[kind]
		if words == "" {
			words = kind
		}
		if len(names) > 1 {
			words += "s"
		}
		slices.Sort(names)
		seen = append(seen, fmt.Sprintf("%d %s", len(names), words))
		note = append(note, command("%s: %s", words, strings.Join(names, ", ")))
	}
	note = append(note, "The stage cannot be deployed again before those whose names it gives are taken into it or deleted:",
		"`make deploy` lists them then and says how. The others are in nobody's way.")
	return finding{seen: strings.Join(seen, ", "), notes: []advice{note}}, nil
}

// answers looks whether there is anything that was answered. yes is the name of
// the deployment where somebody has said that it does not matter, asked whether
// somebody can still be asked. It reports whether there is something.
func answers(ctx context.Context, t tables, a assembly.Assembly, yes string, asked bool) (finding, bool, error) {
	name := a.Name()
	if yes != "" && yes != name {
		return finding{problems: []advice{{fmt.Sprintf("-yes-delete names %s, and this is %s.", yes, name)}}}, false, nil
	}
	region, table := a.Responses()
	holds, err := t.Holds(ctx, region, table)
	if err != nil {
		return finding{}, false, fmt.Errorf("looking into %s: %w", table, err)
	}
	if !holds {
		return finding{seen: table + " holds none"}, false, nil
	}
	text := advice{
		fmt.Sprintf("The stack %s holds answers, in the table %s in %s.", name, table, region),
		"The table stays when the stacks are deleted, but nobody can answer, read or ask any more. To keep the answers",
		"elsewhere, download them (README: GET /api/export/{touchpoint}), or export the table from its point-in-time recovery:",
		command("aws dynamodb export-table-to-point-in-time --region %s --s3-bucket BUCKET --table-arn \\", region),
		command("  $(aws dynamodb describe-table --region %s --table-name %s --query Table.TableArn --output text)", region, table),
	}
	if yes == "" && !asked {
		text = append(text, "To destroy it all the same, "+asDeployed, command(`make destroy YES_DELETE=%s CONTEXT="%s"`, name, which(a.Stage(), region)))
		return finding{problems: []advice{text}}, true, nil
	}
	return finding{seen: table + " holds some", notes: []advice{text}}, true, nil
}

// agree returns an error where the person does not type the name of the
// deployment.
func agree(name string, person io.Reader, out io.Writer) error {
	say(out, "\nTo destroy it all the same, type %s: ", name)
	line, err := bufio.NewReader(person).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if strings.TrimSpace(line) != name {
		return fmt.Errorf("%w: that is not its name; nothing was changed", errRefused)
	}
	return nil
}
