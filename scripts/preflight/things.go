package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/scripts/preflight/assembly"
)

// things is what there is in an account, whoever made it.
type things interface {
	// Find returns the physical id of what has a name in a region, as
	// CloudFormation has it: "" where nothing has it. A bucket of somebody else
	// is found too, as its name is taken.
	Find(ctx context.Context, region string, n assembly.Named) (string, error)
}

// kept are the types that stay when their stack goes, in words.
var kept = map[string]string{assembly.Table: "table", assembly.Bucket: "bucket", assembly.Secret: "secret"}

// free looks whether each name that a stack gives is free, or is of the stack.
func free(ctx context.Context, s stacks, t things, a assembly.Assembly, account string) (finding, error) {
	var f finding
	n := 0
	for _, st := range a.Stacks {
		named, err := st.Named(account)
		if err != nil {
			return f, err
		}
		own, err := s.Resources(ctx, st.Region, st.Name)
		if err != nil {
			return f, err
		}
		var taken []assembly.Named
		for _, thing := range named {
			id, err := t.Find(ctx, st.Region, thing)
			if err != nil {
				return f, fmt.Errorf("looking for %s: %w", thing.Name, err)
			}
			n++
			switch {
			// Real stacks have the ARN of a secret, an imitation its name; both are
			// of one secret alone.
			case id == "" || slices.Contains(own, id) || slices.Contains(own, thing.Name):
			case thing.Type == assembly.Identity:
				f.problems = append(f.problems, known(st, thing.Name))
			default:
				taken = append(taken, thing)
			}
		}
		if len(taken) > 0 {
			f.problems = append(f.problems, left(st, a.OtherStage(), account, taken))
		}
	}
	f.seen = fmt.Sprintf("%d, free or of the stacks", n)
	return f, nil
}

// left says what to do about what there is without its stack.
func left(st assembly.Stack, other, account string, taken []assembly.Named) advice {
	var list, keep, remove []string
	for _, t := range taken {
		list = append(list, "the "+kept[t.Type]+" "+t.Name)
		switch t.Type {
		case assembly.Table:
			keep = append(keep, command("aws dynamodb export-table-to-point-in-time --region %s --table-arn arn:aws:dynamodb:%s:%s:table/%s --s3-bucket BUCKET", st.Region, st.Region, account, t.Name))
			remove = append(remove, command("aws dynamodb update-table --region %s --table-name %s --no-deletion-protection-enabled", st.Region, t.Name))
			remove = append(remove, command("aws dynamodb delete-table --region %s --table-name %s", st.Region, t.Name))
		case assembly.Bucket:
			remove = append(remove, command("aws s3 rb --force s3://%s", t.Name))
		case assembly.Secret:
			remove = append(remove, command("aws secretsmanager delete-secret --region %s --secret-id %s --force-delete-without-recovery", st.Region, t.Name))
		}
	}
	out := advice{
		fmt.Sprintf("Taken in %s already, and not by the stack %s: %s.", st.Region, st.Name, strings.Join(list, ", ")),
		"An earlier deployment of the stage left them: tables, with the answers in them, stay when a stack is deleted or its creation fails.",
		"To go on with them and all that they hold, take them into the stack, which asks for the name of each (for a secret its ARN), and deploy then:",
		command("%s import --app cdk.out %s", cdk, st.Name),
		"To leave them alone, deploy the other stage: -c stage=" + other + ".",
		"To begin anew, delete them for good. Nobody can be asked for those answers again; keep them first:",
	}
	return append(append(out, keep...), remove...)
}

// known says what to do about a domain that SES knows already.
func known(st assembly.Stack, domain string) advice {
	return advice{
		fmt.Sprintf("SES in %s knows %s already, and not by the stack %s: it cannot be made twice.", st.Region, domain, st.Name),
		"Leave senderDomain out of the context. The sender needs no more than that it is verified:",
		command("aws sesv2 get-email-identity --region %s --email-identity %s --query VerifiedForSendingStatus", st.Region, domain),
	}
}
