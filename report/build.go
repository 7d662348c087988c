package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// builder collects a record by what it speaks of.
type builder struct {
	recorded  *results.Recorded
	catalogue catalogue.Catalogue
	report    *Report
	networks  map[place]results.Network // the last one recorded counts
	order     []place
	samples   map[results.Cell][]results.Sample
	exits     map[place][]agentExit
}

// place is a network: a plugin on a topology.
type place struct{ plugin, topology string }

// Build makes the report of a recorded run. It fails only if a file beside
// the journal that the journal names cannot be read.
func Build(recorded *results.Recorded, c catalogue.Catalogue) (*Report, error) {
	run := recorded.Run
	b := &builder{recorded: recorded, catalogue: c,
		report: &Report{
			Schema: Schema, Host: run.Host, Warnings: []string{},
			Run: Run{ID: run.ID, Started: run.Started, Seed: run.Asked.Seed, Testbed: run.Asked.Testbed, Asked: run.Asked, Clusters: run.Clusters,
				CongestionControl: run.CongestionControl, Versions: run.Versions},
			Cells: []Cell{}, Comparisons: []Comparison{}, Implausible: []Implausible{}, Encapsulation: []results.Encapsulation{},
			Adjacency: []results.Adjacency{}, Reachability: []results.Reachability{}, Policy: []results.Policy{},
			Hops: []results.Hops{}, NotMeasured: []NotMeasured{}, Findings: []results.Finding{}, Setup: []Setup{},
		},
		networks: map[place]results.Network{}, samples: map[results.Cell][]results.Sample{}, exits: map[place][]agentExit{},
	}
	b.report.Warnings = append(b.report.Warnings, recorded.Warnings...)
	again := recorded.Superseded()
	redone := 0
	for i, record := range recorded.Records {
		switch {
		case !again[i]:
			b.read(record)
		case record.Sample != nil:
			redone++
		}
	}
	if redone > 0 {
		b.report.Warnings = append(b.report.Warnings, fmt.Sprintf("%d samples of interrupted blocks were measured again and do not count", redone))
	}
	for _, p := range b.order {
		for _, wire := range run.Asked.Wire {
			cell, err := b.cell(p, wire)
			if err != nil {
				return nil, err
			}
			b.report.Cells = append(b.report.Cells, cell)
		}
	}
	b.shareFailures()
	b.compareWithHost()
	b.compare()
	b.warnKernels()
	b.warn()
	b.report.advise(run.Asked.Needs)
	return b.report, nil
}

// read takes one record. From here on a topology is a ground: what was
// measured on one topology in two kernels is on two grounds, so that nothing
// is ever compared across them.
func (b *builder) read(record results.Record) {
	ground := func(topology string) string { return results.Ground(topology, record.Kernel) }
	switch {
	case record.Network != nil:
		b.network(*record.Network, record.Kernel)
	case record.Sample != nil:
		s := *record.Sample
		s.Topology = ground(s.Topology)
		b.samples[s.Cell] = append(b.samples[s.Cell], s)
	case record.Setup != nil:
		s := record.Setup
		setup := Setup{Plugin: s.Plugin, Topology: ground(s.Topology), NetworkReadyMS: s.NetworkReadyMS, CNIAdds: s.CNIAddMS,
			AgentRSSBytes: s.AgentRSSBytes, Agents: s.Agents}
		if len(s.CNIAddMS) > 0 {
			setup.CNIAddMS = stats.Summarize(s.CNIAddMS).Median
		} else {
			setup.CNIAdds = []float64{}
		}
		b.report.Setup = append(b.report.Setup, setup)
	case record.Encapsulation != nil:
		e := *record.Encapsulation
		e.Topology = ground(e.Topology)
		if e.Layers == nil {
			e.Layers = []string{}
		}
		b.report.Encapsulation = append(b.report.Encapsulation, e)
	case record.Finding != nil:
		f := *record.Finding
		f.Topology = ground(f.Topology)
		b.report.Findings = append(b.report.Findings, f)
	case record.Adjacency != nil:
		a := *record.Adjacency
		a.Topology = ground(a.Topology)
		b.report.Adjacency = append(b.report.Adjacency, a)
	case record.Reachability != nil:
		r := *record.Reachability
		r.Topology = ground(r.Topology)
		b.report.Reachability = append(b.report.Reachability, r)
	case record.Policy != nil:
		p := *record.Policy
		p.Topology = ground(p.Topology)
		b.report.Policy = append(b.report.Policy, p)
	case record.Hops != nil:
		h := *record.Hops
		h.Topology = ground(h.Topology)
		b.report.Hops = append(b.report.Hops, h)
	case record.Event != nil:
		e := *record.Event
		e.Topology = ground(e.Topology)
		b.event(e, record.Time)
	}
}

// network takes what is recorded of a network. One that the machine's own
// kernel lacks something for is where the other kernel carries it; one that
// neither carries stays where it was asked for.
func (b *builder) network(n results.Network, kernel string) {
	own, p := place{n.Plugin, n.Topology}, place{n.Plugin, results.Ground(n.Topology, kernel)}
	if left, is := b.networks[own]; is && kernel != "" && left.Lacks != "" {
		if n.Lacks != "" {
			n.Kernel, p = left.Kernel, own
		} else {
			delete(b.networks, own)
			b.order = slices.DeleteFunc(b.order, func(p place) bool { return p == own })
		}
	}
	if _, known := b.networks[p]; !known {
		b.order = append(b.order, p)
	}
	b.networks[p] = n
}

func (b *builder) event(e results.Event, at time.Time) {
	run := &b.report.Run
	switch e.Name {
	case results.EventBlockEnd:
		run.Rounds = max(run.Rounds, e.Block+1)
	case results.EventFinished:
		run.Complete = e.Complete
		run.Finished = &at
	case results.EventStopped:
		run.Finished = &at
	case results.EventResumed:
		run.Finished, run.Complete = nil, false
		b.report.Warnings = append(b.report.Warnings, e.Text)
	case results.EventAgentExit:
		p := place{e.Plugin, e.Topology}
		b.exits[p] = append(b.exits[p], agentExit{at, e.Text})
	case results.EventNotHere:
		b.report.notMeasured(place{e.Plugin, e.Topology}, e.Text)
	case results.EventCNIDel, results.EventFactFailed, results.EventRestored, results.EventDetected:
		b.report.Warnings = append(b.report.Warnings, fmt.Sprintf("%s on %s: %s", e.Plugin, e.Topology, e.Text))
	}
}

// cell judges all samples of one plugin on one topology over one wire.
func (b *builder) cell(p place, wire string) (Cell, error) {
	n := b.networks[p]
	c := Cell{Cell: results.Cell{Plugin: p.plugin, Topology: p.topology, Wire: wire}, Status: n.Status, Cause: n.Cause,
		BrokeRound: n.BrokeRound, BrokeAt: n.BrokeAt,
		Fidelity: n.Fidelity, Kernel: n.Kernel, Versions: n.Versions, PodMTU: n.PodMTU, Metrics: []Metric{}}
	if c.Versions == nil {
		c.Versions = map[string]string{}
	}
	if plugin := b.plugin(p.plugin); plugin != nil {
		c.Path = plugin.Path
	}
	samples := b.samples[c.Cell]
	c.AgentCPU = agentCPU(samples)
	c.Failures = b.failures(samples)
	latencies, err := b.latencies(samples)
	if err != nil {
		return Cell{}, err
	}
	for _, described := range b.recorded.Run.Metrics {
		m := metric(described, samples)
		if m == nil {
			continue
		}
		if m.Merged, m.MergedCI = latencies[m.Probe].percentile(m.Name); m.Merged != nil {
			m.tail = latencies[m.Probe].tail()
		}
		m.Expected = b.expected(&c, described)
		c.Metrics = append(c.Metrics, *m)
	}
	if c.Status == results.StatusOK && len(samples) > 0 && len(c.Metrics) == 0 {
		c.Status, c.Cause = results.StatusFailed, "no sample succeeded; the last one: "+samples[len(samples)-1].Error
	}
	if p.plugin == results.HostPlugin && len(b.recorded.Run.Asked.Contexts) > 0 {
		c.Metrics = []Metric{} // of several machines: they serve ratios alone
	}
	return c, nil
}

// metric summarizes one figure; nil if no sample has it.
func metric(described results.Metric, samples []results.Sample) *Metric {
	m := &Metric{Probe: described.Probe, Name: described.Name, Unit: described.Unit, Better: described.Better, Evidence: described.Evidence,
		Confidence: stats.Confidence, Warnings: []string{}}
	failed, cause := 0, ""
	marked := map[string]int{}
	for _, s := range samples {
		if s.Probe != described.Probe {
			continue
		}
		if s.Error != "" {
			failed, cause = failed+1, s.Error
			continue
		}
		v, ok := s.Values[described.Name]
		if !ok {
			continue
		}
		m.Samples = append(m.Samples, v)
		m.Placement = s.Placement.Mode
		for _, w := range s.Warnings {
			marked[withoutFigures(w)]++
		}
	}
	if len(m.Samples) == 0 {
		return nil
	}
	s := stats.Summarize(m.Samples)
	m.N, m.Median, m.CI = s.N, s.Median, bounds(s.CI)
	if s.Dropped > 0 {
		m.Samples = slices.DeleteFunc(m.Samples, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
		m.Warnings = append(m.Warnings, fmt.Sprintf("%d samples are no finite number and were left out", s.Dropped))
	}
	if s.N == 0 {
		return nil
	}
	if s.Missing > 0 {
		m.Warnings = append(m.Warnings, fmt.Sprintf("%d samples give no interval: %d more are needed", s.N, s.Missing))
	}
	if failed > 0 {
		m.Warnings = append(m.Warnings, fmt.Sprintf("%d of %d samples failed, the last: %s", failed, failed+s.N, cause))
	}
	for _, w := range slices.Sorted(maps.Keys(marked)) {
		m.Warnings = append(m.Warnings, fmt.Sprintf("%d of %d samples: %s", marked[w], s.N, w))
	}
	return m
}

// compareWithHost pairs every figure with the baseline's of the same blocks.
func (b *builder) compareWithHost() {
	for i := range b.report.Cells {
		c := &b.report.Cells[i]
		if c.Plugin == results.HostPlugin {
			continue
		}
		host := results.Cell{Plugin: results.HostPlugin, Topology: c.Topology, Wire: c.Wire}
		for j := range c.Metrics {
			m := &c.Metrics[j]
			mine, its := byBlock(b.samples[c.Cell], m), byBlock(b.samples[host], m)
			// Zeros have no ratio, and one of the blocks without them would
			// speak for all (retransmits).
			if b.report.apartOnWire(c.Plugin, results.HostPlugin, c.Topology) != "" {
				m.Warnings = append(m.Warnings, "no ratio to host: the packets of one of the two were not seen on the wire, so the two took different paths")
				continue
			}
			if r := stats.Paired(mine, its); r.N > 0 && r.N == common(mine, its) {
				m.VsHost = &VsHost{N: r.N, Ratio: r.Ratio, CI: bounds(r.CI), Blocks: r.Ratios()}
			}
		}
		c.Loss = b.loss(c)
	}
}

// common counts the blocks that both have.
func common(a, b map[int]float64) int {
	n := 0
	for block := range a {
		if _, ok := b[block]; ok {
			n++
		}
	}
	return n
}

// byBlock picks the values of one figure by the number of their block.
func byBlock(samples []results.Sample, m *Metric) map[int]float64 {
	values := map[int]float64{}
	for _, s := range samples {
		if v, ok := s.Values[m.Name]; ok && s.Probe == m.Probe && s.Error == "" {
			values[s.Block] = v
		}
	}
	return values
}

func bounds(i *stats.Interval) *[2]float64 {
	if i == nil {
		return nil
	}
	return &[2]float64{i.Low, i.High}
}

// plugin finds a network's plugin in the catalogue; nil if a record names one
// that this version does not know.
func (b *builder) plugin(instance string) *plugins.Plugin {
	return b.catalogue.Get(results.Original(instance))
}
