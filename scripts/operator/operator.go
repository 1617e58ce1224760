// Package operator is who works on a deployment with a script: it records what
// they do, in the audit log that administrators read, and knows whether they are
// at the terminal.
package operator

import (
	"context"
	"fmt"
	"os/user"
	"time"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/shared/audit"
	"github.com/pulssi/pulssi/shared/survey"
)

// Operator is who works on a deployment with a script.
type Operator struct {
	Name string
	Log  audit.Log
	Now  func() time.Time
}

// Of returns who works on a deployment: in AWS the last part of the ARN that
// the credentials belong to ("user/maija", "assumed-role/Admin/maija"), for
// which it asks AWS; elsewhere "local:" and the name of this machine's user.
func Of(ctx context.Context, d connect.Deployment) (Operator, error) {
	o := Operator{Log: d.Store, Now: d.Now}
	if d.Local {
		u, err := user.Current()
		if err != nil {
			return o, fmt.Errorf("looking for the name of who works here, for the audit log: %w", err)
		}
		o.Name = "local:" + u.Username
		return o, nil
	}
	who, err := Caller(ctx, d.AWS)
	if err != nil {
		return o, fmt.Errorf("asking AWS who is calling, for the audit log: %w", err)
	}
	o.Name = who.Resource
	return o, nil
}

// Do does something once it is recorded: see [audit.Do], and [survey.NewAuditEntry]
// for what there is to tell.
func (o Operator) Do(ctx context.Context, a survey.Action, subject string, before, after any, do func(context.Context) error) error {
	e, err := survey.NewAuditEntry(o.Name, survey.Operator, a, subject, before, after, o.Now())
	if err != nil {
		return err
	}
	return audit.Do(ctx, o.Log, e, o.Now, do)
}
