package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/pulssi/pulssi/shared/testkit/ministack"
)

// account calls the few services that Pulssi itself has no client of, as the
// account's root.
type account struct {
	endpoint string
}

// environment is that of a program that works on the account: this process's
// own, without its settings of AWS.
func (a account) environment(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "PULSSI_") && !strings.HasPrefix(v, "CDK_") {
			env = append(env, v)
		}
	}
	env = append(env,
		"AWS_ENDPOINT_URL="+a.endpoint, "AWS_REGION="+ministack.Region, "AWS_DEFAULT_REGION="+ministack.Region,
		"AWS_ACCESS_KEY_ID="+ministack.Key, "AWS_SECRET_ACCESS_KEY="+ministack.Key,
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
	)
	return append(env, more...)
}

// do makes a signed request to a service and returns the body of its answer.
func (a account) do(ctx context.Context, service string, req *http.Request, body string) ([]byte, error) {
	sum := sha256.Sum256([]byte(body))
	root := aws.Credentials{AccessKeyID: ministack.Key, SecretAccessKey: ministack.Key}
	err := v4.NewSigner().SignHTTP(ctx, root, req, hex.EncodeToString(sum[:]), service, ministack.Region, time.Now())
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s: %s", service, req.Method, resp.Status, bytes.TrimSpace(b))
	}
	return b, err
}

// query calls a service that takes forms and answers with XML.
func (a account) query(ctx context.Context, service, version, action string, parameters map[string]string, out any) error {
	form := url.Values{"Action": {action}, "Version": {version}}
	for k, v := range parameters {
		form.Set(k, v)
	}
	body := form.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.endpoint+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	b, err := a.do(ctx, service, req, body)
	if err != nil || out == nil {
		return err
	}
	return xml.Unmarshal(b, out)
}

// target calls a service that takes and answers with JSON.
func (a account) target(ctx context.Context, service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", target)
	b, err := a.do(ctx, service, req, string(body))
	if err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// get reads from a service that has paths, in JSON.
func (a account) get(ctx context.Context, service, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.endpoint+path, http.NoBody)
	if err != nil {
		return err
	}
	b, err := a.do(ctx, service, req, "")
	if err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// role returns credentials of a role. In AWS Lambda takes it on; here the
// account may besides, which is all that is changed of it.
func (a account) role(ctx context.Context, arn string) (aws.Credentials, error) {
	trust, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Action": "sts:AssumeRole",
		"Principal": map[string]any{"Service": "lambda.amazonaws.com", "AWS": "arn:aws:iam::" + ministack.Account + ":root"},
	}}})
	if err != nil {
		return aws.Credentials{}, err
	}
	name := arn[strings.LastIndex(arn, "/")+1:]
	if err := a.query(ctx, "iam", "2010-05-08", "UpdateAssumeRolePolicy", map[string]string{
		"RoleName": name, "PolicyDocument": string(trust),
	}, nil); err != nil {
		return aws.Credentials{}, err
	}
	var out struct {
		Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string } `xml:"AssumeRoleResult>Credentials"`
	}
	err = a.query(ctx, "sts", "2011-06-15", "AssumeRole", map[string]string{"RoleArn": arn, "RoleSessionName": "lambda"}, &out)
	c := out.Credentials
	return aws.Credentials{AccessKeyID: c.AccessKeyId, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, err
}

// verify makes an address one that SES knows to be the account's: ministack takes
// its word for it.
func (a account) verify(ctx context.Context, address string) error {
	body, err := json.Marshal(map[string]string{"EmailIdentity": address})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.endpoint+"/v2/email/identities", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	_, err = a.do(ctx, "ses", req, string(body))
	return err
}
