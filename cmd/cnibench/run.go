package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed"
)

// runOptions are the options of a run: what to measure and how to carry it out.
type runOptions struct {
	asked  results.Asked
	out    string
	spec   string
	resume string
	how    rendering

	cluster  clusterFlags
	detected []results.Event // what was detected of clusters, for the record
	standard bool            // the probes are a suite's, not the user's choice

	dryRun, quiet, verbose bool
}

func runCommand(p *program) *cobra.Command {
	o := runOptions{asked: scenarios.Defaults()}
	var duration time.Duration
	cmd := &cobra.Command{
		Use:   "run --plugins NAMES",
		Short: "Deploy plugins, measure them, and print the report",
		Long: `Bring up every named plugin, each with nodes and pods of its own, measure them and
the nodes' own network (host, the baseline) in randomised blocks, inspect the
packets on the wire, and print the report. The record stays in the run directory.

--link adds delay and loss between machines while samples are taken. Both apply in
each direction, so a round trip takes longer by twice the delay. A single TCP
stream needs many round trips to fill a link: give it time (--duration 10s).

` + probesHelp() + topologiesHelp(),
		Example: `  cnibench run --plugins flannel-vxlan,calico
  cnibench run --plugins 'flannel-*,calico-*' --rounds 50 --wire 1gbit
  cnibench run --plugins calico --dry-run
  cnibench run --context staging --rounds 60
  cnibench run --context scratch --install flannel-vxlan,flannel-host-gw
  cnibench run --resume results/runs/20260102T030405Z-abcdef`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.quiet && o.verbose {
				return usage("--quiet and --verbose cannot be used together")
			}
			if o.resume != "" {
				if err := checkResume(cmd); err != nil {
					return err
				}
				return p.runAndReport(cmd.Context(), o)
			}
			var spec results.Asked // the spec file alone, without defaults and flags
			if o.spec != "" {
				flagged := o.asked
				if err := readSpec(o.spec, &spec); err != nil {
					return err
				}
				if err := readSpec(o.spec, &o.asked); err != nil {
					return err
				}
				keepFlags(cmd, &o.asked, flagged)
			}
			if cmd.Flags().Changed("duration") {
				o.asked.Duration = results.Seconds(duration.Seconds())
			}
			if err := checkRounds(cmd.Flags(), o.asked); err != nil {
				return err
			}
			if err := p.fitTestbed(&o, saidBy(cmd.Flags(), o.spec, spec)); err != nil {
				return err
			}
			return p.runAndReport(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	a := &o.asked
	f.StringSliceVar(&a.Plugins, "plugins", nil, "plugins to measure: names or globs from the catalogue (see cnibench plugins); host is always measured")
	f.StringSliceVar(&a.Install, "install", nil, "cluster: install these plugins on a disposable cluster one after the other, measure each, and remove it: modes of flannel and Calico by their names, with everything that they left on the nodes; any other plugin by manifests of your own as NAME=DIR, NAME=FILE or NAME=- (standard input)")
	f.StringVar(&a.Testbed, "testbed", a.Testbed, "where to measure: lab or cluster (implied by --context and --kubeconfig)")
	f.StringVar(&a.Kernel, "kernel", a.Kernel, "kernel of the lab's nodes: host (this machine's), uml (User-Mode Linux), or auto (host, and uml for what the host's kernel lacks)")
	f.StringSliceVar(&a.Topology, "topology", a.Topology, "how nodes are connected: l2, routed, or vpc with options (see above)")
	f.StringSliceVar(&a.Wire, "wire", a.Wire, "rate limit of every node's NIC, such as 1gbit, or none")
	f.Var((*linkFlag)(&a.Link), "link", "delay and loss between machines in each direction: delay=20ms,loss=0.1% adds 40ms to a round trip (needs netem)")
	f.IntVar(&a.MTU, "mtu", a.MTU, "MTU of the underlay in bytes")
	f.Var((*nodesFlag)(&a.Nodes), "nodes", "number of nodes: in the lab, of each network; on a cluster, how many the survey covers at most, or all (64 unless given; in a spec file a number)")
	f.IntVar(&a.Pairs, "pairs", 0, "measure the goodput of one TCP stream between about this many pairs of nodes, both ways and one at a time, and name slow nodes: every node takes part in at least 3 rounds of one partner each; 8 find a node that is a fifth slower (default none)")
	f.BoolVar(&a.Together, "together", false, "with --pairs, measure the streams of a round at the same time too: what the cluster carries when all nodes talk")
	f.StringSliceVar(&a.Probes, "probes", a.Probes, "probes and groups of probes to measure with (see above)")
	f.IntVar(&a.Rounds, "rounds", 0, "number of blocks to measure (default as many as --precision needs)")
	f.Float64Var(&a.Precision, "precision", a.Precision, "relative width that the confidence interval of every ratio should reach; half of the difference is enough for two that differ more")
	f.Float64Var(&a.Margin, "margin", a.Margin, "relative difference below which plugins are equivalent")
	f.IntVar(&a.MaxRounds, "max-rounds", a.MaxRounds, "maximum number of blocks to measure for --precision")
	f.IntVar(&a.Redeploy, "redeploy", a.Redeploy, "number of deployments that the blocks are divided among (without --rounds, as many as --max-rounds): between two of them every network is taken down and brought up again")
	f.DurationVar(&duration, "duration", a.Duration.Duration(), "length of the counted part of one sample; the warm-up, in which a stream becomes steady, comes on top; udp-pps searches for at least 1s")
	f.StringVar(&a.Placement, "placement", "", "CPUs of the two ends: same or split (default same for latency, split for throughput)")
	f.Uint64Var(&a.Seed, "seed", 0, "seed for the order of the blocks (default drawn at random and recorded)")
	f.StringVar(&a.Control, "control", "", "bring this plugin up twice and compare it with itself")
	f.StringVarP(&o.spec, "file", "f", "", "spec file (YAML) whose keys are named like the flags; flags take precedence")
	f.StringVar(&o.out, "out", "", "run directory (default results/runs/<time>-<id>)")
	o.how.flags(f)
	o.cluster.flags(f)
	placingFlags(f, a)
	f.BoolVar(&o.dryRun, "dry-run", false, "print the plan (cells, blocks, order, expected time) without starting anything")
	f.StringVar(&o.resume, "resume", "", "resume the interrupted run in this directory")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "do not show progress")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print a line for every sample instead of a progress bar")
	p.completeFlags(cmd)
	return cmd
}

// checkRounds rejects a number of blocks that would have no effect, and an
// explicit 0, which stands for a number that was not given.
func checkRounds(f *pflag.FlagSet, a results.Asked) error {
	switch {
	case f.Changed("rounds") && a.Rounds == 0:
		return usage("--rounds 0 is outside 1 to 10000: leave it out to measure as many as --precision needs")
	case f.Changed("seed") && a.Seed == 0:
		return usage("--seed 0 is not a seed: leave it out to have one drawn at random")
	case f.Changed("precision") && a.Deployments() > 1:
		return usage("--redeploy fixes how many blocks are measured, so --precision has no effect: set --rounds instead")
	case f.Changed("rounds") && f.Changed("max-rounds"):
		return usage("--rounds fixes how many blocks are measured, so --max-rounds has no effect: leave one of them out")
	}
	return nil
}

func probesHelp() string {
	text := "Probes, with the parameters that may follow a colon (tcp-stream:streams=4:reverse):\n"
	for _, probe := range catalogue.All() {
		text += fmt.Sprintf("  %-12s %s\n", probe.Name, probe.Title)
		for _, param := range probe.Params {
			text += fmt.Sprintf("    :%s\n", param.Help())
		}
	}
	return text + fmt.Sprintf("Groups of probes:\n  %-12s in the lab %s; on a cluster %s (those that you have no permission for are left out); of three nodes or more also survey\n  %-12s on a cluster: %s\n",
		scenarios.GroupStandard, strings.Join(scenarios.LabSuite(2), ","), strings.Join(scenarios.ClusterSuite(2), ","),
		scenarios.GroupPaths, strings.Join(scenarios.PathProbes(), ","))
}

func topologiesHelp() string {
	text := "\nTopologies:\n"
	for _, t := range [][2]string{
		{testbed.L2, "one switch"},
		{testbed.Routed, "two subnets behind a router"},
		{testbed.VPC, "a cloud network: the fabric answers ARP and applies a source/dest check"},
	} {
		text += fmt.Sprintf("  %-17s %s\n", t[0], t[1])
	}
	for _, o := range testbed.Options {
		text += fmt.Sprintf("  %-17s %s\n", testbed.VPC+":"+o.Name, o.Title)
	}
	return text + "Options can be combined, as in vpc:l3-only:drop-ipip.\n"
}

// runAndReport carries out a run and prints its report.
func (p *program) runAndReport(ctx context.Context, o runOptions) error {
	if err := o.how.check(); err != nil {
		return err
	}
	dir, ran := p.measure(ctx, &o)
	if dir == "" {
		return ran
	}
	reported := p.report(dir, o.how, o.quiet)
	if ctx.Err() != nil || ran != nil {
		return errors.Join(ran, reported)
	}
	return reported
}

// measure checks what was asked for and measures it on its testbed, or resumes a
// run. It returns the run directory, or "" if there is none or nothing was added
// to it. With --dry-run it prints the plan instead.
func (p *program) measure(ctx context.Context, o *runOptions) (string, error) {
	var recorded *results.Recorded
	if o.resume != "" {
		var err error
		if recorded, err = o.recorded(); err != nil {
			return "", err
		}
	}
	switch {
	case o.asked.Testbed == "cluster" && recorded != nil:
		return (&clusterRun{p: p, o: o}).resume(ctx, recorded)
	case o.asked.Testbed == "cluster":
		return (&clusterRun{p: p, o: o}).measure(ctx)
	}
	return (&labRun{p, o}).measure(ctx, recorded)
}
