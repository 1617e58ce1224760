package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
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
	var f finding
	var seen []string
	for _, want := range a.Stacks {
		st, err := s.Stack(ctx, want.Region, want.Name)
		switch {
		case err != nil:
			return f, err
		case st == nil:
			continue
		}
		seen = append(seen, want.Name+" "+st.Status)
		if st.there() && strings.HasSuffix(st.Status, "_IN_PROGRESS") {
			f.problems = append(f.problems, append(advice{
				fmt.Sprintf("The stack %s in %s is in the state %s.", want.Name, want.Region, st.Status),
			}, stuck(want.Name, want.Region, st)...))
		}
		if st.Protected {
			f.problems = append(f.problems, advice{
				fmt.Sprintf("The stack %s in %s is protected from being deleted (termination protection). Switch that off first, by hand:", want.Name, want.Region),
				command("aws cloudformation update-termination-protection --no-enable-termination-protection --region %s --stack-name %s", want.Region, want.Name),
			})
		}
	}
	if len(seen) == 0 {
		seen = append(seen, "none is deployed")
	}
	f.seen = strings.Join(seen, ", ")
	return f, nil
}

// protection says what protects a deployment of prod, whatever is switched off
// of it by now. The user pool's is for the console: by command, every setting
// that is not named would fall back to its default.
func protection(a assembly.Assembly) advice {
	out := advice{"In prod the termination protection of the stacks, and the deletion protection of the tables and of the user pool, are on. Switch off by hand what is to go:"}
	for _, st := range a.Stacks {
		out = append(out, command("aws cloudformation update-termination-protection --no-enable-termination-protection --region %s --stack-name %s", st.Region, st.Name))
	}
	return append(out, "and, as tables and user pool stay when the stacks are deleted, only where they are to be deleted after it (the user pool's in the console of Cognito):",
		command("aws dynamodb update-table --no-deletion-protection-enabled --region %s --table-name %s-TABLE", a.Region(), a.Name()))
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
		"Tables stay when the stacks are deleted, but nobody can answer, read or ask any more, and the stage",
		"cannot be deployed again until the tables are taken into it or deleted. To keep the answers elsewhere,",
		"download them (README: GET /api/export/{touchpoint}), or export the table from its point-in-time recovery:",
		command("aws dynamodb export-table-to-point-in-time --region %s --s3-bucket BUCKET --table-arn \\", region),
		command("  $(aws dynamodb describe-table --region %s --table-name %s --query Table.TableArn --output text)", region, table),
	}
	if yes == "" && !asked {
		text = append(text, "To destroy it all the same:", command(`make destroy YES_DELETE=%s CONTEXT="-c stage=%s"`, name, a.Stage()))
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
