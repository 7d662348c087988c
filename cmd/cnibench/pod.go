package main

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/testbed/cluster"
)

// holdCommand is what a pod of ours runs: it waits until the pod is removed.
func (p *program) holdCommand() *cobra.Command {
	return &cobra.Command{
		Use: cluster.HoldCommand, Short: "Wait until this pod is removed", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			<-cmd.Context().Done()
			return nil
		},
	}
}

// nicCommand names the interface that has an address.
func (p *program) nicCommand() *cobra.Command {
	return &cobra.Command{
		Use: cluster.NICCommand + " ADDRESS", Short: "Name the interface that has an address, its MTU and the address's subnet", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := netip.ParseAddr(args[0])
			if err != nil {
				return usageError{err}
			}
			links, err := net.Interfaces()
			if err != nil {
				return fmt.Errorf("listing interfaces: %w", err)
			}
			for _, l := range links {
				addrs, err := l.Addrs()
				if err != nil {
					return fmt.Errorf("listing the addresses of %s: %w", l.Name, err)
				}
				for _, a := range addrs {
					if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr() == addr {
						fmt.Fprintln(p.stdout, l.Name, l.MTU, prefix)
						return nil
					}
				}
			}
			return fmt.Errorf("no interface has the address %s", addr)
		},
	}
}
