package dynamodblocal_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
)

func TestTablesInAFolderOutliveTheServer(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	createTable(t, client(first.Endpoint()), "kept")
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(); err != nil {
		t.Errorf("the second Stop = %v", err)
	}

	second := start(t, dir)
	out, err := client(second.Endpoint()).ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.TableNames) != 1 || out.TableNames[0] != "kept" {
		t.Errorf("tables after a restart = %q, want only %q", out.TableNames, "kept")
	}
}

// TestSharedTakesParallelWriters holds the server to what all packages together
// ask of it.
func TestSharedTakesParallelWriters(t *testing.T) {
	const writers, writes = 16, 50
	db := client(dynamodblocal.Shared(t))
	table := fmt.Sprintf("parallel-%d", time.Now().UnixNano())
	createTable(t, db, table)

	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range writes {
				_, err := db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
					TableName:                 &table,
					Key:                       map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "one"}},
					UpdateExpression:          aws.String("ADD n :one"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()

	out, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName:      &table,
		Key:            map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "one"}},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	n, ok := out.Item["n"].(*types.AttributeValueMemberN)
	if want := fmt.Sprint(writers * writes); !ok || n.Value != want {
		t.Errorf("count = %v, want %s", out.Item["n"], want)
	}
}

func TestWhatIsMissingNamesTheRemedy(t *testing.T) {
	tests := map[string]func(t *testing.T){
		"no java": func(t *testing.T) {
			t.Setenv("JAVA_HOME", "")
			t.Setenv("PATH", "")
		},
		"not installed": func(t *testing.T) { t.Chdir(t.TempDir()) },
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			prepare(t)
			_, err := dynamodblocal.Start(t.Context(), dynamodblocal.Options{})
			if err == nil || !strings.Contains(err.Error(), "run `make setup`") {
				t.Errorf("Start = %v, want the advice to run make setup", err)
			}
		})
	}
}

func TestAServerThatFailsSaysWhatItPrinted(t *testing.T) {
	t.Setenv("JDK_JAVA_OPTIONS", "-XX:+NoSuchOption")
	_, err := dynamodblocal.Start(t.Context(), dynamodblocal.Options{})
	if err == nil || !strings.Contains(err.Error(), "NoSuchOption") {
		t.Errorf("Start = %v, want what Java printed", err)
	}
}

func start(t *testing.T, dir string) *dynamodblocal.Server {
	t.Helper()
	server, err := dynamodblocal.Start(t.Context(), dynamodblocal.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func client(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "eu-north-1",
		BaseEndpoint: &endpoint,
		// A retry would hide a server that cannot keep up.
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

func createTable(t *testing.T, db *dynamodb.Client, name string) {
	t.Helper()
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
