package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Files is the bucket, a folder: each key is a path in its folder "objects",
// beside which the folder "meta" holds what was put beside the file. A new file
// under [topology.Uploads] is told to the queue of imports.
type Files struct {
	root *os.Root
	s    *Services
}

// The folders.
const (
	objects = "objects"
	beside  = "meta"
)

// bucket is the name of the bucket in notices.
const bucket = "local-files"

func openFiles(dir string, s *Services) (*Files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Files{root, s}, nil
}

func (f *Files) close() error { return f.root.Close() }

// checkKey returns an error where a key is none that can be a path.
func checkKey(key string) error {
	if !fs.ValidPath(key) || key == "." || len(key) > 900 {
		return survey.Errorf(survey.Invalid, "key", "a file's key must be a path without empty, . and .. parts, at most 900 bytes long")
	}
	return nil
}

func missing() error {
	return survey.Errorf(survey.NotFound, "key", "there is no such file")
}

// Open is that of package files's client.
func (f *Files) Open(_ context.Context, key string) (io.ReadCloser, files.Info, error) {
	if err := checkKey(key); err != nil {
		return nil, files.Info{}, err
	}
	file, err := f.root.Open(path.Join(objects, key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, files.Info{}, missing()
	}
	if err != nil {
		return nil, files.Info{}, fmt.Errorf("opening the file %s: %w", key, err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = missing()
	}
	meta := map[string]string{}
	if err == nil {
		var b []byte
		if b, err = f.root.ReadFile(path.Join(beside, key)); err == nil {
			err = json.Unmarshal(b, &meta)
		}
	}
	if err != nil {
		return nil, files.Info{}, errors.Join(err, file.Close())
	}
	return file, files.Info{Key: key, Size: info.Size(), Modified: info.ModTime(), Meta: meta}, nil
}

// Put is that of package files's client. It writes the file aside and moves it
// to its place whole. The content type is not kept: nobody asks for it.
func (f *Files) Put(ctx context.Context, key, _ string, body io.ReadSeeker, meta map[string]string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	b, err := json.Marshal(meta)
	if err == nil {
		err = f.write(path.Join(beside, key), strings.NewReader(string(b)))
	}
	if err == nil {
		err = f.write(path.Join(objects, key), body)
	}
	if err != nil {
		return fmt.Errorf("writing the file %s: %w", key, err)
	}
	if strings.HasPrefix(key, topology.Uploads) {
		return f.notify(ctx, key)
	}
	return nil
}

// write moves a whole file to its place. The time of it is the clock's.
func (f *Files) write(name string, body io.Reader) error {
	if err := f.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	part := "part-" + newID()
	to, err := f.root.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, body)
	err = errors.Join(err, to.Close())
	if err == nil {
		now := f.s.clock.Now()
		err = f.root.Chtimes(part, now, now)
	}
	if err == nil {
		err = f.root.Rename(part, name)
	}
	if err != nil {
		return errors.Join(err, f.root.Remove(part))
	}
	return nil
}

// notify tells the queue of imports of a new file (Amazon S3 User Guide:
// "Event message structure").
func (f *Files) notify(_ context.Context, key string) error {
	info, err := f.root.Stat(path.Join(objects, key))
	if err != nil {
		return err
	}
	var r events.S3EventRecord
	r.EventVersion, r.EventSource, r.AWSRegion = "2.1", "aws:s3", region
	r.EventTime, r.EventName = f.s.clock.Now().UTC().Truncate(time.Millisecond), "ObjectCreated:Put"
	r.S3.SchemaVersion, r.S3.ConfigurationID = "1.0", "imports"
	r.S3.Bucket = events.S3Bucket{Name: bucket, Arn: "arn:aws:s3:::" + bucket}
	r.S3.Object.Key, r.S3.Object.Size = strings.ReplaceAll(url.QueryEscape(key), "%2F", "/"), info.Size()
	body, err := json.Marshal(events.S3Event{Records: []events.S3EventRecord{r}})
	if err != nil {
		return fmt.Errorf("writing the notice of %s: %w", key, err)
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.s.send(topology.Imports.Name, string(body))
}

// List is that of package files's client.
func (f *Files) List(_ context.Context, prefix string) ([]files.Info, error) {
	var out []files.Info
	err := fs.WalkDir(f.root.FS(), objects, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing was put yet
		}
		key, _ := strings.CutPrefix(name, objects+"/")
		if err != nil || d.IsDir() || !strings.HasPrefix(key, prefix) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		out = append(out, files.Info{Key: key, Size: info.Size(), Modified: info.ModTime()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the files under %s: %w", prefix, err)
	}
	slices.SortFunc(out, func(a, b files.Info) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// Delete is that of package files's client.
func (f *Files) Delete(_ context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	for _, folder := range []string{objects, beside} {
		if err := f.root.Remove(path.Join(folder, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("deleting the file %s: %w", key, err)
		}
	}
	return nil
}
