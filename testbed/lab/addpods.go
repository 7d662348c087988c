package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/testbed"
)

var _ testbed.PodAdder = (*network)(nil)

// AddPods adds pods on the first node, all at once, waits until a packet from the
// second node's pod has reached each of them, and removes them.
func (n *network) AddPods(ctx context.Context, count int) ([]probes.PodTimes, error) {
	if n.deployment == nil {
		return nil, errors.New("the baseline has no plugin that adds pods")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, probes.PodsWithin, fmt.Errorf("pods did not come up within %s", probes.PodsWithin))
	defer cancel()
	node, from := n.nodes[0], n.pods[1]
	restore, err := from.retryNeighbours(firstPacketEvery)
	if err != nil {
		return nil, err
	}
	defer restore()
	pods := make([]*pod, count)
	for i := range pods {
		n.added++
		if pods[i], err = newPod(node, fmt.Sprintf("added%d", n.added)); err != nil {
			return nil, err
		}
		defer pods[i].remove()
	}
	times := make([]probes.PodTimes, count)
	err = each(pods, func(i int, p *pod) error { return p.addAndReach(ctx, n.deployment, from, &times[i]) })
	// Remove all pods, even after an error or a timeout: an address that is not
	// returned is lost to the node.
	return times, errors.Join(err, each(pods, func(i int, p *pod) error {
		start := time.Now()
		err := n.giveBack(context.WithoutCancel(ctx), p)
		times[i].Del = time.Since(start)
		return err
	}))
}

// addAndReach adds the pod and waits for the first packet to it.
func (p *pod) addAndReach(ctx context.Context, d *plugins.Deployment, from *pod, t *probes.PodTimes) (err error) {
	start := time.Now()
	if t.Add, err = p.cniAdd(ctx, d); err != nil {
		return err
	}
	restore, err := p.retryNeighbours(firstPacketEvery)
	if err != nil {
		return err
	}
	defer restore()
	if err := reach(ctx, from, p); err != nil {
		return err
	}
	t.Ready = time.Since(start)
	return nil
}

// AgentTime returns the agents' CPU time since each was first started. It includes
// their time before restarts, so it never decreases.
func (n *network) AgentTime() time.Duration {
	var sum time.Duration
	for _, node := range n.machines() {
		for _, a := range node.agents {
			sum += a.time()
		}
	}
	return sum
}

// tick is the unit of /proc/PID/stat: 1/100 s on every architecture that Go
// runs on (sysconf(_SC_CLK_TCK), time(7)).
const tick = 10 * time.Millisecond

// processTime returns the time in user and kernel mode of a process and of the
// children that it has waited for (proc_pid_stat(5), fields 14 to 17). wait4(2)
// reports the same time when the process has ended. It is 0 if the process is
// gone.
func processTime(pid int) time.Duration {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	// The name in parentheses may contain anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const before = 3 // number of the first of these fields
	if len(fields) <= 17-before {
		return 0
	}
	ticks := 0
	for _, field := range fields[14-before : 17-before+1] {
		n, _ := strconv.Atoi(field)
		ticks += n
	}
	return time.Duration(ticks) * tick
}
