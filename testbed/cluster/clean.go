package cluster

import (
	"context"
	"errors"
	"fmt"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/testbed/cluster/install"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
)

// Clean removes what earlier runs left behind, including an installed plugin. It
// returns the names of the removed objects, each with its kind. The error says
// what could not be removed, and why.
func (c *Cluster) Clean(ctx context.Context) (removed []string, err error) {
	if c.config.Namespace != "" {
		ctx, cancel := context.WithTimeout(ctx, kube.RemoveWithin)
		defer cancel()
		return c.client.RemoveObjects(ctx, c.config.Namespace, kube.OursSelector)
	}
	left, err := c.client.Left(ctx)
	for _, n := range left {
		if n.Name == c.space.Name {
			continue
		}
		if failed := c.cleanRun(ctx, n); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		removed = append(removed, "namespace "+n.Name)
	}
	return removed, err
}

// cleanRun removes what a run left behind: the plugin that it installed, and its
// namespace.
func (c *Cluster) cleanRun(ctx context.Context, n core.Namespace) error {
	var err error
	if i := install.OfRun(c.client, n); i != nil {
		left, failed := i.Remove(ctx)
		c.report(left)
		if err = failed; err != nil {
			err = fmt.Errorf("removing the plugin that an earlier run installed: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, kube.RemoveWithin)
	defer cancel()
	return errors.Join(err, c.client.RemoveNamespace(ctx, n.Name))
}

// removeCommand returns the command with which the user removes what a run left
// behind.
func (c *Config) removeCommand() string {
	command := "cnibench clean"
	for _, f := range [][2]string{{"--kubeconfig", c.Kubeconfig}, {"--context", c.Context}, {"--namespace", c.Namespace}} {
		if f[1] != "" {
			command += " " + f[0] + " " + f[1]
		}
	}
	return command
}
