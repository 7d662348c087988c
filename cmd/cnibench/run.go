package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed/lab"
)

// runOptions are what the command line says beyond the run itself.
type runOptions struct {
	asked  results.Asked
	out    string
	spec   string
	quiet  bool
	format string
}

func (p *program) runCommand() *cobra.Command {
	o := runOptions{asked: scenarios.Defaults()}
	var duration time.Duration
	cmd := &cobra.Command{
		Use:   "run --plugins NAMES",
		Short: "Deploy plugins, probe, record, and print the report",
		Long: `Bring up every plugin named, each with nodes and pods of its own, measure them
and the nodes' own network (host, the baseline) in randomised blocks, look at
the wire, and print the report. What was measured stays in the run directory.

` + probesHelp(),
		Example: `  cnibench run --plugins flannel-vxlan,calico
  cnibench run --plugins 'flannel-*,calico-*' --rounds 10 --wire 1gbit`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.spec != "" {
				flagged := o.asked
				if err := readSpec(o.spec, &o.asked); err != nil {
					return err
				}
				keepFlags(cmd, &o.asked, flagged)
			}
			if cmd.Flags().Changed("duration") {
				o.asked.Duration = results.Seconds(duration.Seconds())
			}
			return p.runLab(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	a := &o.asked
	f.StringSliceVar(&a.Plugins, "plugins", nil, "names or globs from the catalogue (cnibench plugins); host is always measured")
	f.StringVar(&a.Testbed, "testbed", a.Testbed, "where to measure: lab")
	f.StringSliceVar(&a.Topology, "topology", a.Topology, "how nodes are connected: l2")
	f.StringSliceVar(&a.Wire, "wire", a.Wire, "none, or a rate for every node's NIC such as 1gbit")
	f.IntVar(&a.MTU, "mtu", a.MTU, "MTU of the underlay in bytes")
	f.IntVar(&a.Nodes, "nodes", a.Nodes, "nodes of each network")
	f.StringSliceVar(&a.Probes, "probes", a.Probes, "what to measure, see above")
	f.IntVar(&a.Rounds, "rounds", 0, "blocks to measure; without it as many as --precision needs")
	f.Float64Var(&a.Precision, "precision", a.Precision, "relative width that every interval should reach")
	f.IntVar(&a.MaxRounds, "max-rounds", a.MaxRounds, "most blocks to measure for --precision")
	f.DurationVar(&duration, "duration", a.Duration.Duration(), "length of one sample")
	f.StringVar(&a.Placement, "placement", "", "CPUs of the two ends: same or split (default same for latency, split for throughput)")
	f.Uint64Var(&a.Seed, "seed", 0, "order of the blocks (default drawn and recorded)")
	f.StringVar(&a.Control, "control", "", "bring this plugin up twice and compare it with itself")
	f.StringVarP(&o.spec, "file", "f", "", "spec file (YAML) with the same names; flags win")
	f.StringVar(&o.out, "out", "", "run directory (default results/runs/<time>-<id>)")
	f.StringVar(&o.format, "format", "text", formatHelp)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress")
	return cmd
}

func probesHelp() string {
	text := "Probes:\n"
	for _, probe := range probes.All() {
		text += fmt.Sprintf("  %-12s %s\n", probe.Name, probe.Title)
	}
	return text
}

// readSpec reads a spec file; keys that it does not know are refused.
func readSpec(path string, a *results.Asked) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return usage("reading the spec: %v", err)
	}
	if err := yaml.UnmarshalStrict(text, a); err != nil {
		return usage("reading the spec %s: %v", path, err)
	}
	return nil
}

// keepFlags puts back what was said on the command line, which wins.
func keepFlags(cmd *cobra.Command, a *results.Asked, flagged results.Asked) {
	for name, restore := range map[string]func(){
		"plugins": func() { a.Plugins = flagged.Plugins }, "testbed": func() { a.Testbed = flagged.Testbed },
		"topology": func() { a.Topology = flagged.Topology }, "wire": func() { a.Wire = flagged.Wire },
		"mtu": func() { a.MTU = flagged.MTU }, "nodes": func() { a.Nodes = flagged.Nodes },
		"probes": func() { a.Probes = flagged.Probes }, "rounds": func() { a.Rounds = flagged.Rounds },
		"precision": func() { a.Precision = flagged.Precision }, "max-rounds": func() { a.MaxRounds = flagged.MaxRounds },
		"placement": func() { a.Placement = flagged.Placement }, "seed": func() { a.Seed = flagged.Seed },
		"control": func() { a.Control = flagged.Control },
	} {
		if cmd.Flags().Changed(name) {
			restore()
		}
	}
}

// runLab checks what was asked, runs it in a lab and reports.
func (p *program) runLab(ctx context.Context, o runOptions) error {
	if err := checkFormat(o.format); err != nil {
		return err
	}
	selected, err := scenarios.Check(&o.asked, p.catalogue)
	if err != nil {
		return usageError{err}
	}
	if err := p.checkPrograms(selected); err != nil {
		return err
	}
	dir, err := p.prepare(ctx, &o)
	if err != nil {
		return err
	}
	args := []string{dir, "--bin", p.bin}
	if o.quiet {
		args = append(args, "--quiet")
	}
	ran := lab.Spawn(ctx, p.stdout, p.stderr, args...)
	reported := p.report(dir, o.format)
	switch {
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), reported)
	case ran != nil:
		return fmt.Errorf("the run broke (what was recorded is in %s): %w", dir, ran)
	}
	return reported
}

// checkPrograms looks for the programs of all plugins before anything starts.
func (p *program) checkPrograms(selected []*plugins.Plugin) error {
	for _, plugin := range selected {
		if errs := p.missingPrograms(plugin); len(errs) > 0 {
			return usage("%s needs %v", plugin.Name, errs[0])
		}
	}
	return nil
}

// prepare makes the run directory and writes run.json.
func (p *program) prepare(ctx context.Context, o *runOptions) (string, error) {
	started := time.Now()
	id := make([]byte, 3)
	rand.Read(id)
	run := results.Run{
		ID:      started.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(id),
		Started: started, Asked: o.asked, Host: results.GatherHost(),
		Versions: lab.Versions(ctx, p.bin), Metrics: probes.Metrics(o.asked.Probes), CongestionControl: probes.CongestionControl,
	}
	run.Versions["cnibench"] = version
	run.Host.Privilege = "user namespace"
	if lab.Privileged() {
		run.Host.Privilege = "root"
	}
	dir := o.out
	if dir == "" {
		dir = filepath.Join("results", "runs", run.ID)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", usage("finding the run directory: %v", err)
	}
	if err := emptyDir(dir); err != nil {
		return "", usageError{err}
	}
	journal, err := results.Create(dir, run)
	if err != nil {
		return "", usageError{err}
	}
	return dir, journal.Close()
}

// emptyDir makes sure that the run directory is there and holds nothing.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the run directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the run directory: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("the run directory %s is not empty: name another one with --out", dir)
	}
	return nil
}
