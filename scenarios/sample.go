package scenarios

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
)

// A sample that has not ended slack after its duration is given up: its
// probe's own time limits have failed.
const slack = 10 * time.Second

// sample takes one sample and journals it, failed or not.
func (r *run) sample(ctx context.Context, s step, block, position int) error {
	probe, params, err := probes.Parse(s.probe)
	if err != nil {
		return err
	}
	sample := &results.Sample{Cell: s.Cell, Probe: s.probe, Block: block, Position: position, Start: time.Now()}
	measured, err := r.measure(ctx, s.network, s.Wire, probe, params, &sample.Placement)
	if ctx.Err() != nil {
		return ctx.Err() // interrupted, not failed
	}
	if err != nil {
		sample.Error = err.Error()
		s.network.failures++
	} else {
		s.network.failures = 0
		sample.Values, sample.Seconds, sample.CPU = measured.Values, measured.Seconds, measured.CPU
		slices.Sort(measured.Warnings) // both ends may say the same
		sample.Params, sample.Warnings = measured.Params, slices.Compact(measured.Warnings)
		r.seen.add(sample)
		if measured.Hist != nil {
			sample.Hist, err = r.Journal.AddHistogram(fmt.Sprintf("%s-%s-%s-%s-%04d", s.Plugin, s.Topology, s.Wire, s.probe, block), measured.Hist)
			if err != nil {
				return fmt.Errorf("keeping a histogram: %w", err)
			}
		}
	}
	if err := r.append(results.Record{Sample: sample}); err != nil {
		return err
	}
	switch {
	case s.network.Err() != nil:
		return r.fail(s.network, s.network.Err())
	case s.network.failures >= givenUpAfter:
		return r.fail(s.network, fmt.Errorf("%d samples in a row failed, the last: %s", s.network.failures, sample.Error))
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
	ctx, cancel := context.WithTimeout(ctx, r.Asked.Duration.Duration()+slack)
	defer cancel()
	site := r.site(n, probe, params)
	*placement = results.Placement{Mode: r.placementOf(probe), Client: site.Client.CPU, Server: site.Server.CPU}
	return probe.Measure(ctx, site)
}

// site is where and how the probe measures.
func (r *run) site(n *upNetwork, probe *probes.Probe, params map[string]string) *probes.Site {
	client, server := n.Ends()
	client.CPU, server.CPU = r.cpus(r.placementOf(probe))
	return &probes.Site{Client: client, Server: server, Duration: r.Asked.Duration.Duration(), Params: params}
}

func (r *run) placementOf(probe *probes.Probe) string {
	if r.Asked.Placement != "" {
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

// fact takes a fact of a network and journals it.
func (r *run) fact(ctx context.Context, n *upNetwork, name string, probe *probes.Probe, params map[string]string) error {
	instance, _ := cutControl(n.instance)
	expect := r.Catalogue.Get(instance).Encapsulation
	site := r.site(n, probe, params)
	site.Expect = probes.Encapsulation(expect)
	site.CaptureFile = r.Journal.Path(filepath.Join(results.CaptureDir, n.instance+"-"+n.topology+".pcapng"))
	timed, cancel := context.WithTimeout(ctx, slack)
	defer cancel()
	measured, err := probe.Measure(timed, site)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return r.factFailed(n, name, expect, err)
	}
	if e := measured.Encapsulation; e != nil {
		e.Plugin, e.Topology = n.instance, n.topology
		e.From, e.To = site.Client.NodeName, site.Server.NodeName
		e.Capture = filepath.Join(results.CaptureDir, n.instance+"-"+n.topology+".pcapng")
		return r.append(results.Record{Encapsulation: e})
	}
	return nil
}

// factFailed notes that a fact could not be taken: nothing was seen, so
// nothing agrees.
func (r *run) factFailed(n *upNetwork, name string, expect plugins.Encapsulation, cause error) error {
	if n.Err() != nil {
		return r.fail(n, n.Err())
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		cause = fmt.Errorf("no answer within %s: %w", slack, cause)
	}
	if name != "encap" {
		r.event(results.Event{Name: results.EventFactFailed, Plugin: n.instance, Topology: n.topology, Text: name + ": " + cause.Error()})
		return nil
	}
	return r.append(results.Record{Encapsulation: &results.Encapsulation{Plugin: n.instance, Topology: n.topology,
		Configured: expect.Kind, ConfiguredPort: expect.Port, ExpectedBytes: expect.Overhead, Effective: "unseen",
		Warnings: []string{"the wire could not be looked at: " + cause.Error()}}})
}

// cutControl removes the mark of a control's second network.
func cutControl(instance string) (name string, control bool) {
	return strings.CutSuffix(instance, controlSuffix)
}
