package scenarios

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// stage is where samples of a phase are taken, and what was asked of them.
type stage struct {
	asked     results.Asked
	catalogue catalogue.Catalogue
	cpus      []int // that ends may be pinned to
	testbed   testbed.Testbed
}

// A sample that has not ended slack after the longest that its probe takes is
// given up: the probe's own time limits have failed, or what the testbed does for
// it takes longer.
const slack = 10 * time.Second

// slack is the same as it holds on the testbed's kernel.
func (s stage) slack() time.Duration { return slack * time.Duration(max(s.slower(), 1)) }

// take runs the probe at a site for as long as its own limits may take, and
// slack.
func (s stage) take(ctx context.Context, probe *probes.Probe, site *probes.Site) (*probes.Measurement, error) {
	limit := probe.Takes(site) + s.slack()
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	measured, err := probe.Measure(limited, site)
	if ctx.Err() == nil && limited.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", context.Cause(limited), err) // told by somebody who does not say which
	}
	return measured, err
}

// site is where and how the probe measures.
func (s stage) site(n *upNetwork, probe *probes.Probe, params map[string]string) *probes.Site {
	client, server := n.Ends()
	client.CPU, server.CPU = s.pin(s.placementOf(probe))
	site := &probes.Site{Client: client, Server: server, Duration: s.asked.Duration.Duration(), Params: params, Spare: s.spare(client.CPU, server.CPU), Delay: s.asked.Link.Delay, AgentTime: n.AgentTime, Slower: s.slower(), Expect: s.expect(n)}
	if adder, ok := n.Network.(testbed.PodAdder); ok {
		site.AddPods = adder.AddPods
	}
	if server, ok := n.Network.(testbed.Server); ok {
		site.Service = server.Service
	}
	if surveyor, ok := n.Network.(testbed.Surveyor); ok {
		site.Around = surveyor.Around
	}
	return site
}

// expect is what the network's plugin should put around packets.
func (s stage) expect(n *upNetwork) probes.Encapsulation {
	e := s.catalogue.Get(results.Original(n.instance)).Encapsulation
	client, server := n.Ends()
	if e.SubnetsOnly && client.NodeAddr.IsValid() && client.Subnet.Contains(server.NodeAddr) {
		return probes.Encapsulation{Kind: "none", Elsewhere: e.Overhead}
	}
	return probes.Encapsulation{Kind: e.Kind, Port: e.Port, Overhead: e.Overhead}
}

// placementOf is where the ends of a probe go: together, whatever was asked,
// where there is one CPU only.
func (s stage) placementOf(probe *probes.Probe) string {
	switch {
	case len(s.cpus) == 1:
		return probes.Same
	case s.asked.Placement != "":
		return s.asked.Placement
	}
	return probe.Placement
}

// pin picks the CPUs of the two ends. The last one is the least likely to
// take the machine's interrupts.
func (s stage) pin(placement string) (client, server int) {
	last := s.cpus[len(s.cpus)-1]
	if placement == probes.Split {
		return s.cpus[0], last
	}
	return last, last
}

// spare are the CPUs that the two ends leave.
func (s stage) spare(client, server int) []int {
	var left []int
	for _, cpu := range s.cpus {
		if cpu >= 0 && cpu != client && cpu != server {
			left = append(left, cpu)
		}
	}
	return left
}

// lacks is what the testbed's kernel lacks for a plugin, "" for nothing.
func (s stage) lacks(p *plugins.Plugin) string {
	if k, ok := s.testbed.(testbed.Kernel); ok {
		return k.Lacks(p)
	}
	return ""
}

// slower is how many times longer things take on the testbed's kernel, 0 for
// no longer.
func (s stage) slower() int {
	if k, ok := s.testbed.(testbed.Kernel); ok {
		return k.Slower()
	}
	return 0
}
