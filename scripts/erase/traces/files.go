package traces

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/functions/intake"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/table"
	"github.com/pulssi/pulssi/shared/topology"
)

// Bucket is where uploads and reports are: see package files.
type Bucket interface {
	List(ctx context.Context, prefix string) ([]files.Info, error)
	Open(ctx context.Context, key string) (io.ReadCloser, files.Info, error)
	Delete(ctx context.Context, key string) error
}

// Files returns the keys of the uploads and reports in which the person is: in
// a row, in another text of the file, in its name or in what was put beside it.
// It reads all of them, each by way of this machine's disk.
func (f *Finder) Files(ctx context.Context, b Bucket) ([]string, error) {
	var keys []string
	for _, folder := range []string{topology.Uploads, topology.Reports} {
		list, err := b.List(ctx, folder)
		if err != nil {
			return nil, err
		}
		for _, info := range list {
			in, err := f.inFile(ctx, b, info.Key)
			if err != nil {
				return nil, err
			}
			if in {
				keys = append(keys, info.Key)
			}
		}
	}
	return keys, nil
}

// imported returns an error where one of the files is an upload of which not
// everybody has been imported yet.
func imported(ctx context.Context, b Bucket, keys []string) error {
	for _, key := range keys {
		if !strings.HasPrefix(key, topology.Uploads) {
			continue
		}
		state, err := stateOf(ctx, b, intake.ReportKey(key))
		if err != nil {
			return err
		}
		if state != intake.Done && state != intake.Failed {
			return errors.New("a file with this person in it is being imported, with others: run this again when that is done")
		}
	}
	return nil
}

func stateOf(ctx context.Context, b Bucket, report string) (_ intake.State, err error) {
	body, _, err := b.Open(ctx, report)
	if survey.CodeOf(err) == survey.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	var r intake.Report
	if err := json.NewDecoder(body).Decode(&r); err != nil {
		return "", fmt.Errorf("reading the report of an import: %w", err)
	}
	return r.State, nil
}

func (f *Finder) inFile(ctx context.Context, b Bucket, key string) (_ bool, err error) {
	body, info, err := b.Open(ctx, key)
	if survey.CodeOf(err) == survey.NotFound {
		return false, nil // expired meanwhile
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if f.inName(key) {
		return true, nil
	}
	for name, value := range info.Meta {
		if f.In(name) || f.inName(value) {
			return true, nil
		}
	}
	copied, err := os.CreateTemp("", "erase-*")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, copied.Close(), os.Remove(copied.Name())) }()
	size, err := io.Copy(copied, body)
	if err != nil {
		return false, fmt.Errorf("reading a file: %w", err)
	}
	return f.inContent(copied, size)
}

// inName looks at the name of a file, and at what is before its endings: after
// an address, one of them would make it another.
func (f *Finder) inName(name string) bool {
	for !f.In(name) {
		ending := path.Ext(name)
		if ending == "" {
			return false
		}
		name = strings.TrimSuffix(name, ending)
	}
	return true
}

// inContent looks at the rows of a table, and at the bytes of every file: of a
// workbook, at those of its parts, some of which no table shows.
func (f *Finder) inContent(file io.ReaderAt, size int64) (bool, error) {
	in, err := f.inRows(file, size)
	if in || err != nil {
		return in, err
	}
	start := make([]byte, 4)
	if _, err := file.ReadAt(start, 0); err != nil || !bytes.Equal(start, []byte("PK\x03\x04")) {
		return f.inBytes(io.NewSectionReader(file, 0, size))
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return f.inBytes(io.NewSectionReader(file, 0, size)) // it only begins like one
	}
	for _, part := range archive.File {
		in, err := f.inPart(part)
		if in || err != nil {
			return in, err
		}
	}
	return false, nil
}

func (f *Finder) inPart(part *zip.File) (_ bool, err error) {
	r, err := part.Open()
	if err != nil {
		return false, fmt.Errorf("reading a part of a workbook: %w", err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return f.inBytes(io.LimitReader(r, table.MaxUnzipped))
}

// inRows looks at the rows of a file that is a table, as far as it is one.
func (f *Finder) inRows(file io.ReaderAt, size int64) (bool, error) {
	var mistake *table.Error
	sheets, err := table.Open(file, size)
	if errors.As(err, &mistake) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, s := range sheets {
		rows, err := s.Open()
		for err == nil {
			var row table.Row
			if row, err = rows.Next(); err == nil && f.InRow(row.Cells) {
				return true, nil
			}
		}
		if !errors.Is(err, io.EOF) && !errors.As(err, &mistake) {
			return false, err
		}
	}
	return false, nil
}

// Bytes are read by chunk, each with the last overlap bytes of the one before.
const (
	chunk   = 1 << 20
	overlap = 1 << 10
)

func (f *Finder) inBytes(r io.Reader) (bool, error) {
	buffer := make([]byte, 0, chunk+overlap)
	for {
		n, err := io.ReadFull(r, buffer[len(buffer):len(buffer)+chunk])
		buffer = buffer[:len(buffer)+n]
		if f.In(strings.ToValidUTF8(string(buffer), "\ufffd")) {
			return true, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("reading a file: %w", err)
		}
		buffer = slices.Delete(buffer, 0, max(0, len(buffer)-overlap))
	}
}
