// Command cnibench determines, with evidence, which CNI plugin, in which mode, a cluster should
// run on a network.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/plugins/catalogue"
)

// version is set at build time.
var version = "unknown"

// Exit codes, part of the public interface.
const (
	exitDone        = 0
	exitBroke       = 1
	exitUsage       = 2
	exitFailed      = 3 // acceptance failed
	exitUnknown     = 4 // acceptance inconclusive
	exitInterrupted = 130
)

func main() {
	p := program{catalogue: catalogue.All(), bin: binDir(), kubectl: filepath.Base(os.Args[0]) == kubectlPlugin, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.process(os.Args[1:]))
}

// process runs a program as a process, which signals interrupt.
func (p *program) process(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return p.run(ctx, args)
}

// binDir returns the directory of the plugins' programs: that of this program, where make puts
// them.
func binDir() string {
	self, err := os.Executable()
	if err != nil {
		return "bin"
	}
	return filepath.Dir(self)
}

// kubectlPlugin is the name by which kubectl finds this program as a plugin (Kubernetes
// documentation, tasks/extend-kubectl/kubectl-plugins).
const kubectlPlugin = "kubectl-cnibench"

// program is cnibench as a function of its arguments and streams.
type program struct {
	catalogue catalogue.Catalogue
	bin       string // directory of the plugins' programs
	kubectl   bool   // called as a kubectl plugin, so it targets a cluster
	stdin     io.Reader
	stdout    io.Writer
	stderr    io.Writer
}

// usageError is an error in the user's input.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run runs one command and returns the exit code.
func (p *program) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var wrong usageError
	var status exitStatus
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case ctx.Err() != nil:
		fmt.Fprintln(p.stderr, "cnibench: interrupted")
		return exitInterrupted
	case errors.As(err, &wrong):
		fmt.Fprintf(p.stderr, "cnibench: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(p.stderr, "cnibench: %v\n", err)
	return exitBroke
}

// exitStatus ends the program with an exit code and without a message.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// root builds the command tree.
func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "cnibench",
		Short: "Which CNI plugin, in which mode, should this cluster run on this network?",
		Long: `cnibench deploys real CNI plugins on nodes, measures them from inside the pods'
network namespaces, captures packets on the underlay, and reports the results
with evidence.

The lab needs no root, no containers and no Kubernetes: its nodes are network
namespaces on this machine, and it leaves nothing behind.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	if p.kubectl {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl cnibench"}
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetIn(p.stdin)
	root.SetFlagErrorFunc(flagError)
	root.PersistentPreRunE = checkFlags
	root.AddCommand(runCommand(p), reportCommand(p), compareCommand(p), acceptCommand(p), p.adviseCommand(), pluginsCommand(p), doctorCommand(p), imageCommand(p), outsideCommand(p), cleanCommand(p), versionCommand(p),
		labInitCommand(p), guestCommand(p), workerCommand(p), holdCommand(p), nicCommand(p), copyCommand(p), flannelConfCommand(p), nodeCleanCommand(p))
	root.InitDefaultHelpCmd()
	refuseUnknownNames(root)
	root.RunE = func(cmd *cobra.Command, args []string) error { return cmd.Help() }
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return usage("there is no command %q%s", args[0], suggestion(root, args[0]))
	}
	return root
}

// refuseUnknownNames makes help and completion reject unknown names: cobra's own commands print
// some help and exit with 0.
func refuseUnknownNames(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Run = nil
			c.RunE = func(_ *cobra.Command, args []string) error {
				about, rest, err := root.Find(args)
				if err != nil || len(rest) > 0 {
					return usage("there is no command %q%s", args[0], suggestion(root, args[0]))
				}
				about.InitDefaultHelpFlag()
				return about.Help()
			}
		case "completion":
			c.Args, c.RunE = nil, func(c *cobra.Command, args []string) error {
				if len(args) > 0 {
					return usage("there is no shell %q%s", args[0], suggestion(c, args[0]))
				}
				return c.Help()
			}
		}
	}
}

func suggestion(root *cobra.Command, typed string) string {
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return fmt.Sprintf("; did you mean %s? (%s --help lists all)", catalogue.Nearest(typed, names), root.CommandPath())
}

// noArgs is cobra's check, with this program's exit code.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%s takes no argument, not %q", cmd.CommandPath(), args[0])
	}
	return nil
}
