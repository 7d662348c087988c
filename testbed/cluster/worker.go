package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
)

// WorkerCommand and NICCommand are hidden commands of the program: a probe
// worker, and the name and MTU of the interface that has an address.
const (
	WorkerCommand = "worker"
	NICCommand    = "nic"
)

// program is where the image has this program.
const program = "/cnibench"

// end is a pod that is measured, with the node that it runs on.
type end struct {
	pod, node *pod // node is nil without a pod in the node's network
	nic       nic  // of the node, none without such a pod
}

// worker is a probe worker that was started by exec. Only its control lines
// pass the API server.
type worker struct {
	*probes.Worker
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	err    error
}

// executor opens an exec into a pod, by websocket, and by SPDY where the API
// server or a proxy on the way does not take that.
func (p *pod) executor(stdin bool, command ...string) (remotecommand.Executor, error) {
	c := p.cluster
	at := c.client.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.namespace).Name(p.name).SubResource("exec").
		VersionedParams(&core.PodExecOptions{Command: command, Stdin: stdin, Stdout: true, Stderr: true}, scheme.ParameterCodec).URL()
	websocket, err := remotecommand.NewWebSocketExecutor(c.rest, "GET", at.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(c.rest, "POST", (*url.URL)(at))
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(websocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}

// run runs a command in the pod to its end and returns what it prints.
func (p *pod) run(ctx context.Context, command ...string) (string, error) {
	e, err := p.executor(false, command...)
	var out, log bytes.Buffer
	if err == nil {
		err = e.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &log})
	}
	if err != nil {
		return "", fmt.Errorf("running %s in the pod %s: %w: %s", strings.Join(command, " "), p.name, err, results.Printable(log.String()))
	}
	return out.String(), nil
}

// start starts a worker in the pod.
func (p *pod) start() error {
	c := p.cluster
	e, err := p.executor(true, program, WorkerCommand)
	if err != nil {
		return fmt.Errorf("starting a worker in the pod %s: %w", p.name, err)
	}
	if err := os.MkdirAll(c.logs, 0o755); err != nil {
		return fmt.Errorf("making the folder of logs: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(c.logs, p.name+"-worker.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log of a worker: %w", err)
	}
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	w := &worker{cancel: cancel, done: make(chan struct{})}
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
	w.Worker = probes.Connect(in, out)
	p.worker = w
	c.workers = append(c.workers, w)
	return nil
}

// stopWithin is how long a worker has to end by itself.
const stopWithin = 2 * time.Second

func (w *worker) stop() {
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

// why is what ended the pod's worker.
func (p *pod) why() string {
	p.worker.mu.Lock()
	defer p.worker.mu.Unlock()
	return fmt.Sprintf("the stream to the pod %s on %s: %v", p.name, p.node, p.worker.err)
}

// nic is an interface of a pod.
type nic struct {
	name   string
	mtu    int
	subnet netip.Prefix // of its address
}

// nic asks which interface of the pod has an address.
func (p *pod) nic(ctx context.Context, addr netip.Addr) (n nic, err error) {
	said, err := p.run(ctx, program, NICCommand, addr.String())
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
