package accept

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Figure is a metric that a probe can measure. Its Probe is the name of the probe
// without parameters.
type Figure struct {
	results.Metric
	Baseline bool // whether the probe measures the nodes' own network too
	// Covers reports whether the probe measures on a topology; nil for all of them.
	Covers func(topology string) bool
}

// CheckRun reports the thresholds that a run cannot decide whatever it measures: the
// run has no probe for them, or no cell with the plugin, topology and rate limit that
// they name. asked is the run, completed and checked; figures are the figures of all
// existing probes. The error has one line per threshold, which says what to change in
// the spec.
func (s *Spec) CheckRun(asked results.Asked, figures []Figure, c catalogue.Catalogue) error {
	var errs []error
	for i := range s.Thresholds {
		d := decidable{&s.Thresholds[i], asked, figures, c}
		if err := d.check(s.Against != ""); err != nil {
			errs = append(errs, fmt.Errorf("threshold %d %w", i+1, err))
		}
	}
	return errors.Join(errs...)
}

// Names that the testbeds define: the topology of a cluster's pods on two nodes, and
// the kind of topology that has a cloud API.
const (
	clusterTopology = "cluster"
	vpcTopology     = "vpc"
)

// elsewhere lists the probes that a testbed cannot run.
var elsewhere = map[string][]string{
	"lab":     {"service", "node-port", "hairpin", "dns"},
	"cluster": {"cni-time", "policy"},
}

// decidable checks one threshold against the requested run.
type decidable struct {
	*Threshold
	asked     results.Asked
	figures   []Figure
	catalogue catalogue.Catalogue
}

func (d *decidable) check(earlier bool) error {
	cells := d.cells()
	if len(cells) == 0 {
		return fmt.Errorf("matches nothing in the run, which has plugins %s; topologies %s; rate limits (wire) %s",
			strings.Join(d.instances(), ", "), strings.Join(d.topologies(), ", "), strings.Join(d.wires(), ", "))
	}
	var err error
	switch {
	case d.Metric != "":
		err = d.checkMetric(earlier)
	case d.Fact != "":
		err = d.checkFact()
	}
	if err != nil {
		return err
	}
	for _, cell := range cells {
		if why := d.lacks(cell); why != "" {
			return fmt.Errorf("also covers %s on %s, %s: name a plugin or a topology in the threshold", cell.Plugin, cell.Topology, why)
		}
	}
	return nil
}

// cells returns the cells that the threshold covers, selected in the same manner as
// when it is judged.
func (d *decidable) cells() []model.Cell {
	var cells []model.Cell
	j := judge{Threshold: d.Threshold, catalogue: d.catalogue}
	for _, instance := range d.instances() {
		for _, topology := range d.topologies() {
			for _, wire := range d.wires() {
				c := model.Cell{Cell: results.Cell{Plugin: instance, Topology: results.On(topology), Wire: wire}}
				if j.names(&c) {
					cells = append(cells, c)
				}
			}
		}
	}
	return cells
}

// instances returns the networks that the run brings up. On a cluster whose plugin has
// not been detected yet, it returns all plugins.
func (d *decidable) instances() []string {
	names := slices.Clone(d.asked.Plugins)
	if d.onCluster() && len(names) == 0 {
		for _, p := range d.catalogue {
			names = append(names, p.Name)
		}
	}
	if d.asked.Control != "" {
		names = append(names, d.asked.Control+results.ControlSuffix)
	}
	return names
}

func (d *decidable) onCluster() bool { return d.asked.Testbed == "cluster" }

func (d *decidable) topologies() []string {
	if d.onCluster() {
		return []string{clusterTopology, results.SameNode}
	}
	return d.asked.Topology
}

func (d *decidable) wires() []string {
	if d.onCluster() {
		return []string{results.WireNone}
	}
	return d.asked.Wire
}

// checkMetric checks that the run measures the figure.
func (d *decidable) checkMetric(earlier bool) error {
	words := strings.Fields(d.Metric)
	probe, _, _ := strings.Cut(words[0], ":")
	var known []string
	for _, f := range d.figures {
		known = append(known, f.Probe+" "+f.Name)
	}
	i := slices.Index(known, probe+" "+words[1])
	if i < 0 {
		return fmt.Errorf("is about %q, which no probe measures; did you mean %s?", d.Metric, catalogue.Nearest(probe+" "+words[1], known))
	}
	if err := d.needsProbe(words[0]); err != nil {
		return err
	}
	rounds := d.asked.Rounds
	if rounds == 0 {
		rounds = d.asked.MaxRounds
	}
	switch f := d.figures[i]; {
	case rounds < stats.MinSamples && !f.Fact:
		return fmt.Errorf("needs an interval, which takes %d rounds, but the run has %d: raise run.rounds", stats.MinSamples, rounds)
	case d.Of == ofEarlier && !earlier:
		return errors.New("compares with an earlier run, but none is named: add against to the spec or pass --against")
	case d.Of == ofHost && !f.Baseline:
		return fmt.Errorf("compares with host, which %s does not measure", probe)
	case d.Of == ofHost && d.Plugin == results.HostPlugin:
		return errors.New("compares host with itself")
	case d.Of == ofValue:
		return d.needsBounds(f.Unit)
	}
	return nil
}

// checkFact checks that the run has the probe that determines the fact.
func (d *decidable) checkFact() error {
	i := slices.IndexFunc(factsKnown, func(f fact) bool { return f.name == d.Fact })
	if probe := factsKnown[i].probe; probe != "" {
		return d.needsProbe(probe)
	}
	if d.Fact == "findings" && !slices.ContainsFunc(d.asked.Probes, d.yields) {
		return errors.New("is about findings, which are only counted for networks with figures: add a probe that measures one, such as tcp-rr, to run.probes")
	}
	return nil
}

// yields reports whether a requested probe has figures.
func (d *decidable) yields(probe string) bool {
	name, _, _ := strings.Cut(probe, ":")
	return slices.ContainsFunc(d.figures, func(f Figure) bool { return f.Probe == name })
}

// needsProbe returns an error if the run does not request the probe with these
// parameters, or cannot run it.
func (d *decidable) needsProbe(probe string) error {
	name, _, _ := strings.Cut(probe, ":")
	if slices.Contains(elsewhere[d.asked.Testbed], name) {
		return fmt.Errorf("is about %s, which the testbed %s cannot measure", d.Metric+d.Fact, d.asked.Testbed)
	}
	if !slices.Contains(d.asked.Probes, probe) {
		return fmt.Errorf("is about %s, which the run does not measure: add the probe %s to run.probes", d.Metric+d.Fact, probe)
	}
	return nil
}

// lacks says why a network will not have the threshold's figure or fact. It is empty
// if the network will have it.
func (d *decidable) lacks(cell model.Cell) string {
	if d.onCluster() {
		return d.lacksOnCluster(cell)
	}
	p := d.catalogue.Get(results.Original(cell.Plugin))
	kind, _, _ := strings.Cut(cell.Topology.String(), ":")
	switch {
	case p == nil:
		return ""
	case p.NeedsVPC && kind != vpcTopology:
		return "where it cannot run: it needs a VPC"
	case cell.Plugin == results.HostPlugin && d.Setup != "" && d.Setup != "network_ready_ms":
		return "which has neither agents nor pods"
	case cell.Plugin == results.HostPlugin && strings.HasPrefix(d.Fact, "policy"):
		return "whose pods have no policies"
	case p.Fidelity == plugins.DataPath && (d.Setup == "agent_rss_bytes" || strings.HasPrefix(d.Fact, "policy")):
		return "which runs only its data path, without agents"
	}
	return ""
}

// covers reports whether the threshold's probe measures on a topology.
func (d *decidable) covers(topology string) bool {
	probe, _, _ := strings.Cut(strings.Fields(d.Metric)[0], ":")
	i := slices.IndexFunc(d.figures, func(f Figure) bool { return f.Probe == probe })
	return i < 0 || d.figures[i].Covers == nil || d.figures[i].Covers(topology)
}

// lacksOnCluster does the same for a cluster, where the plugin was installed before
// the run.
func (d *decidable) lacksOnCluster(cell model.Cell) string {
	switch {
	case d.Setup == "cni_add_ms" || d.Setup == "agent_rss_bytes":
		return "whose " + d.Setup + " cannot be measured on a cluster"
	case cell.Topology.Name == results.SameNode && (strings.HasPrefix(d.Fact, "encapsulation") || strings.HasPrefix(d.Fact, "adjacency")):
		return "where packets do not leave the node"
	case d.Metric != "" && !d.covers(cell.Topology.Name):
		return "where " + strings.Fields(d.Metric)[0] + " is not measured"
	}
	return ""
}
