package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/topology"
)

// FilesProps are the properties of a [Files].
type FilesProps struct {
	Imports  *Queue // gets the notices of uploaded files
	Settings Settings
}

// Files is the bucket of uploads and reports.
type Files struct {
	Bucket awss3.Bucket
}

// NewFiles makes a bucket that is closed to the world, and has new uploads told
// to the queue of imports. Files are personal data that is in the tables by
// then, so they go after a time, and no older versions of them are kept. The
// records of erasures, which tell of nobody, stay.
func NewFiles(scope constructs.Construct, id string, props *FilesProps) *Files {
	this := constructs.NewConstruct(scope, &id)
	st := awscdk.Stack_Of(this)
	// The name is made of what is known beforehand, so that the queue can be
	// open to the bucket before there is one: S3 tries it when it is told of it.
	name := props.Settings.prefix() + "files-" + *st.Account() + "-" + *st.Region()
	expiration := awscdk.Duration_Days(jsii.Number(props.Settings.fileDays()))
	bucket := awss3.NewBucket(this, jsii.String("Bucket"), &awss3.BucketProps{
		BucketName:        &name,
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		LifecycleRules: &[]*awss3.LifecycleRule{
			{Prefix: jsii.String(topology.Uploads), Expiration: expiration},
			{Prefix: jsii.String(topology.Reports), Expiration: expiration},
			{AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1))},
		},
		// The records of erasures stay, and what came of an import may still be
		// asked for; CloudFormation would not delete a bucket that holds anything.
		RemovalPolicy: kept(false),
	})
	props.Imports.Queue.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("s3.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sqs:SendMessage"),
		Resources:  &[]*string{props.Imports.Queue.QueueArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{
			"aws:SourceAccount": st.Account(),
			"aws:SourceArn":     jsii.String("arn:aws:s3:::" + name),
		}},
	}))
	// As CloudFormation has it: CDK's own way of notifying brings another
	// function along.
	bucket.Node().DefaultChild().(awss3.CfnBucket).SetNotificationConfiguration(&awss3.CfnBucket_NotificationConfigurationProperty{
		QueueConfigurations: &[]*awss3.CfnBucket_QueueConfigurationProperty{{
			Event: jsii.String("s3:ObjectCreated:*"),
			Queue: props.Imports.Queue.QueueArn(),
			Filter: &awss3.CfnBucket_NotificationFilterProperty{S3Key: &awss3.CfnBucket_S3KeyFilterProperty{
				Rules: &[]*awss3.CfnBucket_FilterRuleProperty{{Name: jsii.String("prefix"), Value: jsii.String(topology.Uploads)}},
			}},
		}},
	})
	bucket.Node().AddDependency(props.Imports.Queue)
	return &Files{bucket}
}

// Grant lets a function read uploads and reports, and write reports. That it
// may list the bucket makes S3 tell a file that is not there from one that is
// not for it.
func (b *Files) Grant(f *Function) {
	under := func(folder string) *string { return jsii.String(*b.Bucket.BucketArn() + "/" + folder + "*") }
	f.Allow(jsii.Strings("s3:GetObject"), &[]*string{under(topology.Uploads), under(topology.Reports)})
	f.Allow(jsii.Strings("s3:PutObject"), &[]*string{under(topology.Reports)})
	f.Allow(jsii.Strings("s3:ListBucket"), &[]*string{b.Bucket.BucketArn()})
	f.Know(config.Files, b.Bucket.BucketName())
}
