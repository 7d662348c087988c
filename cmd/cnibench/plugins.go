package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/testbed/lab"
)

func (p *program) pluginsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "plugins",
		Short: "List the catalogue, and what of it can run here",
		Long: `List every plugin mode that cnibench knows: what it puts on the wire, what
stands behind its results (real agents, or the documented data path), and
whether the lab on this machine can carry it: on the machine's own kernel, or
in User-Mode Linux. Kernel features are found by trying them.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			missing, err := tryFeatures(cmd.Context())
			if err != nil {
				return err
			}
			guest, err := p.guestFeatures(cmd.Context(), missing)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "PLUGIN\tENCAPSULATION\tBYTES\tPORT\tFIDELITY\tHERE\tWHAT")
			for _, plugin := range p.catalogue {
				e := plugin.Encapsulation
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", plugin.Name, e.Kind, e.Overhead, port(e.Port),
					plugin.Fidelity, p.availabilityWith(plugin, missing, guest), title(plugin))
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

// availability says whether the lab can carry the plugin: yes, or the first
// reasons why not.
func (p *program) availability(plugin *plugins.Plugin, missing map[string]string) string {
	var why []string
	for _, f := range plugin.Features {
		if cause := missing[f]; cause != "" {
			why = append(why, cause)
		}
	}
	for _, err := range p.missingPrograms(plugin) {
		why = append(why, err.Error())
	}
	if len(why) == 0 {
		return "yes"
	}
	return "no: " + strings.Join(why, "; ")
}

// availabilityWith says the same of a lab that may take a kernel of its own,
// which lacks what guest names (nil: there is none).
func (p *program) availabilityWith(plugin *plugins.Plugin, missing, guest map[string]string) string {
	here := p.availability(plugin, missing)
	if here == "yes" {
		return here
	}
	if guest == nil {
		if how := lab.GuestInstall(); how != "" && len(p.missingPrograms(plugin)) == 0 {
			here += "; User-Mode Linux may have it: " + how
		}
		return here
	}
	if p.availability(plugin, guest) == "yes" {
		return "in User-Mode Linux"
	}
	return here
}

// missingPrograms names the plugin's programs that are not there, each with
// what brings it.
func (p *program) missingPrograms(plugin *plugins.Plugin) []error {
	var errs []error
	for _, name := range append(append([]string{}, plugin.Binaries...), plugin.System...) {
		program, ok := lab.FindProgram(name)
		if !ok {
			errs = append(errs, fmt.Errorf("the catalogue asks for an unknown program %q", name))
			continue
		}
		if _, err := program.Path(p.bin); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
