// Package scenarios decides what is compared and how: it checks what the user requested, brings
// the networks up, and measures them in randomised complete blocks, so that anything that
// temporarily slows the machine affects all of them alike.
package scenarios

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/probes"
	probecatalogue "github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/testbed"
)

// Testbeds lists the testbeds that a run can use.
var Testbeds = []string{"lab", "cluster"}

// Bounds of what can be requested. They keep a typing error from starting a run that never ends
// or never measures anything.
const (
	maxDuration = 3600 // s
	minMTU      = 576  // every IPv4 host must accept this size (RFC 1122, 3.3.3)
	maxMTU      = 9216
	maxNodes    = 64 // of the lab
	maxRounds   = 10000
	maxPairs    = 100000
)

// AllNodes is a number of nodes that stands for all of a cluster, and SurveyedNodes how many a
// run surveys unless the user says otherwise: a pod and a stream on each take time.
const (
	AllNodes      = results.MaxSurveyed
	SurveyedNodes = 64
)

// Defaults returns the defaults of a run (shared by flags, spec file and documentation).
//
// Noise lies between samples more than in them: on the recorded noise in stats/testdata, sixty
// samples of 200 ms take the time of twelve of 1 s and give the ratio of two plugins with a quarter
// of the variance. Shorter ones gain little, and ticks of CPU time (10 ms) begin to show.
func Defaults() results.Asked {
	return results.Asked{
		Testbed: "lab", Kernel: results.KernelAuto, Topology: []string{"l2"}, Wire: []string{results.WireNone, "1gbit"},
		MTU: 1500, Nodes: 2, Probes: LabSuite(2), Precision: 0.03, MaxRounds: 60, Redeploy: 1, Duration: 0.2,
		Margin: stats.DefaultMargin,
	}
}

// Check completes and checks what was requested, resolving plugin names with the catalogue. Its
// errors are written for the user: one line, suggesting the nearest name for a misspelt one.
func Check(a *results.Asked, c catalogue.Catalogue) ([]*plugins.Plugin, error) {
	if len(a.Plugins) == 0 {
		return nil, errors.New("no plugins named: set --plugins to names or globs, such as flannel-*,calico")
	}
	selected, err := c.Select(a.Plugins)
	if err != nil {
		return nil, err
	}
	selected = withBaseline(selected, c)
	a.Plugins = nil
	for _, p := range selected {
		a.Plugins = append(a.Plugins, p.Name)
	}
	if err := checkNames(a, c); err != nil {
		return nil, err
	}
	if err := checkNumbers(a); err != nil {
		return nil, err
	}
	for a.Seed == 0 {
		a.Seed = rand.Uint64N(1 << 53) // exact even in JSON readers that only have doubles
	}
	return selected, nil
}

// withBaseline puts the host first, because every plugin is compared with it.
func withBaseline(selected []*plugins.Plugin, c catalogue.Catalogue) []*plugins.Plugin {
	host := c.Get(results.HostPlugin)
	selected = slices.DeleteFunc(selected, func(p *plugins.Plugin) bool { return p == host })
	return append([]*plugins.Plugin{host}, selected...)
}

func checkNames(a *results.Asked, c catalogue.Catalogue) error {
	if err := catalogue.OneOf("testbed", a.Testbed, Testbeds); err != nil {
		return err
	}
	if err := checkKernel(a); err != nil {
		return err
	}
	if a.Testbed != "cluster" && a.Apart() {
		return errors.New("install and contexts only apply to clusters: in the lab all plugins are up at the same time")
	}
	if len(a.Topology) == 0 || len(a.Wire) == 0 || len(a.Probes) == 0 {
		return errors.New("topology, wire and probes need at least one value each")
	}
	for _, t := range a.Topology {
		if a.Testbed == "cluster" && (t == testbed.ClusterTopology || t == results.SameNode) {
			continue
		}
		if err := checkTopology(t); err != nil {
			return err
		}
	}
	for _, w := range a.Wire {
		if _, err := results.ParseWire(w); err != nil {
			return err
		}
	}
	for _, p := range a.Probes {
		if err := checkProbe(p); err != nil {
			return err
		}
	}
	if err := checkSpans(a); err != nil {
		return err
	}
	if err := checkLink(a); err != nil {
		return err
	}
	if a.Placement != "" {
		if err := catalogue.OneOf("placement", a.Placement, []string{probes.Same, probes.Split}); err != nil {
			return err
		}
	}
	if a.Control != "" {
		p := c.Get(a.Control)
		if p == nil {
			return fmt.Errorf("control: there is no plugin %q among those compared; did you mean %s?", a.Control, catalogue.Nearest(a.Control, a.Plugins))
		}
		if a.Control = p.Name; !slices.Contains(a.Plugins, a.Control) {
			return fmt.Errorf("the control %s must be one of the compared plugins %s", a.Control, strings.Join(a.Plugins, ","))
		}
	}
	for name, list := range map[string][]string{"topology": a.Topology, "wire": a.Wire, "probes": a.Probes} {
		if d := duplicate(list); d != "" {
			return fmt.Errorf("%s lists %s twice", name, d)
		}
	}
	return nil
}

// checkKernel matches the kernel to the testbed: a cluster's nodes have their own, and a record
// from before the kernel could be chosen used the machine's own.
func checkKernel(a *results.Asked) error {
	switch {
	case a.Testbed == "cluster":
		a.Kernel = ""
		return nil
	case a.Kernel == "":
		a.Kernel = results.KernelHost
	}
	return catalogue.OneOf("kernel", a.Kernel, results.Kernels)
}

// checkProbe suggests the nearest name for a misspelt one.
func checkProbe(spec string) error {
	_, _, err := probecatalogue.Parse(spec)
	var unknown *probes.UnknownError
	if errors.As(err, &unknown) {
		return catalogue.OneOf(unknown.What, unknown.Name, unknown.Known)
	}
	return err
}

// checkSpans rejects a probe that no pair of pods of the run is for.
func checkSpans(a *results.Asked) error {
	for _, spec := range a.Probes {
		if p, _, err := probecatalogue.Parse(spec); err == nil && !slices.ContainsFunc(a.Topology, p.Span.Covers) {
			return fmt.Errorf("%s measures between two pods on one node, which runs on clusters have and topology %s has not: remove the probe", p.Name, strings.Join(a.Topology, ","))
		}
	}
	return nil
}

// checkLink rejects a link on a testbed that cannot apply one, and a link that hides what a probe
// measures.
func checkLink(a *results.Asked) error {
	if a.Testbed == "cluster" && a.Link != (results.Link{}) {
		return errors.New("link only applies to the lab: the links of a cluster cannot be changed")
	}
	for _, p := range a.Probes {
		if probe, _, err := probecatalogue.Parse(p); err == nil && probe.SeeksLoss && a.Link.LossPercent > 0 {
			return fmt.Errorf("%s measures the rate at which loss begins, which loss on the link itself would hide: remove the probe or the link's loss", probe.Name)
		}
	}
	return nil
}

// checkTopology suggests the nearest name for a misspelt one.
func checkTopology(spec string) error {
	_, err := testbed.ParseTopology(spec)
	var unknown *testbed.UnknownTopologyError
	if errors.As(err, &unknown) {
		return catalogue.OneOf(unknown.What, unknown.Name, unknown.Known)
	}
	return err
}

func duplicate(list []string) string {
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			return s
		}
	}
	return ""
}

func checkNumbers(a *results.Asked) error {
	most := float64(maxNodes)
	if a.Testbed == "cluster" {
		most = AllNodes
	}
	for _, n := range []struct {
		name     string
		value    float64
		min, max float64
	}{
		{"duration", float64(a.Duration), probes.MinDuration.Seconds(), maxDuration},
		{"mtu", float64(a.MTU), minMTU, maxMTU},
		{"nodes", float64(a.Nodes), 2, most},
		{"pairs", float64(a.Pairs), 0, maxPairs},
		{"rounds", float64(a.Rounds), 0, maxRounds},
		{"max-rounds", float64(a.MaxRounds), 1, maxRounds},
		{"redeploy", float64(a.Redeploy), 1, results.MaxDeployments},
		{"precision", a.Precision, 0.001, 1},
		{"margin", a.Margin, 0.001, 1},
	} {
		if math.IsNaN(n.value) || n.value < n.min || n.value > n.max {
			return fmt.Errorf("%s %v is outside %v to %v", n.name, n.value, n.min, n.max)
		}
	}
	if a.Pairs > 0 && a.Nodes < 3 {
		return fmt.Errorf("pairs needs at least 3 nodes, not %d (--nodes)", a.Nodes)
	}
	if a.Together && a.Pairs == 0 {
		return errors.New("together has no effect without pairs (--pairs)")
	}
	return checkRedeploy(a)
}

// checkRedeploy makes sure that every deployment has a block. It fixes the number of blocks of several
// deployments: what varies between them decides how wide intervals are, not the number of blocks.
func checkRedeploy(a *results.Asked) error {
	if a.Deployments() > 1 && a.Rounds == 0 && a.MaxRounds >= a.Redeploy {
		a.Rounds = a.MaxRounds
	}
	switch {
	case a.Rounds > 0 && a.Rounds < a.Redeploy:
		return fmt.Errorf("rounds %d is less than redeploy %d: every deployment needs a round", a.Rounds, a.Redeploy)
	case a.Rounds == 0 && a.MaxRounds < a.Redeploy:
		return fmt.Errorf("max-rounds %d is less than redeploy %d: every deployment needs a round", a.MaxRounds, a.Redeploy)
	}
	return nil
}
