package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/pulssi/pulssi/shared/survey"
)

// Served is a file that browsers get as it is in the bucket.
type Served struct {
	Body         []byte
	Type         string // content-type
	CacheControl string
	// Tag is what the bucket tells this content from any other by.
	Tag string
}

// OpenServed returns a file that is there, read whole.
func (c *Client) OpenServed(ctx context.Context, key string) (Served, error) {
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &c.bucket, Key: &key})
	if err != nil {
		return Served{}, fmt.Errorf("opening the file %s: %w", key, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return Served{}, fmt.Errorf("reading the file %s: %w", key, err)
	}
	return Served{body, aws.ToString(out.ContentType), aws.ToString(out.CacheControl), aws.ToString(out.ETag)}, nil
}

// PutServed writes a file whole: where its Tag is empty, only where there is none
// of that key, and else only over the one that has the tag. The error is
// [survey.Conflict] where there is another, or where somebody else writes at the
// same time. A write that was repeated because its answer was lost meets itself,
// and is a conflict too.
func (c *Client) PutServed(ctx context.Context, key string, f Served) error {
	in := &s3.PutObjectInput{
		Bucket: &c.bucket, Key: &key, Body: bytes.NewReader(f.Body), ContentType: &f.Type, CacheControl: &f.CacheControl,
	}
	if f.Tag == "" {
		in.IfNoneMatch = aws.String("*")
	} else {
		in.IfMatch = &f.Tag
	}
	_, err := c.s3.PutObject(ctx, in)
	if r, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && (r.HTTPStatusCode() == http.StatusPreconditionFailed || r.HTTPStatusCode() == http.StatusConflict) {
		return &survey.Error{Code: survey.Conflict, Message: "there is another file " + key, Err: err}
	}
	if err != nil {
		return fmt.Errorf("writing the file %s: %w", key, err)
	}
	return nil
}
