// Package secret reads a secret of AWS Secrets Manager.
package secret

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Shortest is the least bytes that a secret has: as many as the output of
// HMAC-SHA256, for which a shorter key is weaker (RFC 2104, section 3).
const Shortest = 32

// Read returns the current value of the secret of that name or ARN. It is read
// once, when a function starts. A secret shorter than [Shortest] is an error:
// what is made with it could be guessed.
func Read(ctx context.Context, c *secretsmanager.Client, id string) ([]byte, error) {
	out, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return nil, fmt.Errorf("reading the secret %s: %w", id, err)
	}
	value := out.SecretBinary
	if out.SecretString != nil {
		value = []byte(aws.ToString(out.SecretString))
	}
	if len(value) < Shortest {
		return nil, fmt.Errorf("the secret %s has %d bytes, and must have at least %d", id, len(value), Shortest)
	}
	return value, nil
}
