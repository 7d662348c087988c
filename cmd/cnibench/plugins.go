package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/lab"
)

func pluginsCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "plugins",
		Short: "List the catalogue and which plugins can run here",
		Long: `List every plugin mode that cnibench knows: its encapsulation, what its results
are based on (real agents or the documented data path), and whether the lab on
this machine supports it, on the machine's own kernel or in User-Mode Linux.
Kernel features are detected by trying them.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := tryKernels(cmd.Context())
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "PLUGIN\tENCAPSULATION\tBYTES\tPORT\tFIDELITY\tHERE\tWHAT")
			for _, plugin := range p.catalogue {
				e := plugin.Encapsulation
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", plugin.Name, e.Kind, e.Overhead, port(e.Port),
					plugin.Fidelity, k.availability(p.bin, plugin), title(plugin))
			}
			return w.Flush()
		},
	}
}

func port(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func title(p *plugins.Plugin) string {
	if len(p.Aliases) == 0 {
		return p.Title
	}
	return p.Title + " (alias " + strings.Join(p.Aliases, ", ") + ")"
}

// availability says whether the lab can run the plugin with the programs in bin: "yes", "in
// User-Mode Linux", or why it cannot and how to fix that.
func (k kernelSupport) availability(bin string, plugin *plugins.Plugin) string {
	kernel, lacking := k.carrier(plugin.Features)
	var why []string
	if lacking != "" {
		why = append(why, lacking)
	}
	for _, err := range missingPrograms(bin, plugin) {
		why = append(why, err.Error())
	}
	switch {
	case kernel == "":
		return "unsupported: " + strings.Join(why, "; ")
	case len(why) > 0:
		return "no: " + strings.Join(why, "; ")
	case kernel == results.KernelUML:
		return "in User-Mode Linux"
	}
	return "yes"
}

// missingPrograms lists the plugin's programs that are missing, each with the command that
// installs it.
func missingPrograms(bin string, plugin *plugins.Plugin) []error {
	var errs []error
	for _, name := range append(append([]string{}, plugin.Binaries...), plugin.System...) {
		program, ok := lab.FindProgram(name)
		if !ok {
			errs = append(errs, fmt.Errorf("the catalogue requires an unknown program %q", name))
			continue
		}
		if _, err := program.Path(bin); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
