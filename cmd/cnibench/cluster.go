package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/testbed/outside"
)

// clusterFlags say which cluster is meant, as kubectl's do.
type clusterFlags struct {
	kubeconfig, context, image, pullSecret string
	unprivileged                           bool
	namespace                              string
	outside                                string
	flannelImage                           string
	besideOthers                           bool
}

func (c *clusterFlags) connection(f *pflag.FlagSet) {
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "file with the cluster's credentials (default KUBECONFIG, then ~/.kube/config)")
	f.StringVar(&c.context, "context", "", "context of that file; run takes several, one cluster after the other, as NAME=PLUGIN,NAME=PLUGIN, with a NAME that holds a comma in double quotes")
	f.StringVarP(&c.namespace, "namespace", "n", "", "cluster: namespace of yours to put the pods in (default one of its own, which goes at the end)")
}

func (c *clusterFlags) flags(f *pflag.FlagSet) {
	c.connection(f)
	f.StringVar(&c.image, "image", "", "cluster: image that holds this program (cnibench image makes one)")
	f.Lookup("image").DefValue = defaultImage() // which stands in for "" after a spec file had its say
	f.StringVar(&c.pullSecret, "pull-secret", "", "cluster: name of the secret to pull the image with")
	f.StringVar(&c.flannelImage, "flannel-image", cluster.DefaultFlannelImage, "cluster: image that --install takes flannel from")
	f.BoolVar(&c.besideOthers, cluster.BesideOthersFlag, false, "cluster: --install although the cluster holds pods of others, outside kube-system")
	f.BoolVar(&c.unprivileged, "unprivileged", false, "cluster: no pods in the nodes' network; without them there is no baseline and nobody looks at the wire")
	f.StringVar(&c.outside, "outside", "", "cluster: what cnibench outside has printed on a host of the VPC that is no node, or @FILE that holds it (default CNIBENCH_OUTSIDE of the environment); with it the reach probe looks at pods from outside too")
}

// over completes the flags by what a spec file or a record says, and keeps in
// that what a run needs to go on later: no secret.
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

// fitTestbed decides where to measure, and fits what was asked to a cluster.
func (p *program) fitTestbed(o *runOptions, said said) error {
	a, c := &o.asked, &o.cluster
	if p.kubectl && said("testbed") == "" {
		a.Testbed = "cluster"
	}
	named := c.context != "" || c.kubeconfig != "" || c.namespace != "" || a.Kubeconfig != "" || a.Namespace != ""
	if !a.Apart() && !named && a.Testbed != "cluster" {
		return nil
	}
	if err := forCluster(said, a); err != nil {
		return err
	}
	return c.over(a)
}

// forCluster fits what was asked to a cluster: its links and nodes are as they
// are.
func forCluster(said said, a *results.Asked) error {
	for _, name := range []string{"topology", "wire", "link", "mtu", "nodes", "placement", "control", "kernel"} {
		if where := said(name); where != "" {
			return usage("%s is for the lab: a cluster's network is as it is", where)
		}
	}
	a.Testbed, a.Topology, a.Wire = "cluster", []string{testbed.ClusterTopology, results.SameNode}, []string{results.WireNone}
	if said("probes") == "" {
		a.Probes = scenarios.ClusterSuite()
	}
	return nil
}

// clusterRun is a run on clusters, one after the other.
type clusterRun struct {
	beds    []*cluster.Cluster
	journal *results.Journal // nil until it is open
}

// event notes what a cluster tells of itself. A journal that cannot be written
// shows at the next sample.
func (r *clusterRun) event(e results.Event) { r.journal.Append(results.Record{Event: &e}) }

// measureCluster checks what was asked, connects, and measures the cluster, or
// one cluster after the other.
func (p *program) measureCluster(ctx context.Context, o *runOptions) (dir string, err error) {
	contexts, err := p.clusterAsked(o)
	if err != nil {
		return "", err
	}
	var r clusterRun
	for _, c := range contexts {
		config, err := o.clusterConfig(c.name)
		if err != nil {
			return "", err
		}
		config.Event = r.event
		bed, err := cluster.New(ctx, config)
		if err != nil {
			return "", usageError{err}
		}
		r.beds = append(r.beds, bed)
	}
	if len(o.asked.Install) == 0 {
		if err := p.nameClusterPlugins(ctx, r.beds, contexts, o); err != nil {
			return "", err
		}
	}
	if _, err := scenarios.Check(&o.asked, p.catalogue); err != nil {
		return "", usageError{err}
	}
	if o.dryRun {
		p.printPlan(*o)
		return "", nil
	}
	var described []cluster.Description
	for _, bed := range r.beds {
		d, err := bed.Describe(ctx)
		if err != nil {
			return "", usageError{err}
		}
		described = append(described, d)
	}
	if err := p.readyClusters(ctx, r.beds, o); err != nil {
		return "", err
	}
	if dir, err = prepare(o.out, clusterEnvironment(o.asked, described...)); err != nil {
		return "", err
	}
	return dir, p.measureIn(ctx, dir, &r, o, nil)
}

// measureIn carries out the run of a directory on connected clusters, or goes on
// with what was recorded of it.
func (p *program) measureIn(ctx context.Context, dir string, r *clusterRun, o *runOptions, recorded *results.Recorded) (err error) {
	run, journal, err := results.Open(dir)
	if err != nil {
		return err
	}
	r.journal = journal
	defer func() { err = errors.Join(err, journal.Close()) }()
	for _, e := range o.detected {
		if err := journal.Append(results.Record{Time: time.Now(), Event: &e}); err != nil {
			return fmt.Errorf("writing the journal: %w", err)
		}
	}
	progress := p.stderr
	if o.quiet {
		progress = io.Discard
	}
	bar := newProgress(progress)
	bar.verbose = o.verbose
	defer bar.close()
	err = scenarios.Run(ctx, scenarios.Config{Asked: run.Asked, Catalogue: p.catalogue, Phases: clusterPhases(r.beds, run, recorded, dir), Journal: journal,
		CPUs: []int{-1}, Progress: bar.show, Took: bar.took, Recorded: recorded})
	for _, bed := range r.beds {
		closed := bed.Close()
		if closed != nil && ctx.Err() != nil { // an interruption is not told with its errors
			fmt.Fprintf(p.stderr, "cnibench: %v\n", closed)
		}
		err = errors.Join(err, closed)
	}
	if ctx.Err() != nil && !o.quiet && resumable(run) == nil {
		hint := "cnibench run --resume " + dir
		if o.cluster.outside != "" {
			hint += ", with --outside as before"
		}
		fmt.Fprintln(p.stderr, "to go on:", hint)
	}
	return err
}

// clusterPhases divides the run: one phase for each cluster if there are several.
// Two contexts may lead to the same cluster, so each gets a name of its own there.
//
// A run that goes on gets another name too: what it left may still be there.
func clusterPhases(beds []*cluster.Cluster, run *results.Run, recorded *results.Recorded, dir string) []scenarios.Phase {
	phases := scenarios.Phases(beds[0], run.Asked)
	logs := filepath.Join(dir, results.LogDir)
	if len(beds) == 1 {
		name := run.ID
		if recorded != nil {
			name += fmt.Sprintf("-%d", attempts(recorded)+1)
		}
		beds[0].Record(name, logs)
		return phases
	}
	for i, bed := range beds {
		phases[i].Testbed = bed
		bed.Record(fmt.Sprintf("%s-%d", run.ID, i+1), filepath.Join(logs, fmt.Sprintf("context-%d", i+1)))
	}
	return phases
}

// clusterConfig is how a context's cluster is reached and what may be done in
// it.
func (o *runOptions) clusterConfig(context string) (cluster.Config, error) {
	config := cluster.Config{Kubeconfig: o.cluster.kubeconfig, Context: context, Image: o.cluster.image,
		PullSecret: o.cluster.pullSecret, Unprivileged: o.cluster.unprivileged, Namespace: o.cluster.namespace,
		Services: slices.Contains(o.asked.Probes, "service"), Life: lifeOf(o.asked)}
	if o.cluster.image == defaultImage() { // made by this program, of itself
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
		config.Install = &cluster.Install{FlannelImage: o.cluster.flannelImage, BesideOthers: o.cluster.besideOthers}
	}
	return config, nil
}

// readyClusters removes what earlier runs left, and makes sure that plugins may
// be installed.
func (p *program) readyClusters(ctx context.Context, beds []*cluster.Cluster, o *runOptions) error {
	for _, bed := range beds {
		if err := p.cleanBefore(ctx, bed); err != nil {
			return err
		}
		if len(o.asked.Install) > 0 {
			if err := bed.CheckDisposable(ctx); err != nil {
				return usageError{err}
			}
			fmt.Fprintf(p.stderr, "this changes the network of all nodes: %s, one after the other, by pods with NET_ADMIN, and what they leave is removed\n",
				strings.Join(o.asked.Install, ", "))
		}
	}
	return nil
}

// cleanBefore removes what earlier runs left. What cannot be removed is told
// and does not stand in the way of this run.
func (p *program) cleanBefore(ctx context.Context, bed *cluster.Cluster) error {
	left, err := bed.Clean(ctx)
	if len(left) > 0 {
		fmt.Fprintf(p.stderr, "removed what an earlier run left: %s\n", strings.Join(left, ", "))
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(p.stderr, "warning: an earlier run left something that cannot be removed; this run goes on beside it: %v\n", err)
	}
	return ctx.Err()
}

// lifeOf is a generous bound of how long a run takes: its pods end then.
func lifeOf(a results.Asked) time.Duration {
	rounds := max(a.Rounds, a.MaxRounds)
	samples := rounds * len(a.Probes) * len(a.Topology) * max(len(a.Install), len(a.Contexts), 1)
	return 15*time.Minute + 4*time.Duration(samples)*(a.Duration.Duration()+time.Second)
}

// notByUs stands for how a plugin came to be there.
func notByUs(context.Context, plugins.Network) (*plugins.Deployment, error) {
	return nil, errors.New("the plugin was installed by somebody else")
}
