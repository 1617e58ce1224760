package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/pulssi/pulssi/scripts/dev/service"
)

// localStack is the queues of the local stack.
type localStack struct{ url string }

func (l *localStack) Count(ctx context.Context, name string) (int, error) {
	letters, err := l.letters(ctx, name)
	return len(letters), err
}

func (l *localStack) Look(ctx context.Context, name string, limit int) ([]letter, error) {
	letters, err := l.letters(ctx, name)
	return letters[:min(limit, len(letters))], err
}

func (l *localStack) letters(ctx context.Context, name string) ([]letter, error) {
	var dead []service.DeadLetter
	if err := l.call(ctx, http.MethodGet, "/queue/dead.json", nil, &dead); err != nil {
		return nil, err
	}
	var letters []letter
	for _, d := range dead {
		if d.Queue == name {
			letters = append(letters, letter{ID: d.ID, At: d.At, Reason: d.Reason, Body: d.Body})
		}
	}
	return letters, nil
}

func (l *localStack) Move(ctx context.Context, name string) (int, error) {
	var out struct{ Moved int }
	err := l.call(ctx, http.MethodPost, "/queue/redrive", url.Values{"queue": {name}}, &out)
	return out.Moved, err
}

// call calls the local stack.
func (l *localStack) call(ctx context.Context, method, path string, form url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, l.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the local stack: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("asking the local stack: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the local stack answers %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return json.Unmarshal(body, out)
}
