package worker_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/probes/worker"
)

// faultyRole finds roles that answer, fail, panic or wait.
func faultyRole(name string) (worker.Role, error) {
	switch name {
	case "answers":
		return func(context.Context, *worker.Request) (any, error) { return 42, nil }, nil
	case "fails":
		return func(context.Context, *worker.Request) (any, error) { return nil, errors.New("no route to the peer") }, nil
	case "panics":
		return func(context.Context, *worker.Request) (any, error) { panic("a bug") }, nil
	case "waits":
		return func(ctx context.Context, r *worker.Request) (any, error) {
			if err := r.Ready(1); err != nil {
				return nil, err
			}
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}, nil
	}
	return nil, errors.New("no such role")
}

func TestCalls(t *testing.T) {
	for _, c := range []struct{ name, role, err string }{
		{"a role answers", "answers", ""},
		{"a role fails", "fails", "no route to the peer"},
		{"a role panics", "panics", "panicked: a bug"},
		{"an unknown role", "other", "no such role"},
		{"a role that takes too long", "waits", "time limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := probestest.Connected(t, faultyRole)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			call, err := w.Start(ctx, c.role, nil)
			if err != nil {
				t.Fatal(err)
			}
			var v int
			err = call.Wait(ctx, &v)
			if c.err == "" && (err != nil || v != 42) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%d, %v", v, err)
			}
			if again, err := w.Start(t.Context(), "answers", nil); err != nil {
				t.Error("the worker is unusable afterwards: ", err)
			} else if err := again.Wait(t.Context(), &v); err != nil || v != 42 {
				t.Error("the worker is unusable afterwards: ", err)
			}
		})
	}
}

// TestStrangeWorkers imitates workers that break the protocol.
func TestStrangeWorkers(t *testing.T) {
	for _, c := range []struct{ name, out, err string }{
		{"one that ends", "", "the worker ended"},
		{"one that writes something else", "panic: no\n", "which is not a reply"},
		{"one whose line is cut", `{"id":1,"res`, "within a line"},
		{"one that complains", `{"id":0,"error":"bad line"}` + "\n", "bad line"},
		{"one that answers another call", `{"id":77,"result":1}` + "\n", "the worker ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink, in := io.Pipe()
			go io.Copy(io.Discard, sink)
			out, workerOut := io.Pipe()
			w := worker.Connect(in, out)
			defer w.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			call, err := w.Start(ctx, "answers", nil)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				io.WriteString(workerOut, c.out)
				workerOut.Close()
			}()
			if err := call.Wait(ctx, nil); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

func TestSilentWorkerIsGivenUp(t *testing.T) {
	sink, in := io.Pipe()
	go io.Copy(io.Discard, sink)
	out, workerOut := io.Pipe()
	defer workerOut.Close()
	w := worker.Connect(in, out)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	call, err := w.Start(ctx, "answers", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Wait(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	w.Close()
}

func TestBadControlLines(t *testing.T) {
	in := strings.NewReader(strings.Join([]string{
		`not json`, `{}`, `{"id":1}`, `{"id":-1,"role":"answers"}`, `{"id":2,"role":"answers","what":1}`, `{"cancel":9,"id":1}`,
		`{"id":3,"role":"answers","timeout_ms":-1}`, `{"id":4,"role":"answers"}{"id":5,"role":"answers"}`, strings.Repeat(" x", 64<<10), `{"id":6,"role":"answers"}`,
	}, "\n") + "\n" + `{"id":7,"ro`)
	var out strings.Builder
	if err := worker.Serve(t.Context(), in, &out, faultyRole); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 11 {
		t.Errorf("%d answers to 11 lines:\n%s", len(lines), out.String())
	}
	if !strings.Contains(out.String(), `{"id":6,"result":42}`) {
		t.Errorf("the valid line was not answered:\n%s", out.String())
	}
}
