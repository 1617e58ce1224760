// Command infra is the CDK app: it writes the CloudFormation templates of
// one deployment. Its context (cdk -c key=value) is that of [stack.ReadSettings].
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/infra/stack"
	"github.com/pulssi/pulssi/shared/topology"
	"github.com/pulssi/pulssi/shared/web"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
		os.Exit(1)
	}
}

// dist is where make build puts the functions.
const dist = "dist"

func run() error {
	for _, f := range topology.Functions() {
		if _, err := os.Stat(filepath.Join(dist, string(f), "bootstrap")); err != nil {
			return fmt.Errorf("the function %s is not built, run make build first: %w", f, err)
		}
	}
	app := awscdk.NewApp(nil)
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	settings, err := stack.ReadSettings(context)
	if err != nil {
		return err
	}
	// Only now, because closing may print a line of its own, which would bury
	// the reason above. Node ends with this process in any case.
	defer jsii.Close()
	p := stack.NewPulssi(app, &stack.PulssiProps{Settings: settings, Code: dist, FilesVersion: web.PublishedVersion()})
	p.Check(app)
	app.Synth(nil)
	return nil
}
