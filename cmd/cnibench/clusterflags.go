package main

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/testbed/outside"
)

// clusterFlags select a cluster, like kubectl's flags, and say how to measure it.
type clusterFlags struct {
	kubeconfig, context, image, pullSecret string
	unprivileged                           bool
	namespace                              string
	outside                                string
	install                                installFlags
}

func (c *clusterFlags) connection(f *pflag.FlagSet) {
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "path to the kubeconfig file (default $KUBECONFIG, then ~/.kube/config)")
	f.StringVar(&c.context, "context", "", "kubeconfig context to use; run takes several, one cluster after the other, as NAME=PLUGIN,NAME=PLUGIN (put a NAME that contains a comma in double quotes)")
	f.StringVarP(&c.namespace, "namespace", "n", "", "cluster: existing namespace for the pods (default a new one, which is removed at the end)")
}

func (c *clusterFlags) flags(f *pflag.FlagSet) {
	c.connection(f)
	f.StringVar(&c.image, "image", "", "cluster: image that contains this program (cnibench image writes one)")
	f.Lookup("image").DefValue = defaultImage() // applied in over, after a spec file was read
	f.StringVar(&c.pullSecret, "pull-secret", "", "cluster: name of the secret for pulling the image")
	c.install.flags(f)
	f.BoolVar(&c.unprivileged, "unprivileged", false, "cluster: create no pods in the nodes' network; without them there is no baseline, and the wire is not inspected")
	f.StringVar(&c.outside, "outside", "", "cluster: ticket that cnibench outside printed on a host of the VPC that is not a node, or @FILE to read it from a file (default $CNIBENCH_OUTSIDE); with it the reach probe also tests reachability from outside")
}

// over completes the flags from a spec file or a record, and keeps there what
// resuming the run needs, but no secret.
func (c *clusterFlags) over(a *results.Asked) error {
	c.kubeconfig, c.namespace = cmp.Or(c.kubeconfig, a.Kubeconfig), cmp.Or(c.namespace, a.Namespace)
	c.image, c.unprivileged = cmp.Or(c.image, a.Image, defaultImage()), c.unprivileged || a.Unprivileged
	if c.kubeconfig != "" {
		path, err := filepath.Abs(c.kubeconfig)
		if err != nil {
			return usage("finding the kubeconfig file: %v", err)
		}
		c.kubeconfig = path
	}
	a.Kubeconfig, a.Namespace, a.Image, a.Unprivileged = c.kubeconfig, c.namespace, c.image, c.unprivileged
	return nil
}

// fitTestbed decides where to measure, and adapts what was asked for to a cluster.
func (p *program) fitTestbed(o *runOptions, said said) error {
	a, c := &o.asked, &o.cluster
	if p.kubectl && said("testbed") == "" {
		a.Testbed = "cluster"
	}
	if !slices.Contains(scenarios.Testbeds, a.Testbed) {
		return usage("there is no testbed %q; did you mean %s? (there are %s)", a.Testbed, catalogue.Nearest(a.Testbed, scenarios.Testbeds), strings.Join(scenarios.Testbeds, ", "))
	}
	// A flag that names the lab wins over a spec file, but not over another flag.
	atLab := said("testbed") == "--testbed" && a.Testbed == "lab"
	named := c.context != "" || c.kubeconfig != "" || c.namespace != "" || a.Kubeconfig != "" || a.Namespace != ""
	if atLab || !a.Apart() && !named && a.Testbed != "cluster" {
		if said("probes") == "" {
			a.Probes = scenarios.LabSuite(a.Nodes)
		}
		a.Probes = scenarios.ExpandGroups(a.Probes, scenarios.LabSuite(a.Nodes))
		return forLab(said, a)
	}
	if len(a.Install) == 0 {
		for _, name := range namesOfInstallFlags {
			if where := said(name); where != "" {
				return usage("%s has no effect without --install", where)
			}
		}
	}
	if err := forCluster(said, a); err != nil {
		return err
	}
	o.standard = said("probes") == ""
	return c.over(a)
}

// forLab rejects options that apply only to a cluster: in a run in the lab they
// would have no effect.
func forLab(said said, a *results.Asked) error {
	if a.Nodes == scenarios.AllNodes {
		return usage("%s all is for a cluster: say how many nodes a network of the lab should have", said("nodes"))
	}
	for _, name := range append([]string{"context", "contexts", "kubeconfig", "namespace", "install", "image", "pull-secret",
		"unprivileged", "outside", "node-selector", "tolerations", "requests", "limits"}, namesOfInstallFlags...) {
		if where := said(name); where != "" {
			return usage("%s is for a cluster, but this run is in the lab: name a cluster with --context, --kubeconfig or --testbed cluster", where)
		}
	}
	return nil
}

// forCluster adapts what was asked for to a cluster, whose links and nodes are
// measured as they are.
func forCluster(said said, a *results.Asked) error {
	for _, name := range []string{"topology", "wire", "link", "mtu", "placement", "control", "kernel"} {
		if where := said(name); where != "" {
			return usage("%s is for the lab: a cluster's network is measured as it is", where)
		}
	}
	if where := said("redeploy"); where != "" && a.Redeploy > 1 {
		return usage("%s is for the lab: on a cluster no network is taken down and brought up again", where)
	}
	if said("nodes") == "" {
		a.Nodes = scenarios.SurveyedNodes
	}
	a.Testbed, a.Topology, a.Wire = "cluster", []string{testbed.ClusterTopology, results.SameNode}, []string{results.WireNone}
	if said("probes") == "" {
		a.Probes = scenarios.ClusterSuite(a.Nodes)
	}
	a.Probes = scenarios.ExpandGroups(a.Probes, scenarios.ClusterSuite(a.Nodes))
	return nil
}

// removalTakes bounds how long a plugin's removal takes, see lifeOf.
const removalTakes = 5 * time.Minute

// clusterConfig returns how to reach the cluster of a context and what may be done
// in it.
func (o *runOptions) clusterConfig(context string) (cluster.Config, error) {
	config := cluster.Config{Kubeconfig: o.cluster.kubeconfig, Context: context, Image: o.cluster.image,
		PullSecret: o.cluster.pullSecret, Unprivileged: o.cluster.unprivileged, Namespace: o.cluster.namespace,
		Life: lifeOf(o.asked)}
	if !o.standard {
		config.Features = features(o.asked.Probes)
	}
	if o.cluster.image == defaultImage() { // which cnibench image writes from this program
		config.Arch = runtime.GOARCH
	}
	if err := place(&config, &o.asked); err != nil {
		return config, err
	}
	var err error
	if config.Outside, err = hostOutside(o.cluster.outside, os.Getenv(outside.Env)); err != nil {
		return config, err
	}
	if len(o.asked.Install) > 0 {
		config.Install = &o.cluster.install.Options
		config.Life += time.Duration(len(o.asked.Install)) * (config.Install.Within + removalTakes)
	}
	return config, nil
}
