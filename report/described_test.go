package report_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// lane is a plugin of a described run, with its figures relative to the host's.
type lane struct {
	name         string
	goodput, p50 float64
}

// atSpeed describes a plugin with a share of the host's speed by every figure.
func atSpeed(name string, speed float64) lane { return lane{name, speed, 1 / speed} }

// described is the short form of a run, from which its journal is written. The defaults are a complete
// run of the lab without disturbances, in which every plugin was captured.
type described struct {
	lanes  []lane
	rounds int
	noise  map[string]float64 // standard deviation of the logarithms of a plugin's figures
	asked  results.Asked
	probes []results.Metric
	// edit changes each record before it is written, and reports whether it is kept.
	edit []func(*results.Record) bool
	last results.Event // how the run ended
}

// quiet is the noise of a plugin unless a case sets another one.
const quiet = 0.002

func (d *described) write(t *testing.T, dir string) {
	t.Helper()
	start := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	run := results.Run{ID: "described", Started: start, CongestionControl: "cubic", Host: results.Host{CPUs: 2, Kernel: "6.18", CPU: "made up", CongestionControl: "cubic", Virtualization: "none"},
		Asked: d.asked, Metrics: d.probes}
	for _, l := range d.lanes {
		run.Asked.Plugins = append(run.Asked.Plugins, l.name)
	}
	j, err := results.Create(dir, run)
	if err != nil {
		t.Fatal(err)
	}
	add := func(r results.Record) {
		for _, edit := range d.edit {
			if !edit(&r) {
				return
			}
		}
		if r.Time.IsZero() {
			r.Time = start
		}
		if err := j.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range d.lanes {
		l.facts(add)
	}
	for block := range d.rounds {
		for _, l := range d.lanes {
			d.samples(l, block, start.Add(time.Duration(block)*time.Minute), add)
		}
		add(results.Record{Event: &results.Event{Name: results.EventBlockEnd, Block: block}})
	}
	if d.last.Name != "" {
		add(results.Record{Time: start.Add(time.Hour), Event: &d.last})
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// facts writes what is recorded once of a network that works.
func (l lane) facts(add func(results.Record)) {
	kind, port, overhead := "none", 0, 0
	switch results.Original(l.name) {
	case "flannel-vxlan":
		kind, port, overhead = "vxlan", 8472, 50
	case "calico-vxlan":
		kind, port, overhead = "vxlan", 4789, 50
	case "flannel-udp":
		kind, port, overhead = "udp", 8285, 28
	}
	on := results.On("l2")
	add(results.Record{Network: &results.Network{Plugin: l.name, Topology: on, Status: results.StatusOK, Fidelity: "agent", Kernel: "6.18", PodMTU: 1500 - overhead}})
	add(results.Record{Encapsulation: &results.Encapsulation{Plugin: l.name, Topology: on, From: "n1", To: "n2", Configured: kind, ConfiguredPort: port, ExpectedBytes: overhead,
		Effective: kind, Port: port, OverheadBytes: overhead, Frames: 32, Sent: 32, Agrees: true}})
	add(results.Record{Policy: &results.Policy{Plugin: l.name, Topology: on, Enforced: strings.HasPrefix(l.name, "calico"), Seconds: 0.2}})
}

// samples writes the samples of one block. The machine drifts, which affects all plugins alike.
func (d *described) samples(l lane, block int, start time.Time, add func(results.Record)) {
	machine := 1 + 0.05*math.Sin(float64(block))
	for _, wire := range d.asked.Wire {
		seen := ""
		for _, m := range d.probes {
			if m.Probe == seen {
				continue
			}
			seen = m.Probe
			value := 1e9 * l.goodput * machine
			if m.Better == "lower" {
				value = 2e-5 * l.p50 * machine
			}
			value *= math.Exp(d.noiseOf(l.name, wire, m.Probe, block))
			add(results.Record{Time: start, Sample: &results.Sample{Cell: results.Cell{Plugin: l.name, Topology: results.On("l2"), Wire: wire}, Probe: m.Probe, Block: block,
				Start: start, Seconds: 1, Placement: results.Placement{Mode: "split"}, Values: map[string]float64{m.Name: value}}})
		}
	}
}

// noiseOf returns the noise of one sample: the normal scores of all rounds, in an order that is drawn for
// each plugin and figure. So its mean is zero in every run, however short.
func (d *described) noiseOf(plugin, wire, probe string, block int) float64 {
	sd, set := d.noise[plugin]
	if !set {
		sd = quiet
	}
	h := fnv.New64a()
	fmt.Fprint(h, plugin, wire, probe)
	order := rand.New(rand.NewPCG(h.Sum64(), 1)).Perm(d.rounds)
	return sd * distuv.UnitNormal.Quantile((float64(order[block])+0.5)/float64(d.rounds))
}

// option changes a described run.
type option func(*described)

// run describes a run of the host and some plugins.
func run(lanes []lane, options ...option) *described {
	d := &described{lanes: append([]lane{atSpeed(results.HostPlugin, 1)}, lanes...), rounds: 20, noise: map[string]float64{},
		asked:  results.Asked{Testbed: "lab", Topology: []string{"l2"}, Wire: []string{"none"}, MTU: 1500, Nodes: 2, Rounds: 20, Duration: 1, Needs: &results.Needs{L2: results.Yes}},
		probes: []results.Metric{{Probe: "tcp-stream", Name: "goodput", Unit: "bit/s", Better: "higher"}, {Probe: "tcp-rr", Name: "p50", Unit: "s", Better: "lower"}},
		last:   results.Event{Name: results.EventFinished, Complete: true}}
	for _, o := range options {
		o(d)
	}
	return d
}

func rounds(n int) option { return func(d *described) { d.rounds, d.asked.Rounds = n, n } }

func noise(sd float64, plugins ...string) option {
	return func(d *described) {
		for _, p := range plugins {
			d.noise[p] = sd
		}
	}
}

func wires(names ...string) option { return func(d *described) { d.asked.Wire = names } }

func needs(change func(*results.Needs)) option { return func(d *described) { change(d.asked.Needs) } }

// probing replaces the probes.
func probing(metrics ...results.Metric) option { return func(d *described) { d.probes = metrics } }

// records edits every record, and drops those for which edit is false.
func records(edit func(*results.Record) bool) option {
	return func(d *described) { d.edit = append(d.edit, edit) }
}

// plus adds a record.
func plus(r results.Record) option {
	return func(d *described) {
		done := false
		d.edit = append(d.edit, func(old *results.Record) bool {
			if !done && old.Event != nil {
				done, *old = true, r
			}
			return true
		})
	}
}

// samples edits the samples of a plugin ("" for all).
func samples(plugin string, edit func(*results.Sample)) option {
	return records(func(r *results.Record) bool {
		if s := r.Sample; s != nil && (plugin == "" || s.Plugin == plugin) {
			edit(s)
		}
		return true
	})
}

// withoutSamples drops samples.
func withoutSamples(gone func(results.Sample) bool) option {
	return records(func(r *results.Record) bool { return r.Sample == nil || !gone(*r.Sample) })
}

// thatFail makes samples of a plugin fail.
func thatFail(plugin string, fails func(results.Sample) bool) option {
	return samples(plugin, func(s *results.Sample) {
		if fails(*s) {
			s.Values, s.Error = nil, words.Quote("connecting: no route to host")
		}
	})
}

func always(results.Sample) bool { return true }

// times multiplies the figures of a plugin's samples so that it is that much faster.
func times(plugin string, faster func(results.Sample) float64) option {
	return samples(plugin, func(s *results.Sample) {
		for name := range s.Values {
			if name == "p50" {
				s.Values[name] /= faster(*s)
			} else {
				s.Values[name] *= faster(*s)
			}
		}
	})
}

// networks edits the record of a plugin's network.
func networks(plugin string, edit func(*results.Network)) option {
	return records(func(r *results.Record) bool {
		if n := r.Network; n != nil && n.Plugin == plugin {
			edit(n)
		}
		return true
	})
}

// captures edits the capture of a plugin, and drops it if edit is nil.
func captures(plugin string, edit func(*results.Encapsulation)) option {
	return records(func(r *results.Record) bool {
		if e := r.Encapsulation; e != nil && e.Plugin == plugin {
			if edit == nil {
				return false
			}
			edit(e)
		}
		return true
	})
}

// inKernel moves plugins to another kernel.
func inKernel(kernel string, plugins ...string) option {
	return records(func(r *results.Record) bool {
		for _, p := range plugins {
			if r.Sample != nil && r.Sample.Plugin == p || r.Network != nil && r.Network.Plugin == p || r.Encapsulation != nil && r.Encapsulation.Plugin == p ||
				r.Policy != nil && r.Policy.Plugin == p {
				r.Kernel = kernel
			}
		}
		return true
	})
}

// ended says how the run ended; "" if it was cut off.
func ended(name string, complete bool) option {
	return func(d *described) { d.last = results.Event{Name: name, Complete: complete} }
}
