package demo

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Job fills and removes in the background, one at a time. It is safe for
// concurrent use.
type Job struct {
	filler *Filler
	log    *slog.Logger

	mu     sync.Mutex
	state  State
	cancel context.CancelFunc
	over   chan struct{} // closed when the last one has ended
}

// State is how far a job has come.
type State struct {
	Doing Doing // "" where nothing is being done
	Pace  Pace  // of it
	// Did is what was done last, and Err why it ended early, "" where it did
	// not.
	Did Doing
	Err string
}

// Doing is what a job does.
type Doing string

// What a job does.
const (
	Filling  Doing = "filling"
	Removing Doing = "removing"
)

// NewJob returns a job of a filler.
func NewJob(f *Filler, log *slog.Logger) *Job { return &Job{filler: f, log: log} }

// Fill begins to fill: see [Filler.Fill]. The error is [survey.Conflict] where
// something is being done.
func (j *Job) Fill() error { return j.begin(Filling, j.filler.Fill) }

// Remove begins to remove: see [Remove]. The error is that of Fill.
func (j *Job) Remove() error {
	return j.begin(Removing, func(ctx context.Context, p Progress) error { return Remove(ctx, j.filler.Store, p) })
}

func (j *Job) begin(what Doing, do func(context.Context, Progress) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state.Doing != "" {
		return survey.Errorf(survey.Conflict, "", "the demo data are being worked on already: stop that first, or wait")
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	j.state, j.cancel, j.over = State{Doing: what, Pace: *NewPace(time.Now)}, cancel, over
	go func() {
		defer close(over)
		defer cancel()
		err := do(ctx, func(done, of int) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.state.Pace.Note(done, of)
		})
		j.mu.Lock()
		defer j.mu.Unlock()
		j.state.Doing, j.state.Did = "", what
		e, told := errors.AsType[*survey.Error](err)
		switch {
		case err == nil:
		case told:
			j.state.Err = e.Message
		case ctx.Err() != nil:
			j.state.Err = "stopped on the way"
		default:
			j.state.Err = "failed: see the terminal of make dev"
			j.log.Error("demo data", "doing", string(what), "error", err.Error())
		}
	}()
	return nil
}

// Stop ends what is being done, if anything is, and waits for that. It goes on
// from there when it is begun again.
func (j *Job) Stop() {
	j.mu.Lock()
	cancel, over := j.cancel, j.over
	j.mu.Unlock()
	if cancel != nil {
		cancel()
		<-over
	}
}

// There reports whether there are any demo data.
func (j *Job) There(ctx context.Context) (bool, error) {
	d, err := j.filler.Store.Demo(ctx)
	return d.Version > 0, err
}

// State returns how far it has come.
func (j *Job) State() State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state
}
