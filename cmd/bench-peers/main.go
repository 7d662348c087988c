// Command bench-peers compares the probes with the field's C tools, iperf3 and sockperf, on the
// same path in the same minute: it takes pairs of samples in random order, and reports the median
// of the pairs' ratios with its interval. It needs nothing but the lab. `make bench-peers`
// installs the tools and runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"

	"github.com/cnibench/cnibench/plugins/catalogue"
	probecatalogue "github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench-peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	switch arg := flag.NewFlagSet("bench-peers", flag.ContinueOnError); {
	case len(os.Args) == 2 && os.Args[1] == lab.WorkerCommand:
		return errors.Join(worker.Prepare(), probecatalogue.Serve(ctx, os.Stdin, os.Stdout))
	case len(os.Args) == 5 && os.Args[1] == netConnCommand:
		return netConn(os.Args[2], os.Args[3], os.Args[4])
	case len(os.Args) > 1 && os.Args[1] == lab.InitCommand:
		logs := arg.String("logs", "", "")
		o := readOptions(arg)
		if err := arg.Parse(os.Args[2:]); err != nil {
			return err
		}
		return inLab(ctx, o, *logs)
	default:
		o := readOptions(arg)
		if err := arg.Parse(os.Args[1:]); errors.Is(err, flag.ErrHelp) {
			return nil
		} else if err != nil {
			return err
		}
		return outside(ctx, o)
	}
}

// options are the command-line options.
type options struct {
	pairs int
	only  string
	check bool
	bin   string
}

func readOptions(arg *flag.FlagSet) *options {
	var o options
	arg.IntVar(&o.pairs, "pairs", 9, "number of pairs of samples per comparison; medians need at least 7")
	arg.StringVar(&o.only, "only", "", "only run comparisons whose title contains this text")
	arg.BoolVar(&o.check, "check", false, "only check that the figures agree with iperf3's and the kernel's")
	self, _ := os.Executable() // if this fails, -bin must be given
	arg.StringVar(&o.bin, "bin", filepath.Dir(self), "directory of the plugins' programs")
	return &o
}

func (o *options) args() []string {
	return []string{"-pairs", strconv.Itoa(o.pairs), "-only", o.only, "-check=" + strconv.FormatBool(o.check), "-bin", o.bin}
}

// outside starts the lab.
func outside(ctx context.Context, o *options) error {
	logs, err := os.MkdirTemp("", "bench-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(logs)
	return lab.Spawn(ctx, os.Stdout, os.Stderr, append(o.args(), "-logs", logs)...)
}

// bench is the lab with the networks to measure.
type bench struct {
	lab      *lab.Lab
	networks map[string]testbed.Network
	*options
	used    int    // ports used so far
	scratch string // a writable directory
	out     io.Writer
}

func inLab(ctx context.Context, o *options, logs string) error {
	ctx, err := lab.Enter(ctx, logs)
	if err != nil {
		return err
	}
	l, err := lab.New(lab.Config{Bin: o.bin, Logs: logs, Nodes: 2, MTU: 1500, Event: func(results.Event) {}})
	if err != nil {
		return err
	}
	defer l.Close()
	b := &bench{lab: l, options: o, networks: map[string]testbed.Network{}, scratch: logs, out: os.Stdout}
	names := []string{"host", "flannel-vxlan", "flannel-host-gw", "calico-bgp", "calico-vxlan"}
	if o.check {
		names = names[:2]
	}
	for _, name := range names {
		n, err := l.Up(ctx, catalogue.All().Get(name), name, "l2")
		if err != nil {
			return fmt.Errorf("bringing up %s: %w", name, err)
		}
		b.networks[name] = n
	}
	if o.check {
		return b.check(ctx)
	}
	return errors.Join(b.compareAll(ctx), b.compareExpected(ctx), b.workerMemory())
}
