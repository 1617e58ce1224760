package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pulssi/pulssi/scripts/preflight/assembly"
)

// stacks is the CloudFormation of an account.
type stacks interface {
	// Stack returns a stack of a region, nil where there is none.
	Stack(ctx context.Context, region, name string) (*stack, error)
	// Resources returns the physical ids of what belongs to a stack: none where
	// there is no such stack.
	Resources(ctx context.Context, region, name string) ([]string, error)
	// Staying returns what stays when a stack is deleted, by the template that it
	// was deployed with, with physical ids for names: nothing where there is no
	// such stack. It is in no order.
	Staying(ctx context.Context, region, name string) ([]assembly.Named, error)
}

// stack is a stack that exists.
type stack struct {
	Status    string
	Outputs   map[string]string
	Protected bool // from being deleted
}

// there reports whether a stack exists with anything in it. One in
// REVIEW_IN_PROGRESS has a change set alone, that was never carried out.
func (s *stack) there() bool { return s != nil && s.Status != "REVIEW_IN_PROGRESS" }

const (
	// toolkit is the stack that `cdk bootstrap` makes.
	toolkit = "CDKToolkit"
	// cdk is the CDK's command line, as in the Makefile.
	cdk = "scripts/node_modules/.bin/cdk"
	// edge ends the name of the stack of what CloudFront needs, in the one
	// region where CloudFront takes it from.
	edge = "-edge"
)

// bootstrapped looks whether CDK has what it deploys with in each region.
func bootstrapped(ctx context.Context, s stacks, a assembly.Assembly, account string) (finding, error) {
	least := 0
	for _, st := range a.Stacks {
		least = max(least, st.Bootstrap)
	}
	var seen, lacking, environments []string
	for _, region := range a.Regions() {
		st, err := s.Stack(ctx, region, toolkit)
		if err != nil {
			return finding{}, err
		}
		version := 0
		if st.there() {
			version, _ = strconv.Atoi(st.Outputs["BootstrapVersion"]) // 0 for none
		}
		switch {
		case !st.there():
			lacking = append(lacking, "not in "+region)
		case len(stuck(toolkit, region, st)) > 0:
			lacking = append(lacking, "in "+region+" it is in the state "+st.Status)
		case version < least:
			lacking = append(lacking, fmt.Sprintf("in %s with version %d, where %d is needed", region, version, least))
		default:
			seen = append(seen, fmt.Sprintf("version %d in %s", version, region))
			continue
		}
		environments = append(environments, "aws://"+account+"/"+region)
	}
	if len(lacking) > 0 {
		return finding{problems: []advice{{
			"CDK is not bootstrapped as it has to be: " + strings.Join(lacking, "; ") + ". Once for an account and region:",
			command("%s bootstrap --app cdk.out %s", cdk, strings.Join(environments, " ")),
		}}}, nil
	}
	return finding{seen: strings.Join(seen, ", ")}, nil
}

// updatable looks whether the stacks can be deployed to as they are.
func updatable(ctx context.Context, s stacks, a assembly.Assembly) (finding, error) {
	return states(ctx, s, a, "is new", func(name, region string, st *stack) []advice {
		do := stuck(name, region, st)
		if len(do) == 0 {
			return nil
		}
		return []advice{append(advice{
			fmt.Sprintf("The stack %s in %s is in the state %s, in which it cannot be updated.", name, region, st.Status),
		}, do...)}
	})
}

// states tells the states of the stacks, none being what those are that do not
// exist, and what is wrong with each of the others.
func states(ctx context.Context, s stacks, a assembly.Assembly, none string, wrong func(name, region string, st *stack) []advice) (finding, error) {
	var f finding
	var seen []string
	for _, want := range a.Stacks {
		st, err := s.Stack(ctx, want.Region, want.Name)
		if err != nil {
			return f, err
		}
		if !st.there() {
			seen = append(seen, want.Name+" "+none)
			continue
		}
		seen = append(seen, want.Name+" "+st.Status)
		f.problems = append(f.problems, wrong(want.Name, want.Region, st)...)
	}
	f.seen = strings.Join(seen, ", ")
	return f, nil
}

// stuck returns what to do about a stack that cannot be updated, nothing for one
// that can (AWS CloudFormation User Guide: stack status codes).
func stuck(name, region string, s *stack) advice {
	on := fmt.Sprintf("--region %s --stack-name %s", region, name)
	why := command(`aws cloudformation describe-stack-events %s --query "StackEvents[?ends_with(ResourceStatus, '_FAILED')].[LogicalResourceId, ResourceStatusReason]"`, on)
	switch {
	case slices.Contains([]string{
		"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
	}, s.Status):
		return nil
	case strings.HasSuffix(s.Status, "_IN_PROGRESS"):
		return advice{"Somebody's change is still going on. Try again when this tells of another state:",
			command(`aws cloudformation describe-stacks %s --query "Stacks[0].StackStatus"`, on)}
	case slices.Contains([]string{"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}, s.Status):
		return advice{"Its creation failed. See why, and delete what is left of it; tables, files, secret and identity that it made stay:", why,
			command("aws cloudformation delete-stack %s", on), command("aws cloudformation wait stack-delete-complete %s", on)}
	case s.Status == "UPDATE_ROLLBACK_FAILED":
		return advice{"An update failed, and so did taking it back. See why, mend that, and have it taken back:", why,
			command("aws cloudformation continue-update-rollback %s", on)}
	case s.Status == "UPDATE_FAILED":
		return advice{"An update failed and was not taken back. See why, and take it back:", why,
			command("aws cloudformation rollback-stack %s", on)}
	case s.Status == "DELETE_FAILED":
		return advice{"Its deletion failed. See what it could not delete, mend that, and delete it again:", why,
			command("aws cloudformation delete-stack %s", on)}
	default:
		return advice{"See why, and mend it by hand:", why}
	}
}

// home returns the region that the stage is deployed in, "" where it is in none.
// Known is false where that cannot be told: what is at the edge has a name that is
// there once for all regions, and tells it.
func home(ctx context.Context, s stacks, a assembly.Assembly) (region string, known bool, err error) {
	i := slices.IndexFunc(a.Stacks, func(st assembly.Stack) bool { return st.Name == a.Name()+edge })
	if i < 0 {
		return "", false, nil
	}
	st, err := s.Stack(ctx, a.Stacks[i].Region, a.Stacks[i].Name)
	if err != nil || !st.there() {
		return "", true, err
	}
	return st.Outputs["Region"], true, nil
}

// second looks whether the stage is deployed from another region already.
func second(ctx context.Context, s stacks, a assembly.Assembly) (finding, error) {
	switch region, known, err := home(ctx, s, a); {
	case err != nil:
		return finding{}, err
	case !known:
		return finding{seen: "none that could be told of"}, nil
	case region == "":
		return finding{seen: "none: this is the first of its stage"}, nil
	case region == a.Region():
		return finding{seen: "none: this one again, in " + region}, nil
	default:
		return finding{problems: []advice{{
			fmt.Sprintf("The stage %s is deployed in this account already, in the region %s, and this is for %s. A stage is in one region.", a.Stage(), region, a.Region()),
			"To update that one, " + asDeployed,
			command(`make deploy CONTEXT="%s"`, which(a.Stage(), region)),
			"To have another beside it, deploy the other stage: " + which(a.OtherStage(), a.Region()) + ".",
		}}}, nil
	}
}

// here looks whether what is going to be destroyed is where it is looked for. If
// not, nothing of it would be found, but what it has at the edge would go.
func here(ctx context.Context, s stacks, a assembly.Assembly) (finding, error) {
	region, known, err := home(ctx, s, a)
	switch {
	case err != nil:
		return finding{}, err
	case !known || region == "":
		return finding{seen: a.Region() + "; nothing tells of another"}, nil
	case region == a.Region():
		return finding{seen: region + ", where it is deployed"}, nil
	}
	return finding{problems: []advice{{
		fmt.Sprintf("%s is deployed in the region %s, and this is for %s: its answers would not be looked for where they are, and what customers reach it by would be deleted.",
			a.Name(), region, a.Region()),
		"To destroy it, " + asDeployed,
		command(`make destroy CONTEXT="%s"`, which(a.Stage(), region)),
	}}}, nil
}
