// Package scenarios is what is compared and how: it checks what the person
// asked for, brings the networks up, and measures them in randomised complete
// blocks, so that what slows the machine for a while hits all of them alike.
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

// Testbeds that a run may ask for.
var Testbeds = []string{"lab", "cluster"}

// Bounds of what can be asked for. They keep a typing error from becoming a
// run that never ends or never measures.
const (
	maxDuration = 3600 // s
	minMTU      = 576  // what every IPv4 host must take (RFC 1122, 3.3.3)
	maxMTU      = 9216
	maxNodes    = 64
	maxRounds   = 10000
)

// Defaults is a run as it is made when nothing is said (shared by flags, spec
// file and documentation).
func Defaults() results.Asked {
	return results.Asked{
		Testbed: "lab", Kernel: results.KernelAuto, Topology: []string{"l2"}, Wire: []string{results.WireNone, "1gbit"},
		MTU: 1500, Nodes: 2, Probes: standardSuite(), Precision: 0.03, MaxRounds: 30, Duration: 1,
		Margin: stats.DefaultMargin,
	}
}

// ClusterSuite lists the probes of a run on a cluster that names none.
func ClusterSuite() []string { return []string{"tcp-stream", "tcp-rr", "mtu", "encap", "reach"} }

// standardSuite lists the probes of a run that names none.
func standardSuite() []string {
	return []string{"tcp-stream", "tcp-rr", "mtu", "encap", "adjacency", "reach", "policy", "path"}
}

// Check completes and checks what was asked, resolving plugin names by the
// catalogue. Its errors are for the person: one line, with the nearest name
// where one is misspelt.
func Check(a *results.Asked, c catalogue.Catalogue) ([]*plugins.Plugin, error) {
	if len(a.Plugins) == 0 {
		return nil, errors.New("no plugins named: --plugins takes names or globs, such as flannel-*,calico")
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
		a.Seed = rand.Uint64N(1 << 53) // exact in JSON readers that know only doubles
	}
	return selected, nil
}

// withBaseline puts the host first: every plugin is compared with it.
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
		return errors.New("install and contexts are for clusters: in the lab all plugins are up at once")
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
			return fmt.Errorf("there is no plugin %q to control; did you mean %s?", a.Control, catalogue.Nearest(a.Control, a.Plugins))
		}
		if a.Control = p.Name; !slices.Contains(a.Plugins, a.Control) {
			return fmt.Errorf("the control %s must be one of the compared plugins %s", a.Control, strings.Join(a.Plugins, ","))
		}
	}
	for name, list := range map[string][]string{"topology": a.Topology, "wire": a.Wire, "probes": a.Probes} {
		if d := duplicate(list); d != "" {
			return fmt.Errorf("%s names %s twice", name, d)
		}
	}
	return nil
}

// checkKernel fits the kernel to the testbed: a cluster's nodes have theirs,
// and a record from before it could be asked for had the machine's own.
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

// checkProbe names the nearest name to one that is misspelt.
func checkProbe(spec string) error {
	_, _, err := probecatalogue.Parse(spec)
	var unknown *probes.UnknownError
	if errors.As(err, &unknown) {
		return catalogue.OneOf(unknown.What, unknown.Name, unknown.Known)
	}
	return err
}

// checkLink refuses a link where there is none, and one that hides what a probe
// looks for.
func checkLink(a *results.Asked) error {
	if a.Testbed == "cluster" && a.Link != (results.Link{}) {
		return errors.New("link is for the lab: a cluster's network is as it is")
	}
	for _, p := range a.Probes {
		if probe, _, err := probecatalogue.Parse(p); err == nil && probe.SeeksLoss && a.Link.LossPercent > 0 {
			return fmt.Errorf("%s looks for the rate at which loss begins, which a link that loses packets by itself hides: leave it or the link's loss out", probe.Name)
		}
	}
	return nil
}

// checkTopology names the nearest name to one that is misspelt.
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
	for _, n := range []struct {
		name     string
		value    float64
		min, max float64
	}{
		{"duration", float64(a.Duration), probes.MinDuration.Seconds(), maxDuration},
		{"mtu", float64(a.MTU), minMTU, maxMTU},
		{"nodes", float64(a.Nodes), 2, maxNodes},
		{"rounds", float64(a.Rounds), 0, maxRounds},
		{"max-rounds", float64(a.MaxRounds), 1, maxRounds},
		{"precision", a.Precision, 0.001, 1},
		{"margin", a.Margin, 0.001, 1},
	} {
		if math.IsNaN(n.value) || n.value < n.min || n.value > n.max {
			return fmt.Errorf("%s %v is outside %v to %v", n.name, n.value, n.min, n.max)
		}
	}
	return nil
}
