package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/topology"
)

// DataProps are the properties of a [Data].
type DataProps struct {
	Settings Settings
}

// Data is the stack of all that cannot be made again: answers and people, asks that
// are to be sent, files, who may sign in, secrets, and the keys that mail is signed
// with. Code ships
// without touching it. Its names are fixed and its attributes are exported to
// the other stack, so that CloudFormation refuses to take away what is in use.
type Data struct {
	Stack  awscdk.Stack
	Tables map[string]*Table // by name
	// Queues hold the asks that are due and the notices of uploaded files, by name,
	// and Schedules the asks of later: nobody would ask those people again.
	Queues    map[string]*Queue
	Schedules *Schedules
	Files     *Files
	Users     *Users
	// AskSecret makes the ids of asks; FrontKey is what the front shows to the API.
	AskSecret, FrontKey awssecretsmanager.Secret
	Backup              *Backup // nil but in Prod
}

// NewData makes the stack. In Prod no stack can be deleted before somebody says
// that it may be (termination protection).
func NewData(scope constructs.Construct, id string, props *DataProps) *Data {
	s := props.Settings
	st := awscdk.NewStack(scope, &id, &awscdk.StackProps{
		Description:           jsii.String("Pulssi: what is kept (" + string(s.Stage) + ")"),
		Env:                   &awscdk.Environment{Region: &s.Region},
		TerminationProtection: jsii.Bool(s.Stage == Prod),
	})
	d := &Data{Stack: st, Tables: map[string]*Table{}, Queues: map[string]*Queue{}}
	for _, t := range topology.Tables() {
		d.Tables[t.Name] = NewTable(st, "Table-"+t.Name, &TableProps{t, s})
		output(st, "TableName-"+t.Name, d.Tables[t.Name].Table.TableName())
	}
	for _, q := range topology.Queues() {
		d.Queues[q.Name] = NewQueue(st, "Queue-"+q.Name, &QueueProps{q, s})
	}
	d.Schedules = NewSchedules(st, "Schedules", &SchedulesProps{d.Queues[topology.Asks.Name], s})
	d.Files = NewFiles(st, "Files", &FilesProps{d.Queues[topology.Imports.Name], s})
	output(st, "FilesName", d.Files.Bucket.BucketName())
	d.Users = NewUsers(st, "SignIn", &UsersProps{s})
	d.secrets(s)
	d.identity(s)
	if s.Stage == Prod {
		d.Backup = NewBackup(st, "Backup", &BackupProps{d.Tables, s})
	}
	return d
}

// secrets makes the two secrets, which nobody gets to see.
func (d *Data) secrets(s Settings) {
	secret := func(id, name, about string, removal awscdk.RemovalPolicy) awssecretsmanager.Secret {
		return awssecretsmanager.NewSecret(d.Stack, &id, &awssecretsmanager.SecretProps{
			SecretName: &name, Description: &about,
			GenerateSecretString: &awssecretsmanager.SecretStringGenerator{
				PasswordLength: jsii.Number(64), ExcludePunctuation: jsii.Bool(true),
			},
			RemovalPolicy: removal,
		})
	}
	// It belongs to the asks in the tables, which stay too.
	d.AskSecret = secret("AskSecret", s.prefix()+"asks", "Makes the ids of asks. With another one, everybody could be asked again.", kept(false))
	// Another one is as good, once front and functions are deployed with it.
	d.FrontKey = secret("FrontKey", s.prefix()+"front", "Shows the API that a request came by the front.", awscdk.RemovalPolicy_DESTROY)
}

// identity has SES know the domain to send from as one of this account and sign
// what it sends (DKIM), once the records of the outputs are in the domain's DNS.
func (d *Data) identity(s Settings) {
	if s.SenderDomain == "" {
		return
	}
	identity := awsses.NewCfnEmailIdentity(d.Stack, jsii.String("Identity"), &awsses.CfnEmailIdentityProps{EmailIdentity: &s.SenderDomain})
	// Another one would have other keys, and the DNS would have to follow.
	identity.ApplyRemovalPolicy(kept(false), nil)
	for i, record := range [][2]*string{
		{identity.AttrDkimDnsTokenName1(), identity.AttrDkimDnsTokenValue1()},
		{identity.AttrDkimDnsTokenName2(), identity.AttrDkimDnsTokenValue2()},
		{identity.AttrDkimDnsTokenName3(), identity.AttrDkimDnsTokenValue3()},
	} {
		output(d.Stack, "Dns"+string(rune('1'+i)), jsii.String(*record[0]+" CNAME "+*record[1]))
	}
}

// output has CloudFormation tell a value when it has deployed the stack.
func output(st awscdk.Stack, name string, value *string) {
	awscdk.NewCfnOutput(st, &name, &awscdk.CfnOutputProps{Value: value})
}
