// Package publish is the function that CloudFormation calls, as a custom
// resource, when a deployment brings other files than the last: it puts those
// that the CDN serves without asking the API into the CDN's bucket.
//
// The resource has the properties Bucket, the bucket's name, and Version, which
// the function does not read: CloudFormation calls it again where it has changed
// (web.PublishedVersion).
//
// The local stack does not run it: there is no CDN, and the API's own routes serve
// the same files.
package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// Bucket keeps the files that the CDN serves.
type Bucket interface {
	// OpenServed returns a file that is there.
	OpenServed(ctx context.Context, key string) (files.Served, error)
	// PutServed writes a file: without a tag, only where there is none of that
	// key, and else only over the one that has the tag. The error is
	// [survey.Conflict] where there is another.
	PutServed(ctx context.Context, key string, f files.Served) error
}

// Handler takes CloudFormation's requests.
type Handler struct {
	// Open returns the bucket of a name, whether or not there is one.
	Open func(bucket string) Bucket
}

// physicalID is what CloudFormation calls the files. It never changes, or
// CloudFormation would have the former files deleted.
const physicalID = "published-files"

// answerTime is kept back from the invocation's time to tell CloudFormation how
// it went, which otherwise waits for as long as the stack says (ServiceTimeout).
const answerTime = 10 * time.Second

// maxReason is the longest reason that is told, in bytes: an answer has at most
// 4,096 (AWS CloudFormation User Guide: custom resource response objects).
const maxReason = 1000

// Handle does what one request asks for, and tells CloudFormation how it went. A
// repeat changes nothing. The error is that CloudFormation could not be told:
// Lambda then invokes the function again.
func (h *Handler) Handle(ctx context.Context, e cfn.Event) error {
	answer := cfn.NewResponse(&e)
	answer.Status, answer.PhysicalResourceID = cfn.StatusSuccess, e.PhysicalResourceID
	if answer.PhysicalResourceID == "" {
		answer.PhysicalResourceID = physicalID
	}
	if err := h.do(ctx, e); err != nil {
		slog.ErrorContext(ctx, "publishing failed", "request", e.RequestID, "type", e.RequestType, "error", err.Error())
		reason := err.Error()
		answer.Status, answer.Reason = cfn.StatusFailed, strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
	}
	return tell(ctx, e.ResponseURL, answer)
}

// do publishes the files. On Delete it leaves them: the bucket goes, or stays, by
// its own policy, and pages that name a released version outlive the deployment.
func (h *Handler) do(ctx context.Context, e cfn.Event) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerTime))
		defer cancel()
	}
	switch e.RequestType {
	case cfn.RequestDelete:
		return nil
	case cfn.RequestCreate, cfn.RequestUpdate:
	default:
		return survey.Errorf(survey.Invalid, "RequestType", "RequestType must be Create, Update or Delete, not %q", e.RequestType)
	}
	name, _ := e.ResourceProperties["Bucket"].(string)
	if name == "" {
		return survey.Errorf(survey.Invalid, "Bucket", "Bucket must be the name of the bucket that the CDN serves")
	}
	bucket := h.Open(name)
	for _, f := range web.Published() {
		if err := publish(ctx, bucket, f); err != nil {
			return err
		}
	}
	return nil
}

// publish puts one file into the bucket, unless it is there already as it should
// be. Files that are not published any more stay, so that a page that is open
// goes on working.
func publish(ctx context.Context, bucket Bucket, f web.PublishedFile) error {
	is := files.Served{Body: f.Body, Type: f.Type, CacheControl: f.CacheControl}
	err := bucket.PutServed(ctx, f.Name, is)
	if survey.CodeOf(err) != survey.Conflict {
		return err
	}
	was, err := bucket.OpenServed(ctx, f.Name)
	if err != nil {
		return err
	}
	same := bytes.Equal(was.Body, is.Body)
	if same && was.Type == is.Type && was.CacheControl == is.CacheControl {
		return nil
	}
	if !same && !f.Replaces(was.CacheControl) {
		return survey.Errorf(survey.Conflict, f.Name, "%s is in the bucket with other content, and what has been released never changes", f.Name)
	}
	is.Tag = was.Tag
	return bucket.PutServed(ctx, f.Name, is)
}

// tell sends an answer to the address that a request came with. Whoever knows the
// address can answer too, so that no error names it.
func tell(ctx context.Context, address string, answer *cfn.Response) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(body)) // without a type, which the signature has not
	if err != nil {
		return errors.New("the address for the answer is none")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return fmt.Errorf("telling CloudFormation: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection ends well
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("telling CloudFormation: it answered %s", resp.Status)
	}
	return nil
}
