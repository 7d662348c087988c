package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/plugins"
)

// searchPath finds the distribution's programs (iptables, ipset, bird). An
// ordinary user's PATH often lacks the sbin directories.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// An agent that exits by itself is restarted after restartPause, as the kubelet
// would do; after maxRestarts it has failed for good. A normal start includes some
// restarts: flanneld exits when another node gets the subnet that it wanted, and
// Felix (with status 129) when the encapsulation changes.
const (
	maxRestarts  = 5
	restartPause = 100 * time.Millisecond
)

// logTail is how many of an agent's last lines an error quotes.
const logTail = 4

// agent is a supervised program on a node.
type agent struct {
	plugins.Process
	node *node

	mu       sync.Mutex
	cmd      *exec.Cmd
	ended    time.Duration // CPU time of the processes that have ended
	reaped   bool          // whether cmd is among them
	stopping bool
	done     chan struct{} // closed when the last process has ended
}

// agentExit says that an agent exited by itself.
type agentExit struct {
	node, agent string
	err         error
	final       bool // it is not restarted
}

// command prepares a process to start on the node.
func (n *node) command(ctx context.Context, p plugins.Process, log io.Writer) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.Path, p.Args...)
	cmd.Env = append([]string{searchPath, "HOME=/tmp"}, p.Env...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// openLog opens the log of a program of this node for appending.
func (n *node) openLog(program string) (*os.File, error) {
	if err := os.MkdirAll(n.logDir, 0o755); err != nil {
		return nil, fmt.Errorf("creating the log directory: %w", err)
	}
	f, err := os.OpenFile(n.logPath(program), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", program, err)
	}
	return f, nil
}

func (n *node) logPath(program string) string {
	return filepath.Join(n.logDir, n.name+"-"+program+".log")
}

// Run runs a program on the node to its end.
func (n *node) Run(ctx context.Context, p plugins.Process) error {
	log, err := n.openLog(p.Name)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := n.command(ctx, p, log)
	if err := n.Do(cmd.Start); err != nil {
		return fmt.Errorf("starting %s on %s: %w", p.Name, n.name, err)
	}
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("%s on %s: %w%s", p.Name, n.name, err, lastLines(n.logPath(p.Name)))
	}
	return nil
}

// Start runs a program on the node until the network is taken down, and restarts
// it when it exits by itself.
func (n *node) Start(p plugins.Process) error {
	a := &agent{Process: p, node: n, done: make(chan struct{})}
	if err := a.start(); err != nil {
		return err
	}
	n.agents = append(n.agents, a)
	go a.supervise()
	return nil
}

// start starts the process once.
func (a *agent) start() error {
	log, err := a.node.openLog(a.Name)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := a.node.command(context.Background(), a.Process, log)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopping {
		return errors.New("the network is being taken down")
	}
	if err := a.node.Do(cmd.Start); err != nil {
		return fmt.Errorf("starting %s on %s: %w", a.Name, a.node.name, err)
	}
	a.cmd, a.reaped = cmd, false
	return nil
}

// supervise waits for the process and restarts it until it is stopped. If it exits
// too often, the network fails with the cause.
func (a *agent) supervise() {
	defer close(a.done)
	for restarts := 0; ; restarts++ {
		err := a.wait()
		if a.isStopping() {
			return
		}
		if err == nil {
			err = errors.New("exit status 0")
		}
		final := restarts == maxRestarts
		a.node.report(agentExit{a.node.name, a.Name, err, final})
		if final {
			a.node.fail(fmt.Errorf("%s on %s exited %d times: %w%s",
				a.Name, a.node.name, restarts+1, err, lastLines(a.node.logPath(a.Name))))
			return
		}
		time.Sleep(restartPause)
		if err := a.start(); err != nil {
			if !a.isStopping() {
				a.node.fail(err)
			}
			return
		}
	}
}

// wait waits for the end of the process and adds up its CPU time. The process
// stays in the process table until its time is added, so that [agent.time] finds
// the time in exactly one place, and never that of another process with the same
// PID.
func (a *agent) wait() error {
	for errors.Is(unix.Waitid(unix.P_PID, a.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.cmd.Wait()
	if state := a.cmd.ProcessState; state != nil {
		a.ended += state.UserTime() + state.SystemTime()
	}
	a.reaped = true
	return err
}

// time returns the CPU time of the agent's process and its predecessors, including
// the programs that they ran and waited for.
func (a *agent) time() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reaped {
		return a.ended
	}
	return a.ended + processTime(a.cmd.Process.Pid)
}

func (a *agent) isStopping() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stopping
}

// stop kills the agent and waits until it has ended.
func (a *agent) stop() error {
	a.mu.Lock()
	a.stopping = true
	process := a.cmd.Process
	a.mu.Unlock()
	process.Kill()
	return gone(a.done, a.Name+" on "+a.node.name)
}

// killedWithin is how long a killed process may take to end. A process that waits
// for a device inside the kernel does not end before the device answers.
const killedWithin = 5 * time.Second

// gone waits until a killed process has ended.
func gone(done <-chan struct{}, what string) error {
	select {
	case <-done:
		return nil
	case <-time.After(killedWithin):
		return fmt.Errorf("%s was killed but did not end within %s", what, killedWithin)
	}
}

// pid returns the PID of the agent's current process.
func (a *agent) pid() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cmd.Process.Pid
}

// lastLines quotes the end of a log for an error message. It returns "" if there
// is no log.
func lastLines(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	const tail = 4096
	if st, err := f.Stat(); err == nil && st.Size() > tail {
		f.Seek(-tail, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	lines := strings.Split(string(bytes.TrimSpace(text)), "\n")
	if len(lines) > logTail {
		lines = lines[len(lines)-logTail:]
	}
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return "; its last lines: " + strings.Join(lines, " | ")
}
