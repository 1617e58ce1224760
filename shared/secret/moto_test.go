package secret_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/pulssi/pulssi/shared/secret"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

func TestRead(t *testing.T) {
	c := secretsmanager.NewFromConfig(moto.Config(t))
	text := func(s string) *secretsmanager.CreateSecretInput {
		return &secretsmanager.CreateSecretInput{SecretString: &s}
	}
	for name, x := range map[string]struct {
		in   *secretsmanager.CreateSecretInput
		want string
		err  string
	}{
		"text":                   {in: text(strings.Repeat("s", 64)), want: strings.Repeat("s", 64)},
		"as short as may be":     {in: text(strings.Repeat("s", 32)), want: strings.Repeat("s", 32)},
		"too short":              {in: text(strings.Repeat("s", 31)), err: "has 31 bytes, and must have at least 32"},
		"bytes":                  {in: &secretsmanager.CreateSecretInput{SecretBinary: []byte(strings.Repeat("\x00\xff", 16))}, want: strings.Repeat("\x00\xff", 16)},
		"bytes that are too few": {in: &secretsmanager.CreateSecretInput{SecretBinary: []byte("\x00")}, err: "has 1 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			id := "pulssi-dev-" + survey.NewID()
			x.in.Name = &id
			made, err := c.CreateSecret(t.Context(), x.in)
			if err != nil {
				t.Fatal(err)
			}
			for _, by := range []string{id, *made.ARN} {
				got, err := secret.Read(t.Context(), c, by)
				if string(got) != x.want || (err == nil) != (x.err == "") || err != nil && !strings.Contains(err.Error(), x.err) {
					t.Errorf("%q, %v; want %q, %q", got, err, x.want, x.err)
				}
			}
		})
	}
}

func TestASecretThatIsNotThere(t *testing.T) {
	got, err := secret.Read(t.Context(), secretsmanager.NewFromConfig(moto.Config(t)), "no-such-secret")
	if err == nil || !strings.Contains(err.Error(), "reading the secret no-such-secret") || got != nil {
		t.Errorf("%q, %v", got, err)
	}
}
