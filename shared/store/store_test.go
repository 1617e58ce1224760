package store_test

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

type attribute = types.AttributeValue

func text(s string) attribute   { return &types.AttributeValueMemberS{Value: s} }
func number(s string) attribute { return &types.AttributeValueMemberN{Value: s} }
