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

// stage is where a phase takes its samples, and what was requested of them.
type stage struct {
	asked     results.Asked
	catalogue catalogue.Catalogue
	cpus      []int // that ends may be pinned to
	testbed   testbed.Testbed
}

// slack is how long a sample may run beyond its probe's maximum duration before it is given up:
// then the probe's own time limits have failed, or the testbed's part of the work takes longer.
const slack = 10 * time.Second

// slack returns slack scaled to the speed of the testbed's kernel.
func (s stage) slack() time.Duration { return slack * time.Duration(max(s.slower(), 1)) }

// take runs the probe at a site for at most as long as the probe's own limits allow, plus slack.
func (s stage) take(ctx context.Context, probe *probes.Probe, site *probes.Site) (*probes.Measurement, error) {
	limit := probe.Takes(site) + s.slack()
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	measured, err := probe.Measure(limited, site)
	if ctx.Err() == nil && limited.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", context.Cause(limited), err) // err may come from code that does not name the limit
	}
	return measured, err
}

// site returns where and how the probe measures.
func (s stage) site(n *upNetwork, probe *probes.Probe, params map[string]string) *probes.Site {
	client, server := n.Ends()
	client.CPU, server.CPU = s.pin(s.placementOf(probe))
	site := &probes.Site{Client: client, Server: server, Duration: s.asked.Duration.Duration(), Params: params, Spare: s.spare(client.CPU, server.CPU), Delay: s.asked.Link.Delay, AgentTime: n.AgentTime, Slower: s.slower(), Expect: s.expect(n), Passed: n.passed}
	if adder, ok := n.Network.(testbed.PodAdder); ok {
		site.AddPods = adder.AddPods
	}
	if server, ok := n.Network.(testbed.Server); ok {
		site.Service = server.Service
	}
	if surveyor, ok := n.Network.(testbed.Surveyor); ok {
		site.Around = surveyor.Around
	}
	if mesh, ok := n.Network.(testbed.Mesh); ok {
		site.Mesh = mesh.Mesh
	}
	return site
}

// expect returns the encapsulation that the network's plugin should use: as the cluster says or,
// where it says nothing, as the catalogue does.
func (s stage) expect(n *upNetwork) probes.Encapsulation {
	e := s.catalogue.Get(results.Original(n.instance)).Encapsulation
	if c := n.configured; c != nil {
		e = plugins.Encapsulation{Kind: c.Encapsulation, Port: c.Port, Overhead: c.OverheadBytes, SubnetsOnly: c.SubnetsOnly}
	}
	client, server := n.Ends()
	if e.SubnetsOnly && client.NodeAddr.IsValid() && client.Subnet.Contains(server.NodeAddr) {
		return probes.Encapsulation{Kind: "none", Elsewhere: e.Overhead}
	}
	return probes.Encapsulation{Kind: e.Kind, Port: e.Port, Overhead: e.Overhead}
}

// placementOf returns the placement of a probe's ends: together, whatever was requested, if there
// is only one CPU.
func (s stage) placementOf(probe *probes.Probe) string {
	switch {
	case len(s.cpus) == 1:
		return probes.Same
	case s.asked.Placement != "":
		return s.asked.Placement
	}
	return probe.Placement
}

// pin picks the CPUs of the two ends. The last one is the least likely to handle the machine's
// interrupts.
func (s stage) pin(placement string) (client, server int) {
	last := s.cpus[len(s.cpus)-1]
	if placement == probes.Split {
		return s.cpus[0], last
	}
	return last, last
}

// spare returns the CPUs that the two ends do not use.
func (s stage) spare(client, server int) []int {
	var left []int
	for _, cpu := range s.cpus {
		if cpu >= 0 && cpu != client && cpu != server {
			left = append(left, cpu)
		}
	}
	return left
}

// lacks returns what the testbed's kernel lacks for a plugin, "" for nothing.
func (s stage) lacks(p *plugins.Plugin) string {
	if k, ok := s.testbed.(testbed.Kernel); ok {
		return k.Lacks(p)
	}
	return ""
}

// slower returns how many times longer things take on the testbed's kernel, or 0 if they do not.
func (s stage) slower() int {
	if k, ok := s.testbed.(testbed.Kernel); ok {
		return k.Slower()
	}
	return 0
}
