package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/worker"
)

// WorkerCommand is the hidden command under which the program runs as a probe
// worker (see package probes).
const WorkerCommand = "worker"

// workerProcess is a probe worker in a pod or on a node.
type workerProcess struct {
	*worker.Worker
	cmd  *exec.Cmd
	done chan struct{}
}

// startWorker runs this program as a worker inside the space's network
// namespace. It sees the mounts of the lab's init, not the node's.
func startWorker(s *space, logDir string) (*workerProcess, error) {
	if err := os.MkdirAll(logDir, 0o755); err != nil {
		return nil, fmt.Errorf("creating the log directory: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(logDir, s.name+"-worker.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening a worker's log: %w", err)
	}
	defer log.Close()
	stdin, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("creating a worker's pipes: %w", err)
	}
	defer stdin.Close()
	out, stdout, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("creating a worker's pipes: %w", err)
	}
	defer stdout.Close()
	cmd := exec.Command("/proc/self/exe", WorkerCommand)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, log
	// A session of its own is a scheduling group of its own (sched(7), autogroup).
	// If the two ends shared a group, a round trip would be some 2 % shorter. But a
	// group's weight is split over the CPUs by its load on each: after the group's
	// work on another CPU, two ends that wait for each other would be left with next
	// to nothing. A second run on the machine starved them for seconds in one sample
	// of thirty.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := (&space{name: s.name, net: s.net}).Do(cmd.Start); err != nil {
		in.Close()
		out.Close()
		return nil, fmt.Errorf("starting a worker in %s: %w", s.name, err)
	}
	w := &workerProcess{Worker: worker.Connect(in, out), cmd: cmd, done: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(w.done)
	}()
	return w, nil
}

// stop kills the worker and waits until it is gone.
func (w *workerProcess) stop() error {
	w.Worker.Close()
	w.cmd.Process.Kill()
	return gone(w.done, "a worker")
}

// startWorkers starts a worker in each of the two measured pods and on their nodes.
func (n *network) startWorkers() error {
	var errs []error
	start := func(s *space, logDir string) *worker.Worker {
		w, err := startWorker(s, logDir)
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		n.workers = append(n.workers, w)
		return w.Worker
	}
	for i := range n.ends {
		p := n.pods[i]
		end := probes.End{Addr: p.addr, NodeAddr: p.node.addr.Addr(), Subnet: p.node.addr.Masked(), NIC: nicName, NodeName: p.node.name}
		end.Node = start(p.node.space, p.node.logDir)
		end.Worker = end.Node
		if p.space != p.node.space {
			end.Worker = start(p.space, p.node.logDir)
		}
		if d := n.deployment; d != nil && d.OwnNIC {
			end.Node, end.NIC = end.Worker, podIfName
		} else if d != nil && d.NIC != "" {
			end.NIC = d.NIC
		}
		n.ends[i] = end
	}
	return errors.Join(errs...)
}
