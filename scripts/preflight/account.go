package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/scripts/preflight/assembly"
)

// cloud is an AWS account. It reads only. Each call is tried three times (the
// SDK's default).
type cloud struct {
	config         aws.Config
	cloudFormation *cloudformation.Client
	dynamoDB       *dynamodb.Client
	s3             *s3.Client
	secrets        *secretsmanager.Client
	ses            *sesv2.Client
}

func newCloud(c aws.Config) cloud {
	return cloud{
		c, cloudformation.NewFromConfig(c), dynamodb.NewFromConfig(c), s3.NewFromConfig(c),
		secretsmanager.NewFromConfig(c), sesv2.NewFromConfig(c),
	}
}

func (c cloud) Caller(ctx context.Context, region string) (arn.ARN, error) {
	there := c.config.Copy()
	there.Region = region
	return operator.Caller(ctx, there)
}

func (c cloud) Stack(ctx context.Context, region, name string) (*stack, error) {
	out, err := c.cloudFormation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name},
		func(o *cloudformation.Options) { o.Region = region })
	if noStack(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the stack %s in %s: %w", name, region, err)
	}
	if len(out.Stacks) != 1 {
		return nil, fmt.Errorf("CloudFormation in %s tells of %d stacks %s", region, len(out.Stacks), name)
	}
	found := out.Stacks[0]
	s := &stack{Status: string(found.StackStatus), Outputs: map[string]string{}, Protected: aws.ToBool(found.EnableTerminationProtection)}
	for _, o := range found.Outputs {
		s.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return s, nil
}

func (c cloud) Resources(ctx context.Context, region, name string) ([]string, error) {
	ids, err := c.resources(ctx, region, name)
	return slices.Collect(maps.Values(ids)), err
}

// resources returns the physical ids of what belongs to a stack, by logical id:
// none where there is no such stack.
func (c cloud) resources(ctx context.Context, region, name string) (map[string]string, error) {
	ids := map[string]string{}
	pages := cloudformation.NewListStackResourcesPaginator(c.cloudFormation, &cloudformation.ListStackResourcesInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, func(o *cloudformation.Options) { o.Region = region })
		if noStack(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("listing what the stack %s in %s has: %w", name, region, err)
		}
		for _, r := range page.StackResourceSummaries {
			// What was deleted, or stayed when it was to be, is not the stack's.
			if status := string(r.ResourceStatus); status != "DELETE_COMPLETE" && status != "DELETE_SKIPPED" {
				ids[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
			}
		}
	}
	return ids, nil
}

func (c cloud) Staying(ctx context.Context, region, name string) ([]assembly.Named, error) {
	out, err := c.cloudFormation.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &name}, func(o *cloudformation.Options) { o.Region = region })
	if noStack(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the template of the stack %s in %s: %w", name, region, err)
	}
	staying, err := assembly.Staying([]byte(aws.ToString(out.TemplateBody)))
	if err != nil {
		return nil, fmt.Errorf("the template of the stack %s in %s: %w", name, region, err)
	}
	ids, err := c.resources(ctx, region, name)
	if err != nil {
		return nil, err
	}
	var all []assembly.Named
	for logical, kind := range staying {
		if id := ids[logical]; id != "" {
			all = append(all, assembly.Named{Type: kind, Name: id})
		}
	}
	return all, nil
}

// noStack reports whether CloudFormation says that there is no such stack, for
// which it has no code of its own.
func noStack(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist")
}

func (c cloud) Find(ctx context.Context, region string, n assembly.Named) (thing, error) {
	switch n.Type {
	case assembly.Table:
		return c.table(ctx, region, n.Name)
	case assembly.Bucket:
		return c.bucket(ctx, region, n.Name)
	case assembly.Secret:
		return c.secret(ctx, region, n.Name)
	case assembly.Identity:
		i, err := c.Identity(ctx, region, n.Name)
		if err != nil || !i.Known {
			return thing{}, err
		}
		return thing{ID: n.Name}, nil
	}
	return thing{}, fmt.Errorf("there is no way to look for a %s", n.Type)
}

func (c cloud) table(ctx context.Context, region, name string) (thing, error) {
	out, err := c.dynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name}, func(o *dynamodb.Options) { o.Region = region })
	if missing := new(dynamodbtypes.ResourceNotFoundException); errors.As(err, &missing) {
		return thing{}, nil
	}
	if err != nil {
		return thing{}, err
	}
	return thing{name, aws.ToBool(out.Table.DeletionProtectionEnabled)}, nil
}

// bucket finds a bucket in another region and in another account too.
func (c cloud) bucket(ctx context.Context, region, name string) (thing, error) {
	_, err := c.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name}, func(o *s3.Options) { o.Region = region })
	if missing := new(s3types.NotFound); errors.As(err, &missing) {
		return thing{}, nil
	}
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && (answer.HTTPStatusCode() == http.StatusForbidden || answer.HTTPStatusCode() == http.StatusMovedPermanently) {
		return thing{ID: name}, nil
	}
	return thing{ID: name}, err
}

// secret finds one that is going to be deleted too: its name is taken until then.
func (c cloud) secret(ctx context.Context, region, name string) (thing, error) {
	out, err := c.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name}, func(o *secretsmanager.Options) { o.Region = region })
	if missing := new(secrettypes.ResourceNotFoundException); errors.As(err, &missing) {
		return thing{}, nil
	}
	if err != nil {
		return thing{}, err
	}
	return thing{ID: aws.ToString(out.ARN)}, nil
}

func (c cloud) Identity(ctx context.Context, region, name string) (identity, error) {
	out, err := c.ses.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &name}, func(o *sesv2.Options) { o.Region = region })
	if missing := new(sestypes.NotFoundException); errors.As(err, &missing) {
		return identity{}, nil
	}
	if err != nil {
		return identity{}, err
	}
	return identity{Known: true, Verified: out.VerifiedForSendingStatus}, nil
}

func (c cloud) Standing(ctx context.Context, region string) (standing, error) {
	out, err := c.ses.GetAccount(ctx, &sesv2.GetAccountInput{}, func(o *sesv2.Options) { o.Region = region })
	if err != nil {
		return standing{}, err
	}
	return standing{Production: out.ProductionAccessEnabled, Sending: out.SendingEnabled, Health: aws.ToString(out.EnforcementStatus)}, nil
}

func (c cloud) Holds(ctx context.Context, region, table string) (bool, error) {
	out, err := c.dynamoDB.Scan(ctx, &dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(1), ConsistentRead: aws.Bool(true), Select: dynamodbtypes.SelectCount},
		func(o *dynamodb.Options) { o.Region = region })
	if missing := new(dynamodbtypes.ResourceNotFoundException); errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return out.Count > 0, nil
}
