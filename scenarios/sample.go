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
	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// sample takes one sample and journals it, whether it failed or not.
func (r *run) sample(ctx context.Context, s step, block, position int) error {
	probe, params, err := catalogue.Parse(s.probe)
	if err != nil {
		return err
	}
	r.now = block
	if gone, err := r.restore(ctx, s.network); gone || err != nil {
		return err
	}
	sample := &results.Sample{Cell: s.Cell, Probe: s.probe, Block: block, Position: position, Deployment: r.phase.Deployment, Start: time.Now()}
	agents, watched := s.network.AgentTime(), time.Now()
	measured, err := r.measure(ctx, s.network, s.Wire, probe, params, &sample.Placement)
	sample.AgentSeconds, sample.AgentWindow = (s.network.AgentTime() - agents).Seconds(), time.Since(watched).Seconds()
	if ctx.Err() != nil {
		return ctx.Err() // interrupted, not failed
	}
	var absent *probes.NotHereError
	if errors.As(err, &absent) {
		s.network.absent = append(s.network.absent, s.probe)
		r.write().notHere(s.network, s.probe, absent.Why)
		return nil
	}
	if err != nil {
		sample.Error = words.OfError(err)
		if lost := s.network.Err(); lost != nil {
			sample.Error = words.Clauses(sample.Error, words.OfError(lost))
		}
		s.network.failed(sample)
	} else {
		s.network.succeeded(s.probe)
		sample.Values, sample.Seconds, sample.CPU = measured.Values, measured.Seconds, measured.CPU
		slices.SortFunc(measured.Warnings, words.Compare) // both ends may report the same warning
		sample.Params, sample.Warnings = measured.Params, slices.Compact(measured.Warnings)
		if before := r.pace.seen.first(s.Cell, s.probe); probe.Changed != nil && before != nil {
			measured.Findings = append(measured.Findings, probe.Changed(before, measured.Values)...)
		}
		r.pace.seen.add(sample)
		if measured.Hist != nil {
			sample.Hist, err = r.Journal.AddHistogram(measured.Hist, r.write().fileParts(s.Plugin, s.Topology.Name, s.Wire, s.probe, fmt.Sprintf("%04d", block))...)
			if err != nil {
				return fmt.Errorf("keeping a histogram: %w", err)
			}
		}
	}
	if err := r.write().append(results.Record{Sample: sample}); err != nil {
		return err
	}
	if r.Took != nil {
		r.Took(sample)
	}
	if err == nil {
		if err := r.write().findings(s, measured.Findings); err != nil {
			return err
		}
	}
	_, restores := s.network.Network.(testbed.Restorer)
	switch {
	case s.network.Err() != nil && !restores:
		return r.fail(s.network, s.network.Err())
	case s.network.givenUp():
		return r.fail(s.network, words.Error(words.SamplesInARowFailed.With(s.network.failures, sample.Error)))
	}
	return nil
}

// restore makes a network restart its failed workers. It gives up a network that cannot.
func (r *run) restore(ctx context.Context, n *upNetwork) (gone bool, err error) {
	restorer, can := n.Network.(testbed.Restorer)
	if !can || n.failures == 0 && n.Err() == nil {
		return false, nil
	}
	r.Progress(Progress{Phase: "restoring", Now: n.instance + " on " + n.topology.Name})
	said, err := restorer.Restore(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if !said.Empty() {
		r.write().event(results.Event{Name: results.EventRestored, Plugin: n.instance, Topology: n.topology, Text: said})
	}
	if err != nil {
		return true, r.fail(n, err)
	}
	return false, nil
}

// measure sets up the site and runs the probe.
func (r *run) measure(ctx context.Context, n *upNetwork, wire string, probe *probes.Probe, params map[string]string, placement *results.Placement) (*probes.Measurement, error) {
	if wire != n.wire {
		if err := n.SetWire(wire); err != nil {
			return nil, err
		}
		n.wire = wire
	}
	site := r.stage().site(n, probe, params)
	*placement = results.Placement{Mode: r.stage().placementOf(probe), Client: site.Client.CPU, Server: site.Server.CPU}
	if site.Client.CPU < 0 {
		placement.Mode = probes.Unpinned
	}
	return r.stage().take(ctx, probe, site)
}

// fact takes a fact of a network and journals it.
func (r *run) fact(ctx context.Context, n *upNetwork, name string, probe *probes.Probe, params map[string]string) error {
	var site *probes.Site
	var measured *probes.Measurement
	var err error
	_, restores := n.Network.(testbed.Restorer)
	capture := ""
	for try := range 2 { // try again if a worker was lost meanwhile
		if gone, failed := r.restore(ctx, n); gone || failed != nil {
			return failed
		}
		site = r.stage().site(n, probe, params)
		capture = filepath.Join(results.CaptureDir, results.FileName(r.write().fileParts(n.instance, n.topology.Name, name, fmt.Sprintf("%d", try+1))...)+".pcapng")
		site.CaptureFile = r.Journal.Path(capture)
		measured, err = r.stage().take(ctx, probe, site)
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
	if err := r.write().findings(at, measured.Findings); err != nil {
		return err
	}
	for _, why := range measured.Absent {
		r.write().notHere(n, name, why)
	}
	if e := measured.Encapsulation; e != nil {
		e.Plugin, e.Topology = n.instance, n.topology
		e.From, e.To = site.Client.NodeName, site.Server.NodeName
		e.Capture = capture
		return r.write().append(results.Record{Encapsulation: e})
	}
	return r.write().facts(n, measured)
}

// factFailed records that a fact could not be taken: nothing was seen, so nothing agrees.
func (r *run) factFailed(n *upNetwork, name string, expect probes.Encapsulation, cause error) error {
	if lost := n.Err(); lost != nil {
		if _, restores := n.Network.(testbed.Restorer); !restores {
			return r.fail(n, lost)
		}
		cause = fmt.Errorf("%w; %w", cause, lost)
	}
	var absent *probes.NotHereError
	if errors.As(cause, &absent) {
		r.write().notHere(n, name, absent.Why)
		return nil
	}
	if name != "encap" {
		r.write().event(results.Event{Name: results.EventFactFailed, Plugin: n.instance, Topology: n.topology, Text: words.Of(words.Quote(name), words.OfError(cause))})
		return nil
	}
	return r.write().append(results.Record{Encapsulation: &results.Encapsulation{Plugin: n.instance, Topology: n.topology,
		Configured: expect.Kind, ConfiguredPort: expect.Port, ExpectedBytes: expect.Overhead, Effective: "unseen",
		Warnings: []words.Text{words.WireNotCaptured.With(cause)}}})
}
