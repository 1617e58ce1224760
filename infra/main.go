// Command infra is the CDK app: it writes the CloudFormation template of one
// deployment. Its context (cdk -c key=value) is that of [stack.ReadSettings].
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/infra/stack"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
		os.Exit(1)
	}
}

func run() error {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	settings, err := stack.ReadSettings(func(key string) any { return app.Node().TryGetContext(&key) })
	if err != nil {
		return err
	}
	stack.NewPulssi(app, "pulssi-"+string(settings.Stage), &stack.PulssiProps{Settings: settings, Code: "dist"})
	app.Synth(nil)
	return nil
}
