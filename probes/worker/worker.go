// Package worker implements workers, processes that run roles in a network
// namespace, and the control stream between a worker and its controller: lines of
// JSON on the worker's standard streams.
package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cnibench/cnibench/words"
)

// Worker is the controller's side of a worker. It is safe for use by several
// goroutines.
type Worker struct {
	in    io.WriteCloser
	out   io.Reader
	lines chan []byte
	done  chan struct{} // closed when nothing more can come from the worker
	wrote chan struct{} // closed when the writing goroutine has ended
	close sync.Once

	mu        sync.Mutex
	calls     map[int64]*Call
	last      int64  // last id assigned
	err       error  // why the worker is done
	complaint string // last error that did not belong to a call
}

// Call is one role that a worker was asked to run.
type Call struct {
	worker *Worker
	id     int64
	role   string

	readied, ended chan struct{}
	ready          json.RawMessage
	answer         reply
}

const (
	// closeGrace is how long Close waits for the worker to end on its own.
	closeGrace = time.Second
	// answerMargin is how much earlier the worker's time limit expires than the
	// controller's, so that the worker's own error still arrives.
	answerMargin = 200 * time.Millisecond
)

var errClosed = errors.New("the worker was closed")

// Connect returns a Worker that uses the standard input and output of a worker
// process. If out is an [io.Closer], Close may close it.
func Connect(in io.WriteCloser, out io.Reader) *Worker {
	w := &Worker{in: in, out: out, lines: make(chan []byte, 16),
		done: make(chan struct{}), wrote: make(chan struct{}), calls: map[int64]*Call{}}
	go w.read()
	go w.write()
	return w
}

// Start asks the worker to run a role. The deadline of ctx, if it has one,
// bounds the role too.
func (w *Worker) Start(ctx context.Context, role string, args any) (*Call, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("starting %s: encoding its arguments: %w", role, err)
	}
	c := &Call{worker: w, role: role, readied: make(chan struct{}), ended: make(chan struct{})}
	r := request{Role: role, Args: text}
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		limit := max(left-answerMargin, left/2)
		r.TimeoutMS = min(max(limit.Milliseconds(), 1), maxTimeout.Milliseconds())
	}
	w.mu.Lock()
	w.last++
	c.id, r.ID = w.last, w.last
	w.calls[c.id] = c
	w.mu.Unlock()
	line, err := json.Marshal(r)
	if err == nil && len(line) > maxRequestLine {
		err = fmt.Errorf("the request has %d bytes, more than %d", len(line), maxRequestLine)
	}
	if err != nil {
		w.forget(c)
		return nil, fmt.Errorf("starting %s: %w", role, err)
	}
	select {
	case <-w.done:
	default:
		select {
		case w.lines <- append(line, '\n'):
			return c, nil
		case <-ctx.Done():
			w.forget(c)
			return nil, fmt.Errorf("starting %s: the worker does not accept requests: %w", role, context.Cause(ctx))
		case <-w.done:
		}
	}
	w.forget(c)
	return nil, fmt.Errorf("starting %s: %w", role, w.cause())
}

// Ready waits until the role is ready and decodes what it reported into v, which
// may be nil.
func (c *Call) Ready(ctx context.Context, v any) error {
	select {
	case <-c.readied:
	case <-c.ended:
	case <-c.worker.done:
	case <-ctx.Done():
	}
	select {
	case <-c.readied:
		return c.decode(c.ready, v)
	default:
	}
	if err := c.failure(ctx); err != nil {
		return err
	}
	return fmt.Errorf("%s: it ended before it was ready", c.role)
}

// Wait waits until the role has ended and decodes its result into v, which may
// be nil. If ctx ends first, Wait cancels the role.
func (c *Call) Wait(ctx context.Context, v any) error {
	select {
	case <-c.ended:
	case <-c.worker.done:
	case <-ctx.Done():
	}
	if err := c.failure(ctx); err != nil {
		return err
	}
	if err := c.decode(c.answer.Result, v); err != nil {
		return err
	}
	words.Restore(v, c.answer.Words)
	return nil
}

// Cancel asks the role to end now. It may still answer with a result.
func (c *Call) Cancel() {
	line := fmt.Appendf(nil, "{\"cancel\":%d}\n", c.id)
	select {
	case c.worker.lines <- line:
	default: // the worker no longer accepts lines; its time limit remains
	}
}

// failure returns why the call has no result, or nil if it has one.
func (c *Call) failure(ctx context.Context) error {
	select {
	case <-c.ended:
		if c.answer.Cancelled {
			return fmt.Errorf("%s: %w", c.role, ErrCancelled)
		}
		if c.answer.Error != "" {
			said := words.Quote(c.answer.Error)
			words.Restore(&said, c.answer.Words)
			return fmt.Errorf("%s: %w", c.role, words.Error(said))
		}
		return nil
	default:
	}
	select {
	case <-c.worker.done:
		return fmt.Errorf("%s: %w", c.role, c.worker.cause())
	default:
	}
	c.worker.forget(c)
	c.Cancel()
	c.worker.mu.Lock()
	defer c.worker.mu.Unlock()
	if c.worker.complaint != "" {
		return fmt.Errorf("%s: no answer from the worker, which reported %q: %w", c.role, c.worker.complaint, context.Cause(ctx))
	}
	return fmt.Errorf("%s: no answer from the worker: %w", c.role, context.Cause(ctx))
}

func (c *Call) decode(text json.RawMessage, v any) error {
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: reading its answer: %w", c.role, err)
	}
	return nil
}

// Close ends the worker: it closes the worker's input and waits a moment for its
// output to end.
func (w *Worker) Close() error {
	var err error
	w.close.Do(func() {
		err = w.in.Close()
		select {
		case <-w.done:
		case <-time.After(closeGrace):
			w.fail(errClosed)
			if c, ok := w.out.(io.Closer); ok {
				err = errors.Join(err, c.Close())
			}
		}
		<-w.done
		<-w.wrote
		if c, ok := w.out.(io.Closer); ok {
			c.Close() // already at its end; this releases the descriptor
		}
	})
	return err
}

func (w *Worker) forget(c *Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.calls, c.id)
}

// fail marks the worker as done. Only the first cause is kept.
func (w *Worker) fail(cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = cause
		close(w.done)
	}
}

func (w *Worker) cause() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.complaint != "" {
		return fmt.Errorf("%w; it reported %q", w.err, w.complaint)
	}
	return w.err
}

func (w *Worker) write() {
	defer close(w.wrote)
	for {
		select {
		case line := <-w.lines:
			if _, err := w.in.Write(line); err != nil {
				w.fail(fmt.Errorf("writing to the worker: %w", err))
				return
			}
		case <-w.done:
			return
		}
	}
}

// read passes the worker's lines to the calls that they belong to.
func (w *Worker) read() {
	lines := newLineReader(w.out, maxReplyLine)
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			w.fail(errors.New("the worker ended"))
			return
		}
		if err != nil {
			w.fail(fmt.Errorf("reading from the worker: %w", err))
			return
		}
		var r reply
		if err := json.Unmarshal(line, &r); err != nil {
			w.fail(fmt.Errorf("the worker wrote %q, which is not a reply: %w", line[:min(len(line), 80)], err))
			return
		}
		w.deliver(r)
	}
}

func (w *Worker) deliver(r reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.ID == 0 {
		w.complaint = r.Error
		return
	}
	c := w.calls[r.ID]
	if c == nil {
		return // the caller has given up
	}
	if r.Ready != nil {
		if c.ready == nil {
			c.ready = r.Ready
			close(c.readied)
		}
		return
	}
	delete(w.calls, r.ID)
	c.answer = r
	close(c.ended)
}
