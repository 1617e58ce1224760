package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/topology"
)

// TableProps are the properties of a [Table].
type TableProps struct {
	Table    topology.Table
	Settings Settings
}

// Table is one table of package topology.
type Table struct {
	Table awsdynamodb.Table
	Props TableProps
}

// NewTable makes a table: on demand, restorable to any second of the last 35
// days, kept when the stack goes. It is encrypted with DynamoDB's own key, as
// every table is, at no cost for a request.
func NewTable(scope constructs.Construct, id string, props *TableProps) *Table {
	t := props.Table
	// The audit log stays in every stage: who works on it may be whom it tells of.
	protected := props.Settings.Stage == Prod || t.Name == topology.Audit.Name
	p := &awsdynamodb.TableProps{
		TableName:    jsii.String(props.Settings.prefix() + t.Name),
		PartitionKey: attribute(t.Hash),
		SortKey:      attribute(t.Range),
		BillingMode:  awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		DeletionProtection: &protected,
		// Answers cannot be asked for again: they outlive a stack that is
		// deleted or renamed by mistake.
		RemovalPolicy: kept(protected),
	}
	if t.Stream {
		p.Stream = awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES
	}
	if t.TTL != "" {
		p.TimeToLiveAttribute = jsii.String(t.TTL)
	}
	if t.Name == topology.Audit.Name {
		p.ResourcePolicy = appendOnly()
	}
	table := awsdynamodb.NewTable(scope, &id, p)
	for _, ix := range t.Indexes {
		projection := awsdynamodb.ProjectionType_ALL
		if ix.KeysOnly {
			projection = awsdynamodb.ProjectionType_KEYS_ONLY
		}
		table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
			IndexName:      jsii.String(ix.Name),
			PartitionKey:   attribute(ix.Hash),
			SortKey:        attribute(ix.Range),
			ProjectionType: projection,
		})
	}
	return &Table{table, *props}
}

// appendOnly keeps everybody, the account's administrators too, from changing and
// deleting what is in a table, unless they first change this policy, of which
// CloudTrail tells. What expires goes all the same.
func appendOnly() awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Effect:     awsiam.Effect_DENY,
			Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
			Actions: jsii.Strings("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
				"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"),
			Resources: jsii.Strings("*"), // of this table
		}),
	}})
}

func attribute(a topology.Attribute) *awsdynamodb.Attribute {
	if a.Name == "" {
		return nil
	}
	kind := awsdynamodb.AttributeType_STRING
	if a.Type == topology.Number {
		kind = awsdynamodb.AttributeType_NUMBER
	}
	return &awsdynamodb.Attribute{Name: jsii.String(a.Name), Type: kind}
}

// Grant allows a function exactly what an access says.
func (t *Table) Grant(f *Function, a topology.Access) {
	var actions []*string
	for _, action := range a.Actions {
		actions = append(actions, jsii.String(string(action)))
	}
	resources := []*string{t.Table.TableArn()}
	if a.Index {
		resources = nil
		for _, ix := range a.Table.Indexes {
			resources = append(resources, jsii.String(*t.Table.TableArn()+"/index/"+ix.Name))
		}
	}
	f.Allow(&actions, &resources)
}

// GrantStream allows a function to be fed from the table's stream.
func (t *Table) GrantStream(f *Function) {
	f.Allow(
		jsii.Strings("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
		&[]*string{t.Table.TableStreamArn()},
	)
	// Lambda checks that the role can list the streams when the mapping is made.
	f.Allow(jsii.Strings("dynamodb:ListStreams"), &[]*string{jsii.String(*t.Table.TableArn() + "/stream/*")})
}

// allow makes one statement of a policy.
func allow(actions, resources *[]*string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: actions, Resources: resources})
}
