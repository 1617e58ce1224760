package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Kind is what a request is for.
type Kind string

// The kinds of requests.
const (
	Vote      Kind = "vote"
	Click     Kind = "click"     // in an e-mail, reported by the page's script
	Scan      Kind = "scan"      // the same, by a mail scanner
	Confirm   Kind = "confirm"   // a person after the scanner
	Edit      Kind = "edit"      // another score
	Comment   Kind = "comment"   // after the score
	Duplicate Kind = "duplicate" // the same request again
)

// scans is how many links a mail scanner opens: an NPS ask has 11.
const scans = 11

// person answers one ask, or votes once.
type person struct {
	*Config
	store      Store
	report     *Report
	rng        *rand.Rand
	touchpoint *survey.Touchpoint

	id string
	Accepted
}

// Accepted is what must stand in the store under an id after everything that
// was accepted: the last score, and its trust.
type Accepted struct {
	Score   int
	Trust   survey.Trust
	Comment string
}

func (p *person) does(percent int) bool { return p.rng.IntN(100) < percent }

func (p *person) score() int {
	low, high := p.touchpoint.Metric.Scale()
	return low + p.rng.IntN(high-low+1)
}

// live does what the person does, one thing after the other.
func (p *person) live(ctx context.Context) error {
	p.id = survey.NewID()
	defer func() {
		if p.Trust != "" {
			p.report.Accepted[p.id] = p.Accepted
		}
	}()
	switch n := p.rng.IntN(100); {
	case n < p.Mix.Scanners:
		return p.scan(ctx)
	case n < p.Mix.Scanners+p.Mix.Links:
		return p.click(ctx)
	}
	return p.vote(ctx)
}

func (p *person) vote(ctx context.Context) error {
	path := "/v/" + p.touchpoint.ID
	send := func(kind Kind, score int, comment string) error {
		body := map[string]any{"id": p.id, "score": score, "locale": "fi"}
		if comment != "" {
			body["comment"] = comment
		}
		return p.post(ctx, kind, path, body, Accepted{score, survey.Human, comment})
	}
	if err := send(Vote, p.score(), ""); err != nil {
		return err
	}
	return p.second(send)
}

func (p *person) click(ctx context.Context) error {
	if err := p.ask(ctx); err != nil {
		return err
	}
	send := func(kind Kind, score int, comment string) error {
		return p.human(ctx, kind, score, comment)
	}
	if err := p.auto(ctx, Click, p.score()); err != nil {
		return err
	}
	return p.second(send)
}

// second is what somebody does after the first answer.
func (p *person) second(send func(kind Kind, score int, comment string) error) error {
	if p.does(p.Mix.Edits) {
		if err := send(Edit, p.score(), ""); err != nil {
			return err
		}
	}
	if p.does(p.Mix.Comments) {
		return send(Comment, p.Score, fmt.Sprintf("Kiitos! Thank you! Tack! %d", p.rng.IntN(1000)))
	}
	return nil
}

// scan opens every link, within moments; half of the people whose scanner did
// so answer later.
func (p *person) scan(ctx context.Context) error {
	if err := p.ask(ctx); err != nil {
		return err
	}
	low, high := p.touchpoint.Metric.Scale()
	for i := range scans {
		if err := p.auto(ctx, Scan, low+i%(high-low+1)); err != nil {
			return err
		}
	}
	if p.does(50) {
		return p.human(ctx, Confirm, p.score(), "")
	}
	return nil
}

// ask makes an ask that was sent a minute ago.
func (p *person) ask(ctx context.Context) error {
	sent := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	err := p.store.CreateAsk(ctx, &survey.Ask{
		ID: p.id, Touchpoint: p.touchpoint.ID, Series: p.touchpoint.Series, Metric: p.touchpoint.Metric,
		Channel: survey.Email, Locale: "fi", AskedAt: sent, SentAt: sent,
	})
	if survey.CodeOf(err) == survey.Conflict {
		return nil // the id is ours alone: a try whose answer was lost has made it
	}
	return err
}

// auto posts what the page's script does when it becomes visible. The second
// score makes the ask suspect, with the first.
func (p *person) auto(ctx context.Context, kind Kind, score int) error {
	then := Accepted{score, survey.Click, ""}
	if p.Trust != "" {
		then = p.Accepted
		if score != p.Score {
			then.Trust = survey.Suspect
		}
	}
	return p.post(ctx, kind, "/a/"+p.id, map[string]any{"score": score, "via": survey.Auto}, then)
}

func (p *person) human(ctx context.Context, kind Kind, score int, comment string) error {
	body := map[string]any{"score": score, "via": survey.ViaHuman}
	if comment != "" {
		body["comment"] = comment
	}
	return p.post(ctx, kind, "/a/"+p.id, body, Accepted{score, survey.Human, comment})
}

// post sends a request, perhaps twice, and notes what must stand where it was
// accepted. A comment stays where a later request has none.
func (p *person) post(ctx context.Context, kind Kind, path string, body map[string]any, then Accepted) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if then.Comment == "" {
		then.Comment = p.Comment
	}
	kinds := []Kind{kind}
	if p.does(p.Mix.Duplicates) {
		kinds = append(kinds, Duplicate)
	}
	for _, kind := range kinds {
		begin := time.Now()
		status, err := p.send(ctx, path, b)
		if err != nil {
			if ctx.Err() == nil {
				p.report.Unanswered++
			}
			return fmt.Errorf("%s: %w", kind, err)
		}
		p.report.note(kind, status, time.Since(begin))
		if status == http.StatusOK {
			p.Accepted = then
		}
	}
	return nil
}

func (p *person) send(ctx context.Context, path string, body []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := p.Client.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}
