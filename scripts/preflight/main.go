// Command preflight looks, before a deployment, for what it would fail with, and
// before a deployment is destroyed, for what would be lost and what stays:
//
//	go run ./scripts/preflight [FOLDER]                                    # make deploy runs it
//	go run ./scripts/preflight -destroy [-yes-delete pulssi-dev] [FOLDER]  # make destroy runs it
//
// It reads what `cdk synth` wrote into the folder (default cdk.out), which is
// what is going to be deployed, and asks the AWS account of the usual settings
// (environment, profile, single sign-on). It makes all checks, says in words all
// that is wrong with what to do about it, and changes nothing. Exit code 1 means
// that it is not to be deployed or destroyed.
//
// Where there are answers, destroying asks for the name of the deployment, which
// -yes-delete gives beforehand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/scripts/preflight/assembly"
)

// callers tells who asks.
type callers interface {
	// Caller returns whom the credentials are of, as AWS in a region says.
	Caller(ctx context.Context, region string) (arn.ARN, error)
}

// account is all that is asked of an AWS account. Nothing of it changes
// anything; an error may pass.
type account interface {
	callers
	stacks
	things
	mail
	tables
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], operator.Person(os.Stdin), os.Stdout, connect)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "preflight:", err)
		os.Exit(1)
	}
}

// connect returns the account of the usual AWS settings. Their region is not
// asked: each stack has its own.
func connect(ctx context.Context) (account, error) {
	c, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS settings: %w", err)
	}
	return newCloud(c), nil
}

// preflight is one run.
type preflight struct {
	assembly assembly.Assembly
	account  account
	caller   arn.ARN
	report
}

// run does what the command does. person is who answers a question, nil for
// nobody.
func run(ctx context.Context, args []string, person io.Reader, out io.Writer, connect func(context.Context) (account, error)) error {
	flags := flag.NewFlagSet("preflight", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		say(out, "usage: preflight [-destroy [-yes-delete NAME]] [FOLDER]\n")
		flags.PrintDefaults()
	}
	destroy := flags.Bool("destroy", false, "look before the deployment is destroyed, and not deployed")
	yes := flags.String("yes-delete", "", "the `name` of the deployment (pulssi-dev), to destroy it although there are answers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 1 {
		return errors.New("name one folder, after the flags")
	}
	if *yes != "" && !*destroy {
		return errors.New("-yes-delete goes with -destroy")
	}
	folder := "cdk.out"
	if flags.NArg() == 1 {
		folder = flags.Arg(0)
	}
	a, err := assembly.Read(folder)
	if err != nil {
		return err
	}
	on, err := connect(ctx)
	if err != nil {
		return err
	}
	p := &preflight{assembly: a, account: on, report: report{out: out}}
	if !*destroy {
		return p.deploy(ctx)
	}
	return p.destroy(ctx, *yes, person)
}

// deploy looks before a deployment.
func (p *preflight) deploy(ctx context.Context) error {
	say(p.out, "Before %s is deployed:\n", p.where())
	a, on := p.assembly, p.account
	if p.who(ctx) {
		number := p.caller.AccountID
		for _, c := range []check{
			{"bootstrap", func(ctx context.Context) (finding, error) { return bootstrapped(ctx, on, a, number) }},
			{"stacks", func(ctx context.Context) (finding, error) { return updatable(ctx, on, a) }},
			{"second", func(ctx context.Context) (finding, error) { return second(ctx, on, a) }},
			{"names", func(ctx context.Context) (finding, error) { return free(ctx, on, on, a, number) }},
			{"sender", func(ctx context.Context) (finding, error) { return verified(ctx, on, a, number) }},
			{"sending", func(ctx context.Context) (finding, error) { return open(ctx, on, a) }},
		} {
			p.make(ctx, c)
		}
	}
	return p.end("After the deployment")
}

// destroy looks before a deployment is destroyed.
func (p *preflight) destroy(ctx context.Context, yes string, person io.Reader) error {
	say(p.out, "Before %s is destroyed:\n", p.where())
	holds := false
	if p.who(ctx) && p.make(ctx, check{"region", func(ctx context.Context) (finding, error) { return here(ctx, p.account, p.assembly) }}) {
		p.make(ctx, check{"stacks", func(ctx context.Context) (finding, error) { return destroyable(ctx, p.account, p.assembly) }})
		p.make(ctx, check{"stays", func(ctx context.Context) (finding, error) { return staying(ctx, p.account, p.assembly) }})
		p.make(ctx, check{"answers", func(ctx context.Context) (f finding, err error) {
			f, holds, err = answers(ctx, p.account, p.assembly, yes, person != nil)
			return f, err
		}})
	}
	if err := p.end("Before it is gone"); err != nil || !holds || yes != "" {
		return err
	}
	return agree(p.assembly.Name(), person, p.out)
}

// where is the deployment with its stacks, in words.
func (p *preflight) where() string {
	var list []string
	for _, s := range p.assembly.Stacks {
		list = append(list, s.Name+" in "+s.Region)
	}
	return p.assembly.Name() + " (" + strings.Join(list, ", ") + ")"
}

// who looks whose account it is, and reports whether it is the one to look into.
func (p *preflight) who(ctx context.Context) bool {
	return p.make(ctx, check{"account", func(ctx context.Context) (f finding, err error) {
		region := p.assembly.Region()
		if p.caller, err = p.account.Caller(ctx, region); err != nil {
			return finding{problems: []advice{{
				fmt.Sprintf("AWS in %s does not say who is calling: %v.", region, err),
				"Sign in, or set the credentials of the account, and try again:",
				command("aws sso login                                      # or: aws configure"),
				command("export AWS_PROFILE=PROFILE                         # where it is not the default"),
				command("aws sts get-caller-identity --region us-east-1     # tells who you are then"),
				"If the last tells who you are, it is the region: one that is not turned on for the account answers alike. See, and turn it on:",
				command("aws account get-region-opt-status --region us-east-1 --region-name %s", region),
				command("aws account enable-region --region us-east-1 --region-name %s", region),
			}}}, nil
		}
		for _, s := range p.assembly.Stacks {
			if s.Account != "" && s.Account != p.caller.AccountID {
				return finding{problems: []advice{{
					fmt.Sprintf("The stack %s is for the account %s, and the credentials are of %s.", s.Name, s.Account, p.caller.AccountID),
					"Take the credentials of that account, or run `make synth` with these.",
				}}}, nil
			}
		}
		return finding{seen: p.caller.AccountID + ", as " + p.caller.String()}, nil
	}})
}
