package main

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/testbed/cluster/install"
	"github.com/cnibench/cnibench/testbed/outside"
)

// clusterFlags select a cluster, like kubectl's flags.
type clusterFlags struct {
	kubeconfig, context, image, pullSecret string
	unprivileged                           bool
	namespace                              string
	outside                                string
	flannelImage                           string
	besideOthers                           bool
}

func (c *clusterFlags) connection(f *pflag.FlagSet) {
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "kubeconfig file with the cluster's credentials (default KUBECONFIG, then ~/.kube/config)")
	f.StringVar(&c.context, "context", "", "context in the kubeconfig file; run accepts several, measured one after the other, as NAME=PLUGIN,NAME=PLUGIN; put a NAME that contains a comma in double quotes")
	f.StringVarP(&c.namespace, "namespace", "n", "", "cluster: existing namespace to create the pods in (default a new one, removed at the end)")
}

func (c *clusterFlags) flags(f *pflag.FlagSet) {
	c.connection(f)
	f.StringVar(&c.image, "image", "", "cluster: image that contains this program (cnibench image creates one)")
	f.Lookup("image").DefValue = defaultImage() // stands for "" once a spec file was read
	f.StringVar(&c.pullSecret, "pull-secret", "", "cluster: name of the secret to pull the image with")
	f.StringVar(&c.flannelImage, "flannel-image", install.DefaultFlannelImage, "cluster: flannel image for --install")
	f.BoolVar(&c.besideOthers, install.BesideOthersFlag, false, "cluster: allow --install although the cluster has other pods outside kube-system")
	f.BoolVar(&c.unprivileged, "unprivileged", false, "cluster: do not run pods in the nodes' network; there is then no baseline, and packets on the underlay are not captured")
	f.StringVar(&c.outside, "outside", "", "cluster: what cnibench outside printed on a host in the VPC that is not a node, or @FILE with it (default the environment variable CNIBENCH_OUTSIDE); the reach probe then also tests pods from outside")
}

// over completes the flags with values from a spec file or a record, and stores there what is
// needed to resume the run, but no secret.
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

// fitTestbed decides where to measure, and adapts what was requested to a cluster.
func (p *program) fitTestbed(o *runOptions, said said) error {
	a, c := &o.asked, &o.cluster
	if p.kubectl && said("testbed") == "" {
		a.Testbed = "cluster"
	}
	if !slices.Contains(scenarios.Testbeds, a.Testbed) {
		return usage("there is no testbed %q; did you mean %s? (there are %s)", a.Testbed, catalogue.Nearest(a.Testbed, scenarios.Testbeds), strings.Join(scenarios.Testbeds, ", "))
	}
	// A flag that selects the lab takes precedence over a spec file, but not over another flag.
	atLab := said("testbed") == "--testbed" && a.Testbed == "lab"
	named := c.context != "" || c.kubeconfig != "" || c.namespace != "" || a.Kubeconfig != "" || a.Namespace != ""
	if atLab || !a.Apart() && !named && a.Testbed != "cluster" {
		return forLab(said)
	}
	if len(a.Install) == 0 {
		for _, name := range []string{"flannel-image", install.BesideOthersFlag} {
			if where := said(name); where != "" {
				return usage("%s requires --install", where)
			}
		}
	}
	if err := forCluster(said, a); err != nil {
		return err
	}
	return c.over(a)
}

// forLab rejects options that only apply to a cluster: in the lab they would have no effect.
func forLab(said said) error {
	for _, name := range []string{"context", "contexts", "kubeconfig", "namespace", "install", "image", "pull-secret", "flannel-image", install.BesideOthersFlag,
		"unprivileged", "outside", "node-selector", "tolerations", "requests"} {
		if where := said(name); where != "" {
			return usage("%s is for a cluster, but this run is in the lab: select a cluster with --context, --kubeconfig or --testbed cluster", where)
		}
	}
	return nil
}

// forCluster adapts what was requested to a cluster, whose links and nodes cannot be changed.
func forCluster(said said, a *results.Asked) error {
	for _, name := range []string{"topology", "wire", "link", "mtu", "nodes", "placement", "control", "kernel"} {
		if where := said(name); where != "" {
			return usage("%s is for the lab: the network of a cluster cannot be changed", where)
		}
	}
	a.Testbed, a.Topology, a.Wire = "cluster", []string{testbed.ClusterTopology, results.SameNode}, []string{results.WireNone}
	if said("probes") == "" {
		a.Probes = scenarios.ClusterSuite()
	}
	return nil
}

// clusterConfig returns how to connect to a context's cluster and what may be done in it.
func (o *runOptions) clusterConfig(context string) (cluster.Config, error) {
	config := cluster.Config{Kubeconfig: o.cluster.kubeconfig, Context: context, Image: o.cluster.image,
		PullSecret: o.cluster.pullSecret, Unprivileged: o.cluster.unprivileged, Namespace: o.cluster.namespace,
		Services: slices.Contains(o.asked.Probes, "service"), Life: lifeOf(o.asked)}
	if o.cluster.image == defaultImage() { // created from this program itself
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
		config.Install = &install.Options{FlannelImage: o.cluster.flannelImage, BesideOthers: o.cluster.besideOthers}
	}
	return config, nil
}
