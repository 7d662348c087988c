package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// A sample that has not ended slack after the longest that its probe takes is
// given up: the probe's own time limits have failed, or what the testbed does for
// it takes longer.
const slack = 10 * time.Second

// slack is the same as it holds on the testbed's kernel.
func (r *run) slack() time.Duration { return slack * time.Duration(max(r.slower(), 1)) }

// sample takes one sample and journals it, failed or not.
func (r *run) sample(ctx context.Context, s step, block, position int) error {
	probe, params, err := probes.Parse(s.probe)
	if err != nil {
		return err
	}
	r.now = block
	if gone, err := r.restore(ctx, s.network); gone || err != nil {
		return err
	}
	sample := &results.Sample{Cell: s.Cell, Probe: s.probe, Block: block, Position: position, Start: time.Now()}
	agents, watched := s.network.AgentTime(), time.Now()
	measured, err := r.measure(ctx, s.network, s.Wire, probe, params, &sample.Placement)
	sample.AgentSeconds, sample.AgentWindow = (s.network.AgentTime() - agents).Seconds(), time.Since(watched).Seconds()
	if ctx.Err() != nil {
		return ctx.Err() // interrupted, not failed
	}
	var absent *probes.NotHereError
	if errors.As(err, &absent) {
		s.network.absent = append(s.network.absent, s.probe)
		r.event(results.Event{Name: results.EventNotHere, Plugin: s.Plugin, Topology: s.Topology, Text: s.probe + ": " + absent.Why})
		return nil
	}
	if err != nil {
		sample.Error = err.Error()
		if lost := s.network.Err(); lost != nil {
			sample.Error += "; " + lost.Error()
		}
		s.network.failed(sample)
	} else {
		s.network.succeeded(s.probe)
		sample.Values, sample.Seconds, sample.CPU = measured.Values, measured.Seconds, measured.CPU
		slices.Sort(measured.Warnings) // both ends may say the same
		sample.Params, sample.Warnings = measured.Params, slices.Compact(measured.Warnings)
		r.seen.add(sample)
		if measured.Hist != nil {
			sample.Hist, err = r.Journal.AddHistogram(measured.Hist, r.nameParts(s.Plugin, s.Topology, s.Wire, s.probe, fmt.Sprintf("%04d", block))...)
			if err != nil {
				return fmt.Errorf("keeping a histogram: %w", err)
			}
		}
	}
	if err := r.append(results.Record{Sample: sample}); err != nil {
		return err
	}
	if r.Took != nil {
		r.Took(sample)
	}
	if err == nil {
		if err := r.findings(s, measured.Findings); err != nil {
			return err
		}
	}
	_, restores := s.network.Network.(testbed.Restorer)
	switch {
	case s.network.Err() != nil && !restores:
		return r.fail(s.network, s.network.Err())
	case s.network.givenUp():
		return r.giveUp(s.network, sample)
	}
	return nil
}

// restore has a network that something was amiss with start its workers again.
// One that cannot is given up.
func (r *run) restore(ctx context.Context, n *upNetwork) (gone bool, err error) {
	restorer, can := n.Network.(testbed.Restorer)
	if !can || n.failures == 0 && n.Err() == nil {
		return false, nil
	}
	r.Progress(Progress{Phase: "restoring", Now: n.instance + " on " + n.topology})
	said, err := restorer.Restore(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if said != "" {
		r.event(results.Event{Name: results.EventRestored, Plugin: n.instance, Topology: n.topology, Text: said})
	}
	if err != nil {
		return true, r.fail(n, err)
	}
	return false, nil
}

// findings journals what a sample found of its network, each thing once.
func (r *run) findings(s step, found []probes.Finding) error {
	for _, f := range found {
		if s.network.found[f] {
			continue
		}
		s.network.found[f] = true
		err := r.append(results.Record{Finding: &results.Finding{Plugin: s.Plugin, Topology: s.Topology, Wire: s.Wire,
			Probe: s.probe, Name: f.Name, Text: f.Text}})
		if err != nil {
			return err
		}
	}
	return nil
}

// measure sets the scene and runs the probe.
func (r *run) measure(ctx context.Context, n *upNetwork, wire string, probe *probes.Probe, params map[string]string, placement *results.Placement) (*probes.Measurement, error) {
	if wire != n.wire {
		if err := n.SetWire(wire); err != nil {
			return nil, err
		}
		n.wire = wire
	}
	site := r.site(n, probe, params)
	site.Expect = r.expect(n)
	*placement = results.Placement{Mode: r.placementOf(probe), Client: site.Client.CPU, Server: site.Server.CPU}
	if site.Client.CPU < 0 {
		placement.Mode = probes.Unpinned
	}
	return r.take(ctx, probe, site)
}

// take runs the probe at a site for as long as its own limits may take, and
// slack.
func (r *run) take(ctx context.Context, probe *probes.Probe, site *probes.Site) (*probes.Measurement, error) {
	limit := probe.Takes(site) + r.slack()
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	measured, err := probe.Measure(limited, site)
	if ctx.Err() == nil && limited.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", context.Cause(limited), err) // told by somebody who does not say which
	}
	return measured, err
}

// site is where and how the probe measures.
func (r *run) site(n *upNetwork, probe *probes.Probe, params map[string]string) *probes.Site {
	client, server := n.Ends()
	client.CPU, server.CPU = r.cpus(r.placementOf(probe))
	site := &probes.Site{Client: client, Server: server, Duration: r.Asked.Duration.Duration(), Params: params, Spare: r.spare(client.CPU, server.CPU), Delay: r.delay(), AgentTime: n.AgentTime, Slower: r.slower()}
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

// delay is what the lab's links add to the way of every packet.
func (r *run) delay() time.Duration {
	link, err := results.ParseLink(r.Asked.Link)
	if err != nil {
		return 0 // it was checked before
	}
	return link.Delay
}

// expect is what the network's plugin should put around packets.
func (r *run) expect(n *upNetwork) probes.Encapsulation {
	e := r.Catalogue.Get(results.Original(n.instance)).Encapsulation
	client, server := n.Ends()
	if e.SubnetsOnly && client.NodeAddr.IsValid() && client.Subnet.Contains(server.NodeAddr) {
		return probes.Encapsulation{Kind: "none", Elsewhere: e.Overhead}
	}
	return probes.Encapsulation{Kind: e.Kind, Port: e.Port, Overhead: e.Overhead}
}

// placementOf is where the ends of a probe go: together, whatever was asked,
// where there is one CPU only.
func (r *run) placementOf(probe *probes.Probe) string {
	switch {
	case len(r.CPUs) == 1:
		return probes.Same
	case r.Asked.Placement != "":
		return r.Asked.Placement
	}
	return probe.Placement
}

// cpus picks the CPUs of the two ends. The last one is the least likely to
// take the machine's interrupts.
func (r *run) cpus(placement string) (client, server int) {
	last := r.CPUs[len(r.CPUs)-1]
	if placement == probes.Split {
		return r.CPUs[0], last
	}
	return last, last
}

// spare are the CPUs that the two ends leave.
func (r *run) spare(client, server int) []int {
	var left []int
	for _, cpu := range r.CPUs {
		if cpu >= 0 && cpu != client && cpu != server {
			left = append(left, cpu)
		}
	}
	return left
}

// fact takes a fact of a network and journals it.
func (r *run) fact(ctx context.Context, n *upNetwork, name string, probe *probes.Probe, params map[string]string) error {
	var site *probes.Site
	var measured *probes.Measurement
	var err error
	_, restores := n.Network.(testbed.Restorer)
	capture := ""
	for try := range 2 { // once more if a worker was lost meanwhile
		if gone, failed := r.restore(ctx, n); gone || failed != nil {
			return failed
		}
		site = r.site(n, probe, params)
		site.Expect = r.expect(n)
		capture = filepath.Join(results.CaptureDir, results.FileName(r.nameParts(n.instance, n.topology, name, fmt.Sprintf("%d", try+1))...)+".pcapng")
		site.CaptureFile = r.Journal.Path(capture)
		measured, err = r.take(ctx, probe, site)
		if err == nil || !restores || n.Err() == nil || ctx.Err() != nil {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return r.factFailed(n, name, site.Expect, err)
	}
	at := step{Cell: results.Cell{Plugin: n.instance, Topology: n.topology, Wire: cmp.Or(n.wire, results.WireNone)}, probe: name, network: n}
	if err := r.findings(at, measured.Findings); err != nil {
		return err
	}
	if e := measured.Encapsulation; e != nil {
		e.Plugin, e.Topology = n.instance, n.topology
		e.From, e.To = site.Client.NodeName, site.Server.NodeName
		e.Capture = capture
		return r.append(results.Record{Encapsulation: e})
	}
	return r.facts(n, measured)
}

// facts journals what a probe of surroundings saw.
func (r *run) facts(n *upNetwork, measured *probes.Measurement) error {
	var records []results.Record
	for _, a := range measured.Adjacency {
		a.Plugin, a.Topology = n.instance, n.topology
		records = append(records, results.Record{Adjacency: &a})
	}
	for _, reached := range measured.Reachability {
		reached.Plugin, reached.Topology = n.instance, n.topology
		records = append(records, results.Record{Reachability: &reached})
	}
	if p := measured.Policy; p != nil {
		p.Plugin, p.Topology = n.instance, n.topology
		records = append(records, results.Record{Policy: p})
	}
	if h := measured.Hops; h != nil {
		h.Plugin, h.Topology = n.instance, n.topology
		records = append(records, results.Record{Hops: h})
	}
	for _, record := range records {
		if err := r.append(record); err != nil {
			return err
		}
	}
	return nil
}

// factFailed notes that a fact could not be taken: nothing was seen, so
// nothing agrees.
func (r *run) factFailed(n *upNetwork, name string, expect probes.Encapsulation, cause error) error {
	if lost := n.Err(); lost != nil {
		if _, restores := n.Network.(testbed.Restorer); !restores {
			return r.fail(n, lost)
		}
		cause = fmt.Errorf("%w; %w", cause, lost)
	}
	var absent *probes.NotHereError
	if errors.As(cause, &absent) {
		r.event(results.Event{Name: results.EventNotHere, Plugin: n.instance, Topology: n.topology, Text: name + ": " + absent.Why})
		return nil
	}
	if name != "encap" {
		r.event(results.Event{Name: results.EventFactFailed, Plugin: n.instance, Topology: n.topology, Text: name + ": " + cause.Error()})
		return nil
	}
	return r.append(results.Record{Encapsulation: &results.Encapsulation{Plugin: n.instance, Topology: n.topology,
		Configured: expect.Kind, ConfiguredPort: expect.Port, ExpectedBytes: expect.Overhead, Effective: "unseen",
		Warnings: []string{"the wire could not be looked at: " + cause.Error()}}})
}
