package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cnibench/cnibench/report"
	"github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/words"
)

func (p *program) adviseCommand() *cobra.Command {
	var file, language string
	cmd := &cobra.Command{
		Use:   "advise [RUN]",
		Short: "Say which plugin a cluster should run, from a recorded run",
		Long: `Say which plugin a cluster should run, in which mode, and why, from the run in
directory RUN (the latest one below results/runs if none is named): what each
other plugin lacks or costs, what was not measured, the firewall openings, the
limits, Kubespray group_vars and the plugin's own configuration.

What the cluster needs comes from the section "needs" of a spec file; without
-f it is asked for, one question a line.`,
		Example: `  cnibench advise results/runs/20261124T023840Z-a57219
  cnibench advise -f needs.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("advise takes one run directory at most")
			}
			if err := checkLang(language); err != nil {
				return err
			}
			in, err := words.New(language)
			if err != nil {
				return err
			}
			dir, err := runToAdviseOn(args)
			if err != nil {
				return err
			}
			recorded, err := results.Load(dir)
			if err != nil {
				return fmt.Errorf("loading the run: %w", err)
			}
			needs, err := p.needs(file, recorded.Run.Asked.Needs)
			if err != nil {
				return err
			}
			recorded.Run.Asked.Needs = needs
			made, err := report.Build(recorded, p.catalogue)
			if err != nil {
				return fmt.Errorf("judging the run in %s: %w", dir, err)
			}
			return text.Advice(p.stdout, made, in)
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "file of needs (YAML): a spec file, or the keys of its section needs alone")
	cmd.Flags().StringVar(&language, "lang", words.Names[0], langHelp)
	p.completeFlags(cmd)
	return cmd
}

// runToAdviseOn is the directory named, or that of the latest run.
func runToAdviseOn(args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	// Run directories are named by their time.
	found, err := filepath.Glob(filepath.Join("results", "runs", "*", results.RunFile))
	if err != nil || len(found) == 0 {
		return "", usage("there is no run below results/runs: name a run directory, or make one with cnibench run --plugins NAMES")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// needs reads what the cluster needs from a file, or asks for it. What the run
// was made for is the default of every question.
func (p *program) needs(file string, recorded *results.Needs) (*results.Needs, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, usage("reading the needs: %v", err)
		}
		needs, err := scenarios.ReadNeeds(text)
		if err != nil {
			return nil, usage("reading the needs %s: %v", file, err)
		}
		return needs, nil
	}
	if f, ok := p.stdin.(*os.File); ok && !term.IsTerminal(int(f.Fd())) {
		if recorded != nil {
			return recorded, nil
		}
		return nil, usage("nobody is there to ask: name a file of needs with -f")
	}
	if recorded == nil {
		recorded = &results.Needs{}
	}
	needs, err := ask(p.stdin, p.stderr, *recorded)
	if err != nil {
		return nil, usageError{err}
	}
	return &needs, nil
}
