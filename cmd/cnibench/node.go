package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/plugins/flannel"
	"github.com/cnibench/cnibench/testbed/cluster"
)

// copyCommand puts this program where a container of another image can start
// it.
func (p *program) copyCommand() *cobra.Command {
	return &cobra.Command{
		Use: cluster.CopyCommand + " FILE", Short: "Copy this program", Hidden: true, Args: cobra.ExactArgs(1),
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

// nodeCleanCommand removes what flannel left on the node that it runs on.
func (p *program) nodeCleanCommand() *cobra.Command {
	return &cobra.Command{
		Use: cluster.NodeCleanCommand, Short: "Remove what flannel left on this node", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return flannel.Remove(cmd.Context(), flannel.Folders{Run: cluster.NodeRun, Conf: cluster.NodeConf, Data: cluster.NodeData})
		},
	}
}

// confFile is the CNI configuration that flannel's pods write, as they see it.
var confFile = filepath.Join("/etc/cni/net.d", flannel.ConfFile)

// flannelConfCommand writes the node's CNI configuration beside flanneld, as
// flannel's CNI plugin does for each pod, and again if flanneld gets another
// subnet.
func (p *program) flannelConfCommand() *cobra.Command {
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
	cmd.Flags().BoolVar(&written, "written", false, "succeed if it is written")
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
			// Renamed, because the runtime reads it the moment that it is there.
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
