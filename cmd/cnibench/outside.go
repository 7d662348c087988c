package main

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/testbed/outside"
)

// outsideCommand lets this machine take part in a run as the host outside the
// cluster.
func (p *program) outsideCommand() *cobra.Command {
	var address string
	var port uint16
	var life time.Duration
	cmd := &cobra.Command{
		Use:   "outside",
		Short: "Let this machine take part in a run, as the host outside the cluster",
		Long: `Let this machine, which is in the cluster's VPC and no node of it, take part in
a run: it prints one line to paste behind cnibench run --outside, and waits. The
line holds a secret; the connection is encrypted, and nothing but sending and
receiving the reach probe's datagrams can be asked for. It ends by itself.

Pods must be able to send to the address: TCP to the port from where cnibench run
runs, UDP to any port from the pods.`,
		Example: `  cnibench outside --for 30m
  cnibench run --context staging --outside 10.0.0.5:41234,4f…,a1…`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := ownAddress(address)
			if err != nil {
				return usageError{err}
			}
			if life <= 0 {
				return usage("--for %s is no time", life)
			}
			s, err := outside.Listen(netip.AddrPortFrom(at, port), life)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "--outside %s\n", s.Ticket)
			fmt.Fprintf(p.stderr, "listens for %s; Ctrl-C ends it\n", life)
			return s.Serve(cmd.Context(), func(from net.Addr, why error) {
				fmt.Fprintf(p.stderr, "%s was turned away: %v\n", from, why)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&address, "address", "", "address of this machine that pods can send to (default that of its default route)")
	f.Uint16Var(&port, "port", 0, "TCP port to listen on (default any)")
	f.DurationVar(&life, "for", time.Hour, "how long to wait and serve")
	return cmd
}

// ownAddress is the address given, or that which this machine sends from by
// default. Nothing is sent to find that out.
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
		return netip.Addr{}, fmt.Errorf("this machine has no default route; name its address with --address: %w", err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr(), nil
}
