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
	// Find returns what has a name in a region, without an id where nothing has
	// it. A bucket of somebody else is found too, as its name is taken.
	Find(ctx context.Context, region string, n assembly.Named) (thing, error)
}

// thing is something that exists.
type thing struct {
	ID        string // physical, as CloudFormation has it
	Protected bool   // a table, from being deleted
}

// kept are the types that stay when their stack goes, in words. A pool and a
// vault have no names that anything else could not have too.
var kept = map[string]string{
	assembly.Table: "table", assembly.Bucket: "bucket", assembly.Secret: "secret", assembly.Identity: "SES identity",
	"AWS::Cognito::UserPool": "user pool", "AWS::Backup::BackupVault": "backup vault",
}

// held is a name that is taken, by what is not of the stack that gives it.
type held struct {
	assembly.Named
	Protected bool // see [thing]
}

// free looks whether each name that a stack gives is free, or is of the stack.
func free(ctx context.Context, s stacks, t things, a assembly.Assembly, account string) (finding, error) {
	var f finding
	looked := 0
	for _, st := range a.Stacks {
		named, err := st.Named(account)
		if err != nil {
			return f, err
		}
		own, err := s.Resources(ctx, st.Region, st.Name)
		if err != nil {
			return f, err
		}
		var taken []held
		for _, n := range named {
			found, err := t.Find(ctx, st.Region, n)
			if err != nil {
				return f, fmt.Errorf("looking for %s: %w", n.Name, err)
			}
			looked++
			switch {
			// Real stacks have the ARN of a secret, an imitation its name; both are
			// of one secret alone.
			case found.ID == "" || slices.Contains(own, found.ID) || slices.Contains(own, n.Name):
			case n.Type == assembly.Identity:
				f.problems = append(f.problems, known(st, n.Name))
			default:
				taken = append(taken, held{n, found.Protected})
			}
		}
		if len(taken) > 0 {
			f.problems = append(f.problems, left(st, which(a.OtherStage(), a.Region()), account, taken))
		}
	}
	f.seen = fmt.Sprintf("%d, free or of the stacks", looked)
	return f, nil
}

// left says what to do about what there is without its stack. Other is the
// context of the other stage.
func left(st assembly.Stack, other, account string, taken []held) advice {
	var list, keep, remove []string
	for _, t := range taken {
		list = append(list, "the "+kept[t.Type]+" "+t.Name)
		switch t.Type {
		case assembly.Table:
			keep = append(keep, command("aws dynamodb export-table-to-point-in-time --region %s --table-arn arn:aws:dynamodb:%s:%s:table/%s --s3-bucket BUCKET", st.Region, st.Region, account, t.Name))
			if t.Protected {
				remove = append(remove, command("aws dynamodb update-table --region %s --table-name %s --no-deletion-protection-enabled", st.Region, t.Name))
			}
			remove = append(remove, command("aws dynamodb delete-table --region %s --table-name %s", st.Region, t.Name))
		case assembly.Bucket:
			keep = append(keep, command("aws s3 sync s3://%s %s", t.Name, t.Name))
			remove = append(remove, command("aws s3 rb --force s3://%s", t.Name))
		case assembly.Secret:
			remove = append(remove, command("aws secretsmanager delete-secret --region %s --secret-id %s --force-delete-without-recovery", st.Region, t.Name))
		}
	}
	out := advice{
		fmt.Sprintf("Taken in %s already, and not by the stack %s: %s.", st.Region, st.Name, strings.Join(list, ", ")),
		"An earlier deployment of the stage left them: they stay, with all that is in them, when a stack is deleted or its creation fails.",
		"To go on with them, take them into the stack, which asks for the name of each (for a secret its ARN; Enter alone where there is none), and deploy then:",
		command("%s import --app cdk.out %s", cdk, st.Name),
		"To leave them alone, deploy the other stage: " + other + ".",
		"To begin anew, delete them for good. Nobody can be asked for those answers again; keep them first:",
	}
	return append(append(out, keep...), remove...)
}

// known says what to do about a domain that SES knows already.
func known(st assembly.Stack, domain string) advice {
	return advice{
		fmt.Sprintf("SES in %s knows %s already, and not by the stack %s: it cannot be made twice. It stays when a stack is deleted.", st.Region, domain, st.Name),
		"Leave senderDomain out of the context. The sender needs no more than that it is verified:",
		command("aws sesv2 get-email-identity --region %s --email-identity %s --query VerifiedForSendingStatus", st.Region, domain),
		"Or take it into the stack, together with what else was left of it, and deploy then:",
		command("%s import --app cdk.out %s", cdk, st.Name),
		"Or delete it: the next has other keys, and sends nothing until their records are in the DNS.",
		command("aws sesv2 delete-email-identity --region %s --email-identity %s", st.Region, domain),
	}
}
