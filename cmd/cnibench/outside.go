package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/testbed/outside"
)

// outsideCommand lets this machine take part in a run as the host outside the cluster.
func outsideCommand(p *program) *cobra.Command {
	var address string
	var port uint16
	var life time.Duration
	cmd := &cobra.Command{
		Use:   "outside",
		Short: "Let this machine take part in a run, as the host outside the cluster",
		Long: `Let this machine, which must be in the cluster's VPC but not one of its nodes,
take part in a run. The command prints a line to paste where cnibench run will
run, and waits. The line puts a secret into the environment. A second line has
the same secret as a flag, for machines without other users, since all users of
a machine can read command lines. --outside @FILE reads the secret from a file.
The connection is encrypted, and can only be used to send and receive the reach
probe's datagrams. The command ends by itself.

This machine's address must be reachable on the TCP port from the machine that
runs cnibench run, and on any UDP port from the pods.`,
		Example: `  cnibench outside --for 30m
  export CNIBENCH_OUTSIDE=10.0.0.5:41234,4f…,a1…; cnibench run --context staging
  cnibench run --context staging --outside @ticket`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := ownAddress(address)
			if err != nil {
				return usageError{err}
			}
			if life <= 0 {
				return usage("--for %s is not a positive duration", life)
			}
			s, err := outside.Listen(netip.AddrPortFrom(at, port), life)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "export %s=%s\n--outside %s\n", outside.Env, s.Ticket, s.Ticket)
			fmt.Fprintf(p.stderr, "listening for %s; stop with Ctrl-C\n", life)
			return s.Serve(cmd.Context(), func(from net.Addr, why error) {
				fmt.Fprintf(p.stderr, "rejected a connection from %s: %v\n", from, why)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&address, "address", "", "address of this machine that pods can send to (default the source address of its default route)")
	f.Uint16Var(&port, "port", 0, "TCP port to listen on (default any free port)")
	f.DurationVar(&life, "for", time.Hour, "how long to wait and serve")
	return cmd
}

// hostOutside parses the ticket of the host outside the cluster from the flag or else the
// environment; it returns nil if neither is set. @FILE stands for the content of a file. Errors
// do not repeat the ticket, which is a secret.
func hostOutside(flag, env string) (*outside.Ticket, error) {
	text, from := flag, "--outside"
	if text == "" {
		text, from = env, outside.Env
	}
	if text == "" {
		return nil, nil
	}
	if path, named := strings.CutPrefix(text, "@"); named {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, usage("%s: %v", from, err)
		}
		text = string(content)
	}
	// A file may contain a line printed by cnibench outside.
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "export "+outside.Env+"="), "--outside ")
	ticket, err := outside.ParseTicket(text)
	if err != nil {
		return nil, usage("%s: %v", from, err)
	}
	return &ticket, nil
}

// ownAddress returns the given address, or the one that this machine sends from by default. It
// sends nothing to find out.
func ownAddress(text string) (netip.Addr, error) {
	if text != "" {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return addr, fmt.Errorf("--address: %w", err)
		}
		return addr, nil
	}
	conn, err := net.Dial("udp4", "192.0.2.1:9") // TEST-NET-1 (RFC 5737)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("this machine has no default route: set its address with --address: %w", err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr(), nil
}
