package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/testbed/lab"
)

// tryFeatures tries every kernel feature in a new lab, which gets the given flags. It returns the
// cause for each missing feature.
func tryFeatures(ctx context.Context, flags ...string) (map[string]string, error) {
	var out, log bytes.Buffer
	if err := lab.Spawn(ctx, &out, &log, append([]string{"--try-features"}, flags...)...); err != nil {
		return nil, fmt.Errorf("testing the kernel's features: %w%s", err, trimmed(log.String()))
	}
	missing := map[string]string{}
	if err := json.Unmarshal(out.Bytes(), &missing); err != nil {
		return nil, fmt.Errorf("reading the kernel's features: %w", err)
	}
	return missing, nil
}

func trimmed(log string) string {
	if log == "" {
		return ""
	}
	return ": " + string(bytes.TrimSpace([]byte(log)))
}

// reportFeatures is the part of tryFeatures that runs inside the lab.
func reportFeatures(w io.Writer) error {
	missing := map[string]string{}
	for _, name := range lab.FeatureNames() {
		if cause := lab.Unsupported([]string{name}); !cause.Empty() {
			missing[name] = cause.String()
		}
	}
	return json.NewEncoder(w).Encode(missing)
}

// guestFeatures tests the features that the machine's kernel lacks in User-Mode Linux. It returns
// nil if there is nothing to test or no such kernel.
func guestFeatures(ctx context.Context, missing map[string]string) (map[string]string, error) {
	if len(missing) == 0 || lab.GuestMissing() != nil {
		return nil, nil
	}
	return tryFeatures(ctx, lab.UMLFlag)
}

func doctorCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check what this machine lacks for the lab and how to install it",
		Long: `Check everything that the lab needs: namespaces for the calling user, the
plugins' programs, the kernel's features, and whether User-Mode Linux has the
features that the kernel lacks. The exit code is 1 if a plugin cannot run
because of something that a command can install.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return p.doctor(cmd.Context()) },
	}
}

func (p *program) doctor(ctx context.Context) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	curable := 0
	say := func(ok bool, what, text string) {
		mark := "ok"
		if !ok {
			mark = "MISSING"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", mark, what, text)
	}
	missing, err := tryFeatures(ctx)
	if err != nil {
		say(false, "namespaces", err.Error())
		curable++
	} else {
		say(true, "namespaces", "the lab can make user, network, mount and PID namespaces of its own")
	}
	for _, program := range lab.Programs {
		path, err := program.Path(p.bin)
		if err != nil {
			say(false, program.Name, err.Error())
			curable++
			continue
		}
		say(true, program.Name, program.Why+": "+path)
	}
	for _, program := range lab.GuestPrograms {
		if path, err := program.Path(""); err != nil {
			fmt.Fprintf(w, "no\t%s\t%s\n", program.Name, err.Error())
		} else {
			say(true, program.Name, program.Why+": "+path)
		}
	}
	guest, guestErr := guestFeatures(ctx, missing)
	if guestErr != nil {
		say(false, lab.GuestKernel.Name, guestErr.Error())
		curable++
	}
	for _, feature := range lab.FeatureNames() {
		if missing[feature] != "" {
			fmt.Fprintf(w, "no\t%s\t%s\n", feature, kernelSupport{missing, guest}.describe(feature)+without(p.catalogue, feature))
		} else if err == nil {
			say(true, feature, "the kernel has it")
		}
	}
	if runtime.NumCPU() < 2 {
		fmt.Fprintf(w, "no\tCPUs\tone CPU only: both ends of every sample share it with the agents\n")
	}
	if curable > 0 {
		w.Flush()
		return exitStatus(exitBroke)
	}
	return nil
}

// without lists the plugins that a kernel without a feature does not support.
func without(catalogue []*plugins.Plugin, feature string) string {
	var names []string
	for _, p := range catalogue {
		if slices.Contains(p.Features, feature) {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; needed by " + strings.Join(names, ", ")
}
