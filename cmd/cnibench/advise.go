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
		Short: "Recommend a plugin for a cluster, based on a recorded run",
		Long: `Recommend which plugin a cluster should run, in which mode, and why, based on
the run in directory RUN (default: the latest one below results/runs). The
advice includes what each other plugin lacks or costs, what was not measured,
the ports to open in firewalls, the limits, Kubespray group_vars and the
plugin's own configuration.

The cluster's needs are read from the needs section of a spec file. Without -f,
the command asks for them, one question per line.`,
		Example: `  cnibench advise results/runs/20261124T023840Z-a57219
  cnibench advise -f needs.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("advise takes at most one run directory")
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
	cmd.Flags().StringVarP(&file, "file", "f", "", "file of needs (YAML): a spec file, or only the keys of its needs section")
	cmd.Flags().StringVar(&language, "lang", words.Names[0], langHelp)
	p.completeFlags(cmd)
	return cmd
}

// runToAdviseOn returns the named directory, or that of the latest run.
func runToAdviseOn(args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	// The names of run directories begin with the time.
	found, err := filepath.Glob(filepath.Join("results", "runs", "*", results.RunFile))
	if err != nil || len(found) == 0 {
		return "", usage("there is no run below results/runs: name a run directory, or create one with cnibench run --plugins NAMES")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// needs reads the cluster's needs from a file, or asks for them. The needs recorded with the run
// are the defaults of the questions.
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
		return nil, usage("standard input is not a terminal, so nobody can be asked: name a file of needs with -f")
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
