// Command cnibench measures CNI plugins and reports, with evidence, which one a
// cluster should run on its network, and in which mode.
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

// version is set by the build.
var version = "unknown"

// Exit codes of the public contract.
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

// process carries out one command, interrupted by signals, and returns the exit
// code.
func (p *program) process(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return p.run(ctx, args)
}

// binDir returns the folder of the plugins' programs: the one that holds this
// program, where make puts them.
func binDir() string {
	self, err := os.Executable()
	if err != nil {
		return "bin"
	}
	return filepath.Dir(self)
}

// kubectlPlugin is the name under which kubectl finds this program as a plugin
// (Kubernetes documentation, tasks/extend-kubectl/kubectl-plugins).
const kubectlPlugin = "kubectl-cnibench"

// program is cnibench as a function of its arguments and streams.
type program struct {
	catalogue catalogue.Catalogue
	bin       string // folder of the plugins' programs
	kubectl   bool   // run as a kubectl plugin: the testbed is a cluster
	stdin     io.Reader
	stdout    io.Writer
	stderr    io.Writer
}

// usageError is an error in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run carries out one command and returns the exit code.
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

// exitStatus is an error that ends the program with a code and prints nothing
// more.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// root returns the command tree.
func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "cnibench",
		Short: "Which CNI plugin, in which mode, should this cluster run on this network?",
		Long: `cnibench runs real CNI plugins on nodes, measures them from inside the pods'
network namespaces, inspects the packets on the wire, and reports which plugin to
run, with the evidence.

The lab needs no root, no containers and no Kubernetes: its nodes are network
namespaces on this machine, and it leaves nothing behind when it ends.`,
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
		labInitCommand(p), guestCommand(p), workerCommand(p), holdCommand(p), nicCommand(p), lookCommand(p), copyCommand(p), flannelConfCommand(p), nodeStateCommand(p), nodeCleanCommand(p))
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

// refuseUnknownNames makes help and completion reject unknown names: cobra's own
// commands print some help and exit with 0.
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

// noArgs is cobra.NoArgs with this program's exit code.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%s takes no arguments, but got %q", cmd.CommandPath(), args[0])
	}
	return nil
}
