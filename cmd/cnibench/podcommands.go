package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/plugins/flannel"
	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/testbed/cluster/install"
)

// copyCommand copies this program to where a container of another image can start it.
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

// nodeCleanCommand removes what flannel left behind on its node.
func nodeCleanCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: install.NodeCleanCommand, Short: "Remove what flannel left behind on this node", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return flannel.Remove(cmd.Context(), flannel.Folders{Run: install.NodeRun, Conf: install.NodeConf, Data: install.NodeData})
		},
	}
}

// confFile is the path of the CNI configuration, as flannel's pods see it.
var confFile = filepath.Join("/etc/cni/net.d", flannel.ConfFile)

// flannelConfCommand writes the node's CNI configuration next to flanneld, as flannel's CNI
// plugin does for each pod, and rewrites it if flanneld gets another subnet.
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
	cmd.Flags().BoolVar(&written, "written", false, "exit successfully if the configuration was written")
	return cmd
}

// lookEvery is how often the subnet file is read. The file changes once.
const lookEvery = 300 * time.Millisecond

func followSubnet(ctx context.Context) error {
	last := ""
	for ctx.Err() == nil {
		text, err := os.ReadFile(flannel.SubnetFile)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("reading flanneld's subnet: %w", err)
		}
		if list, err := flannel.ConfList(string(text)); err == nil && string(text) != last {
			// Rename into place, because the runtime reads the file as soon as it exists.
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

// holdCommand is the main command of our pods: it waits until the pod is removed.
func holdCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: cluster.HoldCommand, Short: "Wait until this pod is removed", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			<-cmd.Context().Done()
			return nil
		},
	}
}

// nicCommand prints the interface that has an address.
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
