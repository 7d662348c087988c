package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/flannel"
	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/testbed/cluster/install"
	"github.com/cnibench/cnibench/testbed/cluster/install/leftovers"
)

// copyCommand copies this program to where a container of another image can start
// it.
func copyCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: install.CopyCommand + " FILE", Short: "Copy this program", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("finding this program: %w", err)
			}
			content, err := os.ReadFile(self)
			if err == nil {
				err = os.WriteFile(args[0], content, 0o755)
			}
			if err != nil {
				return fmt.Errorf("copying this program: %w", err)
			}
			return nil
		},
	}
}

// nodeStateCommand prints what plugins may have changed on the node that it runs on.
func nodeStateCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: install.NodeStateCommand + " [FOLDER...]", Short: "Print what plugins may have changed on this node", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return json.NewEncoder(p.stdout).Encode(leftovers.Node{Root: install.NodeRoot, Folders: args}.Take())
		},
	}
}

// nodeCleanCommand removes what a plugin left on the node that it runs on, and prints
// what is there then.
func nodeCleanCommand(p *program) *cobra.Command {
	var plugin, network string
	var chains, all bool
	cmd := &cobra.Command{
		Use: install.NodeCleanCommand + " [FOLDER...]", Short: "Remove what a plugin left on this node", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			var of plugins.Leftovers
			var pods netip.Prefix
			var err error
			if plugin != "" {
				of = install.Leaves(plugin)
				if pods, err = netip.ParsePrefix(network); err != nil {
					return usageError{err}
				}
			}
			was, err := stateBefore()
			if chains {
				err = errors.Join(err, of.RemoveChains(cmd.Context()))
			}
			n := leftovers.Node{Root: install.NodeRoot, Folders: args}
			if err = errors.Join(err, install.CleanNode(n, was, of, pods, all)); err != nil {
				return err
			}
			return json.NewEncoder(p.stdout).Encode(n.Take())
		},
	}
	cmd.Flags().StringVar(&plugin, "plugin", "", "plugin of the catalogue that left it")
	cmd.Flags().StringVar(&network, "network", "", "network that contains the addresses of its pods")
	cmd.Flags().BoolVar(&chains, "chains", false, "remove its chains with iptables")
	cmd.Flags().BoolVar(&all, "all", false, "remove everything that was not there before")
	return cmd
}

// stateBefore reads what was on the node before the first plugin was installed. It
// returns nil if that was not recorded, because the node has joined the cluster
// since.
func stateBefore() (*leftovers.State, error) {
	text, err := os.ReadFile(install.BeforeFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was on the node: %w", err)
	}
	was, err := install.ReadBefore(text)
	if err != nil {
		return nil, fmt.Errorf("reading what was on the node: %w", err)
	}
	return was, nil
}

// confFile is the path in flannel's pods of the CNI configuration that they write.
var confFile = filepath.Join("/etc/cni/net.d", flannel.ConfFile)

// flannelConfCommand writes the node's CNI configuration beside flanneld, as
// flannel's CNI plugin does for each pod, and again if flanneld gets another
// subnet.
func flannelConfCommand(p *program) *cobra.Command {
	var written bool
	cmd := &cobra.Command{
		Use: "flannel-conf", Short: "Write the CNI configuration from the subnet that flanneld got", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if written {
				_, err := os.Stat(confFile)
				return err
			}
			return followSubnet(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&written, "written", false, "succeed if the configuration has been written")
	return cmd
}

// lookEvery is how often the subnet file is read: it changes once.
const lookEvery = 300 * time.Millisecond

func followSubnet(ctx context.Context) error {
	last := ""
	for ctx.Err() == nil {
		text, err := os.ReadFile(flannel.SubnetFile)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("reading flanneld's subnet: %w", err)
		}
		if list, err := flannel.ConfList(string(text)); err == nil && string(text) != last {
			// Renamed into place, because the runtime reads the file as soon as it exists.
			if err := os.WriteFile(confFile+".tmp", list, 0o644); err != nil {
				return fmt.Errorf("writing the CNI configuration: %w", err)
			}
			if err := os.Rename(confFile+".tmp", confFile); err != nil {
				return fmt.Errorf("writing the CNI configuration: %w", err)
			}
			last = string(text)
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
	return nil
}

// holdCommand is the command of cnibench's pods: it waits until the pod is removed.
func holdCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: cluster.HoldCommand, Short: "Wait until this pod is removed", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			<-cmd.Context().Done()
			return nil
		},
	}
}

// nicCommand prints the interface that has an address, its MTU and the address's
// subnet.
func nicCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: cluster.NICCommand + " ADDRESS", Short: "Print the interface that has an address, its MTU and the address's subnet", Hidden: true, Args: cobra.ExactArgs(1),
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
