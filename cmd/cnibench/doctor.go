package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// tryFeatures tries every kernel feature in a lab of its own. It returns the
// missing features, each with the cause. The flags are passed to the lab.
func tryFeatures(ctx context.Context, flags ...string) (map[string]string, error) {
	var out, log bytes.Buffer
	if err := lab.Spawn(ctx, &out, &log, append([]string{"--try-features"}, flags...)...); err != nil {
		return nil, fmt.Errorf("trying the kernel's features: %w%s", err, trimmed(log.String()))
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

// reportFeatures is the lab's side of tryFeatures.
func reportFeatures(w io.Writer) error {
	missing := map[string]string{}
	for _, name := range lab.FeatureNames() {
		if cause := lab.Unsupported([]string{name}); !cause.Empty() {
			missing[name] = cause.String()
		}
	}
	return json.NewEncoder(w).Encode(missing)
}

// guestFeatures tries the kernel features in a kernel of the lab's own. It returns
// nil if the machine's kernel lacks nothing, or if there is no such kernel.
func guestFeatures(ctx context.Context, missing map[string]string) (map[string]string, error) {
	if len(missing) == 0 || lab.GuestMissing() != nil {
		return nil, nil
	}
	return tryFeatures(ctx, lab.UMLFlag)
}

func doctorCommand(p *program) *cobra.Command {
	var c clusterFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what this machine lacks for the lab, or what a run lacks on a cluster",
		Long: `Check everything that the lab needs: namespaces for the calling user, the plugins'
programs, the kernel's features, and whether User-Mode Linux has the features that
the kernel lacks. For what is missing, print the command that installs it.

With --context, --kubeconfig or --namespace, check a cluster instead: whether its
API server answers, which of the roles in manifests/cluster you hold and what each
missing permission would bring, which nodes can run this program's image, and which
plugin the cluster runs, as far as you may read. It changes nothing there.

The exit code is 1 if a plugin cannot run in the lab because something is missing
that a command can install, or if a run cannot measure the cluster.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if p.kubectl || c.context != "" || c.kubeconfig != "" || c.namespace != "" {
				return p.doctorOf(cmd.Context(), c)
			}
			return p.doctor(cmd.Context())
		},
	}
	c.connection(cmd.Flags())
	cmd.Flags().Lookup("context").Usage = "kubeconfig context of the cluster to check"
	return cmd
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
		say(true, "namespaces", "the lab can create its own user, network, mount and PID namespaces")
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
		path, err := program.Path("")
		if cpu := new(lab.CPUError); program.Name == lab.GuestKernel.Name && errors.As(lab.GuestMissing(), &cpu) {
			err = cpu
		}
		if err != nil {
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
		fmt.Fprintf(w, "no\tCPUs\tonly one CPU: both ends of every sample share it with the agents\n")
	}
	if curable > 0 {
		w.Flush()
		return exitStatus(exitBroke)
	}
	return nil
}

// without returns a note with the plugins that need a feature.
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
