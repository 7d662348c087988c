package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/tools/remotecommand"

	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// WorkerCommand and NICCommand are hidden commands of the program. WorkerCommand
// runs a probe worker; NICCommand prints the name, MTU and subnet of the interface
// that has an address.
const (
	WorkerCommand = "worker"
	NICCommand    = "nic"
)

// program is the path of this program in the image.
const program = "/cnibench"

// end is a pod that is measured, with the node that it runs on.
type end struct {
	pod, node *pod // node is the pod in the node's network, nil if there is none
	nic       nic  // of the node; empty without such a pod
}

// podWorker is a probe worker started by exec. Only its control stream passes
// through the API server.
type podWorker struct {
	*worker.Worker
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	err    error
}

// start starts a worker in the pod.
func (p *pod) start() error {
	s := p.set
	e, err := s.space.Exec(s.space.Name, p.name, true, program, WorkerCommand)
	if err != nil {
		return fmt.Errorf("starting a worker in the pod %s: %w", p.name, err)
	}
	if err := os.MkdirAll(s.logs, 0o755); err != nil {
		return fmt.Errorf("creating the log directory: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(s.logs, p.name+"-worker.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("opening a worker's log: %w", err)
	}
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	w := &podWorker{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		defer log.Close()
		err := e.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: log})
		if err == nil {
			err = errors.New("it ended")
		}
		w.mu.Lock()
		w.err = err
		w.mu.Unlock()
		stdout.CloseWithError(io.EOF)
		stdin.CloseWithError(err)
	}()
	w.Worker = worker.Connect(in, out)
	p.worker = w
	s.mu.Lock()
	defer s.mu.Unlock()
	s.workers = append(s.workers, w)
	return nil
}

// stopWithin is how long a worker may take to exit by itself.
const stopWithin = 2 * time.Second

func (w *podWorker) stop() {
	w.Worker.Close()
	select {
	case <-w.done:
	case <-time.After(stopWithin):
	}
	w.cancel()
	<-w.done
}

func (p *pod) ended() bool {
	p.worker.mu.Lock()
	defer p.worker.mu.Unlock()
	return p.worker.err != nil
}

// why says why the pod's worker ended.
func (p *pod) why() words.Text {
	p.worker.mu.Lock()
	defer p.worker.mu.Unlock()
	return words.StreamToPod.With(p.name, p.node, p.worker.err)
}

// nic is a network interface of a pod.
type nic struct {
	name   string
	mtu    int
	subnet netip.Prefix // of its address
}

// nic returns the interface of the pod that has an address.
func (p *pod) nic(ctx context.Context, addr netip.Addr) (n nic, err error) {
	said, err := p.set.space.Output(ctx, p.set.space.Name, p.name, program, NICCommand, addr.String())
	if err != nil {
		return n, err
	}
	var subnet string
	if _, err = fmt.Sscan(said, &n.name, &n.mtu, &subnet); err == nil {
		n.subnet, err = netip.ParsePrefix(subnet)
	}
	if err != nil {
		return n, fmt.Errorf("reading the interface of %s in the pod %s: %q", addr, p.name, results.Printable(said))
	}
	n.subnet = n.subnet.Masked()
	return n, nil
}
