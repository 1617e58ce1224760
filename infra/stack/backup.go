package stack

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbackup"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// BackupProps are the properties of a [Backup].
type BackupProps struct {
	Tables   map[string]*Table
	Settings Settings
}

// Backup is copies of the tables beside their point-in-time recovery, which goes
// with a table that somebody deletes.
type Backup struct {
	Plan awsbackup.BackupPlan
}

// backupDays is how long a copy is kept. It is that of point-in-time recovery,
// so that an erased person is in no copy after it.
const backupDays = 35

// NewBackup copies all tables every night into a vault from which nobody can
// delete a copy before its time, unless they first change the vault's policy.
func NewBackup(scope constructs.Construct, id string, props *BackupProps) *Backup {
	this := constructs.NewConstruct(scope, &id)
	vault := awsbackup.NewBackupVault(this, jsii.String("Vault"), &awsbackup.BackupVaultProps{
		// By the stack's own id: the vault stays when that goes, and the next would
		// find its name taken.
		BackupVaultName: jsii.String(props.Settings.prefix() + *awscdk.Fn_Select(jsii.Number(2),
			awscdk.Fn_Split(jsii.String("/"), awscdk.Stack_Of(this).StackId(), nil))),
		BlockRecoveryPointDeletion: jsii.Bool(true),
		// The last copies are what is left when all else is gone.
		RemovalPolicy: kept(false),
	})
	plan := awsbackup.NewBackupPlan(this, jsii.String("Plan"), &awsbackup.BackupPlanProps{
		BackupPlanName: jsii.String(props.Settings.name()),
		BackupPlanRules: &[]awsbackup.BackupPlanRule{awsbackup.NewBackupPlanRule(&awsbackup.BackupPlanRuleProps{
			RuleName:    jsii.String("nightly"),
			BackupVault: vault,
			// In the small hours of Europe.
			ScheduleExpression: awsevents.Schedule_Cron(&awsevents.CronOptions{Minute: jsii.String("30"), Hour: jsii.String("1")}),
			DeleteAfter:        awscdk.Duration_Days(jsii.Number(backupDays)),
		})},
	})
	var what []awsbackup.BackupResource
	for _, name := range slices.Sorted(maps.Keys(props.Tables)) {
		what = append(what, awsbackup.BackupResource_FromDynamoDbTable(props.Tables[name].Table))
	}
	plan.AddSelection(jsii.String("Tables"), &awsbackup.BackupSelectionOptions{Resources: &what})
	return &Backup{plan}
}
