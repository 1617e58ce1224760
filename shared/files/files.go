// Package files keeps files in one bucket of Amazon S3.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pulssi/pulssi/shared/survey"
)

// Info is what is known of a file.
type Info struct {
	Key      string
	Size     int64 // bytes
	Modified time.Time
	// Meta is what was put beside the file. A list is without it.
	Meta map[string]string
}

// Client reads and writes the files of one bucket. It is safe for concurrent
// use.
type Client struct {
	s3     *s3.Client
	bucket string
}

// New returns a client of the bucket of that name.
func New(c *s3.Client, bucket string) *Client { return &Client{c, bucket} }

// Open returns the content of a file, which comes as it is read; the caller
// closes it, and may do so before its end. The error is [survey.NotFound] where
// there is no such file; S3 says so only to who may list the bucket. Reading
// fails where the connection does: the client does not begin again by itself.
func (c *Client) Open(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &c.bucket, Key: &key})
	if _, missing := errors.AsType[*types.NoSuchKey](err); missing {
		return nil, Info{}, &survey.Error{Code: survey.NotFound, Message: "there is no such file", Err: err}
	}
	if err != nil {
		return nil, Info{}, fmt.Errorf("opening the file %s: %w", key, err)
	}
	info := Info{Key: key, Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified), Meta: map[string]string{}}
	for k, v := range out.Metadata {
		text, err := url.PathUnescape(v)
		if err != nil {
			text = v // put there by another program
		}
		info.Meta[k] = text
	}
	return out.Body, info, nil
}

// Put writes a file whole, over the one of the same key; nobody sees a part of
// it. A repeat changes nothing. meta has names of lower-case letters, digits
// and -, and any values, which are kept percent-encoded, because headers are
// ASCII; all together at most 2 kB, and the file at most 5 GB (S3 User Guide:
// object metadata, uploading objects).
func (c *Client) Put(ctx context.Context, key, contentType string, body io.ReadSeeker, meta map[string]string) error {
	escaped := make(map[string]string, len(meta))
	for k, v := range meta {
		escaped[k] = url.PathEscape(v)
	}
	_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &c.bucket, Key: &key, ContentType: &contentType, Body: body, Metadata: escaped,
	})
	if err != nil {
		return fmt.Errorf("writing the file %s: %w", key, err)
	}
	return nil
}

// List returns the files whose keys begin with prefix, in the order of their
// keys (as bytes), without their Meta. It reads every page.
func (c *Client) List(ctx context.Context, prefix string) ([]Info, error) {
	var list []Info
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: &c.bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the files under %s: %w", prefix, err)
		}
		for _, o := range page.Contents {
			list = append(list, Info{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)})
		}
	}
	return list, nil
}

// Delete deletes a file. One that is not there is deleted already.
func (c *Client) Delete(ctx context.Context, key string) error {
	if _, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &c.bucket, Key: &key}); err != nil {
		return fmt.Errorf("deleting the file %s: %w", key, err)
	}
	return nil
}
