package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulssi/pulssi/shared/testkit/ministack"
	"github.com/pulssi/pulssi/shared/topology"
)

// stack is what is deployed, with the stacks of what is kept and of what is in
// another region beside it, and sender whom its mail is from.
const (
	stack  = "pulssi-dev"
	sender = "feedback@example.com"
)

// stacks are all of them, and regions where they are.
var (
	stacks  = []string{stack + "-data", stack + "-edge", stack}
	regions = []string{ministack.Region, "us-east-1"}
)

// rehearsal is one rehearsal.
type rehearsal struct {
	dir       string
	journal   *journal
	functions *functions
	account   account
	origin    *origin

	url   string            // where all of it is, as customers know it
	api   string            // where the API is that the front asks
	out   map[string]string // outputs of the stacks, by name
	token string            // of a program
}

// cdk runs the CDK's command line on what was synthesized, and returns what it
// said, which is in cdk.log too.
func (r *rehearsal) cdk(ctx context.Context, args ...string) (string, error) {
	log, err := os.OpenFile(filepath.Join(r.dir, "cdk.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return "", err
	}
	defer log.Close()
	cmd := command(ctx, filepath.Join("scripts", "node_modules", ".bin", "cdk"), append(args, "--no-color", "--no-notices")...)
	cmd.Env = r.account.environment("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20", "CDK_DISABLE_CLI_TELEMETRY=1")
	said, err := cmd.CombinedOutput()
	_, logErr := fmt.Fprintf(log, "cdk %s\n%s\n", strings.Join(args, " "), said)
	if err != nil {
		return "", fmt.Errorf("cdk %s: %w\n%s", args[0], err, last(said, 15))
	}
	return string(said), logErr
}

// last returns the last n lines.
func last(text []byte, n int) []byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-n):], []byte("\n"))
}

func (r *rehearsal) assembly() string { return filepath.Join(r.dir, "cdk.out") }

func (r *rehearsal) bootstrap(ctx context.Context) error {
	args := []string{"bootstrap", "--app", r.assembly()}
	for _, region := range regions {
		args = append(args, "aws://"+ministack.Account+"/"+region)
	}
	_, err := r.cdk(ctx, args...)
	return err
}

// settings are the context of the deployment.
var settings = []string{"sender=" + sender, "smsSender=Example", "programs=true", "alarmEmail=ops@example.com"}

func (r *rehearsal) synthesize(ctx context.Context) error {
	args := []string{"synth", "--quiet", "--output", r.assembly()}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	if _, err := r.cdk(ctx, args...); err != nil {
		return err
	}
	r.journal.say("   with the context %s", strings.Join(settings, ", "))
	for _, name := range stacks {
		if err := r.adapt(filepath.Join(r.assembly(), name+".template.json"), name); err != nil {
			return fmt.Errorf("the template of %s: %w", name, err)
		}
	}
	return nil
}

// adapt makes of a template what ministack understands, and tells what it changed.
func (r *rehearsal) adapt(file, name string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var template map[string]any
	if err := json.Unmarshal(b, &template); err != nil {
		return err
	}
	resources, _ := template["Resources"].(map[string]any)
	r.journal.say("   %s: %d resources", name, len(resources))
	for _, c := range forMinistack(template, r.origin.port) {
		r.journal.say("   changed for ministack alone: %s", c)
	}
	if b, err = json.MarshalIndent(template, "", " "); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}

// refusal returns an error where what a script ended with is not its refusal for
// a reason.
func refusal(ended error, reason string) error {
	switch {
	case ended == nil:
		return errors.New("it is not refused")
	case !strings.Contains(ended.Error(), reason):
		return fmt.Errorf("it is not refused for that: %w", ended)
	}
	return nil
}

// look has the deployment looked at, as make deploy does: it is refused while the
// sender is nobody that SES knows, and not after that.
func (r *rehearsal) look(ctx context.Context) error {
	if err := refusal(r.script(ctx, "preflight", r.assembly()), sender); err != nil {
		return fmt.Errorf("a sender that is not verified: %w", err)
	}
	r.journal.say("   refused: the sender is not verified")
	// As one proves to SES that an address is one's own, by a link in a mail.
	if err := r.account.verify(ctx, sender); err != nil {
		return err
	}
	return r.script(ctx, "preflight", r.assembly())
}

// lookAgain has it looked at as make destroy does: there are answers by now.
func (r *rehearsal) lookAgain(ctx context.Context) error {
	if err := refusal(r.script(ctx, "preflight", "-destroy", r.assembly()), "holds answers"); err != nil {
		return fmt.Errorf("destroying a deployment with answers: %w", err)
	}
	r.journal.say("   refused: there are answers")
	return r.script(ctx, "preflight", "-destroy", "-yes-delete", stack, r.assembly())
}

func (r *rehearsal) deploy(ctx context.Context) error {
	outputs := filepath.Join(r.dir, "outputs.json")
	if _, err := r.cdk(ctx, "deploy", "--all", "--app", r.assembly(), "--require-approval", "never", "--progress", "events", "--outputs-file", outputs); err != nil {
		return err
	}
	b, err := os.ReadFile(outputs)
	if err != nil {
		return err
	}
	byStack := map[string]map[string]string{}
	if err := json.Unmarshal(b, &byStack); err != nil {
		return err
	}
	r.out = map[string]string{}
	for _, name := range stacks {
		maps.Copy(r.out, byStack[name])
	}
	if r.url = r.out["Url"]; r.url == "" {
		return errors.New("the stack has no output Url")
	}
	if err := r.findAPI(ctx); err != nil {
		return err
	}
	r.journal.say("   all of it is at %s; the API behind it is at %s", r.url, r.api)
	return nil
}

// findAPI learns where the API is, as the front knows it by DNS.
func (r *rehearsal) findAPI(ctx context.Context) error {
	var apis struct {
		Items []struct{ Name, ApiEndpoint string }
	}
	if err := r.account.get(ctx, "apigateway", "/v2/apis", &apis); err != nil {
		return err
	}
	for _, api := range apis.Items {
		if api.Name == stack {
			r.api = api.ApiEndpoint
			return r.origin.lead(r.api)
		}
	}
	return fmt.Errorf("there is no API %s among %+v", stack, apis.Items)
}

// deployAgain deploys what is deployed already: nothing may change.
func (r *rehearsal) deployAgain(ctx context.Context) error {
	if _, err := r.cdk(ctx, "diff", "--fail", "--app", r.assembly()); err != nil {
		return err
	}
	said, err := r.cdk(ctx, "deploy", "--all", "--app", r.assembly(), "--require-approval", "never")
	if err != nil {
		return err
	}
	if strings.Count(said, "(no changes)") != len(stacks) {
		return fmt.Errorf("it changed something:\n%s", last([]byte(said), 15))
	}
	r.journal.say("   no changes")
	return nil
}

// destroy deletes the stacks, and looks that all functions are gone and all
// tables are there.
func (r *rehearsal) destroy(ctx context.Context) error {
	if _, err := r.cdk(ctx, "destroy", "--all", "--force", "--app", r.assembly()); err != nil {
		return err
	}
	var left struct {
		Functions []struct{ FunctionName string }
	}
	if err := r.account.get(ctx, "lambda", "/2015-03-31/functions/", &left); err != nil {
		return err
	}
	if len(left.Functions) > 0 {
		return fmt.Errorf("functions are left: %v", left.Functions)
	}
	var kept struct{ TableNames []string }
	if err := r.account.target(ctx, "dynamodb", "DynamoDB_20120810.ListTables", struct{}{}, &kept); err != nil {
		return err
	}
	if len(kept.TableNames) != len(topology.Tables()) {
		return fmt.Errorf("of %d tables there are %v", len(topology.Tables()), kept.TableNames)
	}
	r.journal.say("   the functions are gone; the tables stay, as they should: %s", strings.Join(kept.TableNames, ", "))
	return nil
}
