package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/topology"
)

// CreateTables makes the tables of package topology under a prefix, and
// leaves those that exist as they are. It is for DynamoDB Local: in AWS the
// tables are made by infra.
func CreateTables(ctx context.Context, db *dynamodb.Client, prefix string) error {
	for _, t := range topology.Tables() {
		in := &dynamodb.CreateTableInput{
			TableName:            aws.String(prefix + t.Name),
			BillingMode:          types.BillingModePayPerRequest,
			KeySchema:            keySchema(t.Hash, t.Range),
			AttributeDefinitions: attributes(nil, t.Hash, t.Range),
		}
		for _, ix := range t.Indexes {
			in.AttributeDefinitions = attributes(in.AttributeDefinitions, ix.Hash, ix.Range)
			projection := types.ProjectionTypeAll
			if ix.KeysOnly {
				projection = types.ProjectionTypeKeysOnly
			}
			in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
				IndexName:  aws.String(ix.Name),
				KeySchema:  keySchema(ix.Hash, ix.Range),
				Projection: &types.Projection{ProjectionType: projection},
			})
		}
		if t.Stream {
			in.StreamSpecification = &types.StreamSpecification{
				StreamEnabled:  aws.Bool(true),
				StreamViewType: types.StreamViewTypeNewAndOldImages,
			}
		}
		_, err := db.CreateTable(ctx, in)
		if _, ok := errors.AsType[*types.ResourceInUseException](err); ok {
			continue
		}
		if err != nil {
			return fmt.Errorf("creating table %s: %w", *in.TableName, err)
		}
		if t.TTL == "" {
			continue
		}
		if _, err := db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName:               in.TableName,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(t.TTL), Enabled: aws.Bool(true)},
		}); err != nil {
			return fmt.Errorf("setting the expiry of table %s: %w", *in.TableName, err)
		}
	}
	return nil
}

func keySchema(hash, rng topology.Attribute) []types.KeySchemaElement {
	ks := []types.KeySchemaElement{{AttributeName: aws.String(hash.Name), KeyType: types.KeyTypeHash}}
	if rng.Name != "" {
		ks = append(ks, types.KeySchemaElement{AttributeName: aws.String(rng.Name), KeyType: types.KeyTypeRange})
	}
	return ks
}

func attributes(have []types.AttributeDefinition, more ...topology.Attribute) []types.AttributeDefinition {
	for _, a := range more {
		known := slices.ContainsFunc(have, func(d types.AttributeDefinition) bool { return *d.AttributeName == a.Name })
		if a.Name != "" && !known {
			have = append(have, types.AttributeDefinition{
				AttributeName: aws.String(a.Name), AttributeType: types.ScalarAttributeType(a.Type),
			})
		}
	}
	return have
}
