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

// podWithin bounds the life of pods that are added for a sample.
const podWithin = 20 * time.Second

// AddPods adds pods on the first node, all at once, waits until a packet from
// the second node's pod reaches each, and removes them.
func (n *network) AddPods(ctx context.Context, count int) ([]probes.PodTimes, error) {
	if n.deployment == nil {
		return nil, errors.New("the baseline has no plugin that adds pods")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, podWithin, fmt.Errorf("pods were not up within %s", podWithin))
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
	// What was added is removed, whatever happened to it and to the others, and
	// although their time may be over: an address that is not given back is
	// lost to the node.
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

// AgentTime is the processor time of the agents since each started. An agent
// that was started again begins anew.
func (n *network) AgentTime() time.Duration {
	var sum time.Duration
	for _, node := range n.machines() {
		for _, a := range node.agents {
			sum += processTime(a.pid())
		}
	}
	return sum
}

// tick is the unit of /proc/PID/stat: 1/100 s on every architecture that Go
// runs on (sysconf(_SC_CLK_TCK), time(7)).
const tick = 10 * time.Millisecond

// processTime is a process's time in user and kernel mode (proc_pid_stat(5),
// fields 14 and 15), 0 if it is gone.
func processTime(pid int) time.Duration {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}
