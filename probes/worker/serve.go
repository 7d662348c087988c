package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/cnibench/cnibench/words"
)

// Request is a request to run a role.
type Request struct {
	args  json.RawMessage
	ready func(any) error
}

// Args decodes the request's arguments into v.
func (r *Request) Args(v any) error {
	if len(r.args) == 0 {
		return errors.New("reading arguments: there are none")
	}
	if err := json.Unmarshal(r.args, v); err != nil {
		return fmt.Errorf("reading arguments: %w", err)
	}
	return nil
}

// Ready tells the controller that the role is ready, and passes it what it needs
// to continue, such as a port. It may be called once.
func (r *Request) Ready(v any) error { return r.ready(v) }

// endGrace is how long Serve waits for roles to end after it has cancelled them.
const endGrace = 5 * time.Second

// collectEvery is the number of roles after which a worker collects garbage. A
// role leaves up to 1 MB of garbage, and a worker should stay below 25 MB.
const collectEvery = 4

// server is the state of a worker.
type server struct {
	find   func(name string) (Role, error)
	ctx    context.Context
	cancel context.CancelCauseFunc

	writing sync.Mutex
	out     io.Writer

	mu      sync.Mutex
	running map[int64]context.CancelCauseFunc
	roles   sync.WaitGroup

	// Roles hold collecting shared and the garbage collector holds it exclusively.
	// A thread in a hot loop does not stop for the collector, so a collection would
	// block everything else until the loop ends.
	collecting sync.RWMutex
	ended      int
}

// ErrCancelled is the error of a role that the controller cancelled.
var ErrCancelled = errors.New("cancelled by the controller")

// Serve runs the roles that the lines of in request, several at once, and answers
// on out. It returns when in or ctx ends, after it has cancelled all roles and
// waited for them to end.
func Serve(ctx context.Context, in io.Reader, out io.Writer, find func(string) (Role, error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &server{find: func(name string) (Role, error) {
		if name == pingRole {
			return ping, nil
		}
		return find(name)
	}, ctx: ctx, cancel: cancel, out: out, running: map[int64]context.CancelCauseFunc{}}
	if c, ok := in.(io.Closer); ok {
		// Closing unblocks the reader. Nothing else uses the stream.
		stop := context.AfterFunc(ctx, func() { c.Close() })
		defer stop()
	}
	read := make(chan error, 1)
	go func() { read <- s.read(in) }()
	var err error
	select {
	case err = <-read:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	cancel(errors.New("the control stream ended"))
	ended := make(chan struct{})
	go func() {
		s.roles.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(endGrace):
		err = errors.Join(err, fmt.Errorf("waiting for roles to end: they were still running %s after they were cancelled", endGrace))
	}
	return err
}

// read handles control lines until the stream ends.
func (s *server) read(in io.Reader) error {
	lines := newLineReader(in, maxRequestLine)
	for {
		line, err := lines.next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, os.ErrClosed):
			return nil
		case errors.Is(err, errLineTooLong):
			s.answer(reply{Error: fmt.Sprintf("%v: more than %d bytes", err, maxRequestLine)})
			continue
		case errors.Is(err, errLineTruncated):
			s.answer(reply{Error: err.Error()})
			return nil
		case err != nil:
			return fmt.Errorf("reading the control stream: %w", err)
		}
		r, err := decodeRequest(line)
		if err != nil {
			s.answer(reply{ID: r.ID, Error: err.Error()})
			continue
		}
		s.take(r)
	}
}

// take starts or cancels a role.
func (s *server) take(r request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Cancel != 0 {
		if cancel := s.running[r.Cancel]; cancel != nil {
			cancel(ErrCancelled)
		}
		return // the role may have just ended by itself
	}
	if s.running[r.ID] != nil {
		go s.answer(reply{ID: r.ID, Error: fmt.Sprintf("id %d is already running", r.ID)})
		return
	}
	f, err := s.find(r.Role)
	if err != nil {
		go s.answer(reply{ID: r.ID, Error: err.Error()})
		return
	}
	ctx, cancel := context.WithCancelCause(s.ctx)
	s.running[r.ID] = cancel
	s.roles.Add(1)
	go func() {
		defer s.roles.Done()
		defer cancel(nil)
		answer := s.run(ctx, f, r)
		s.mu.Lock()
		delete(s.running, r.ID)
		s.mu.Unlock()
		s.collect()
		s.answer(answer)
	}()
}

// run runs a role to its end and returns the reply.
func (s *server) run(ctx context.Context, f Role, r request) (answer reply) {
	s.collecting.RLock()
	defer s.collecting.RUnlock()
	ctx, cancel := context.WithTimeoutCause(ctx, r.timeout(), fmt.Errorf("time limit of %s passed", r.timeout()))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			debug.PrintStack()
			answer = reply{ID: r.ID, Error: fmt.Sprintf("role %s panicked: %v", r.Role, p)}
		}
	}()
	result, err := f(ctx, &Request{args: r.Args, ready: func(v any) error {
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encoding the ready reply: %w", err)
		}
		s.answer(reply{ID: r.ID, Ready: text})
		return nil
	}})
	if err != nil {
		return reply{ID: r.ID, Error: err.Error(), Words: words.Collect(words.OfError(err)), Cancelled: errors.Is(err, ErrCancelled)}
	}
	text, err := json.Marshal(result)
	if err != nil {
		return reply{ID: r.ID, Error: fmt.Sprintf("encoding the result of %s: %v", r.Role, err)}
	}
	return reply{ID: r.ID, Result: text, Words: words.Collect(result)}
}

// answer writes one reply. If that fails, the controller is gone and the worker
// ends.
func (s *server) answer(r reply) {
	line, err := json.Marshal(r)
	if err != nil {
		line = fmt.Appendf(nil, `{"id":%d,"error":"encoding the reply failed"}`, r.ID)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := s.out.Write(append(line, '\n')); err != nil {
		s.cancel(fmt.Errorf("answering the controller: %w", err))
	}
}

// collect runs the garbage collector after every collectEvery roles, but only
// while no role is running.
func (s *server) collect() {
	if !s.collecting.TryLock() {
		return
	}
	defer s.collecting.Unlock()
	if s.ended++; s.ended%collectEvery == 0 {
		runtime.GC()
	}
}

// Role is one end of a probe, run by a worker. Its result is sent to the
// controller as JSON. It must return soon after ctx ends.
type Role func(ctx context.Context, r *Request) (any, error)
