package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/cnibench/cnibench/testbed/cluster/install"
)

// CheckDisposable checks that plugins may be installed on the cluster.
func (c *Cluster) CheckDisposable(ctx context.Context) error {
	return install.CheckDisposable(ctx, c.client, *c.config.Install, c.config.Arch)
}

// flannel returns flannel as this run installs it.
func (c *Cluster) flannel() *install.Flannel {
	return &install.Flannel{Client: c.client, Namespace: c.space.Name, Image: c.config.Image,
		FlannelImage: c.config.Install.FlannelImage, PullSecret: c.config.PullSecret}
}

// install installs a plugin on the cluster, unless it is there already, and waits
// until its agents run on all nodes. A plugin that does not come up is removed
// again and has failed for the rest of the run.
func (c *Cluster) install(ctx context.Context, plugin string) error {
	if c.installed == plugin {
		return nil
	}
	if err := c.failed[plugin]; err != nil {
		return err
	}
	if !c.pods.has("host-1") {
		return errors.New("no plugin is installed, because the baseline's pods do not run: the pods that remove the plugin would not run either")
	}
	if err := c.uninstall(); err != nil { // the previous one, if removing it failed then
		return err
	}
	nodes, err := c.client.Nodes(ctx)
	if err != nil {
		return err
	}
	network, err := install.PodNetwork(nodes)
	if err != nil {
		return err
	}
	c.installed = plugin
	if err = c.flannel().Install(ctx, plugin, network); err != nil {
		err = errors.Join(fmt.Errorf("installing %s: %w", plugin, err), c.uninstall())
		c.failed[plugin] = err
	}
	return err
}

// uninstall removes the plugin that the run has installed, with the pods that it
// connects.
func (c *Cluster) uninstall() error {
	if c.installed == "" {
		return nil
	}
	ctx := context.Background() // even after an interruption
	c.pods.forgetPlain()
	if err := errors.Join(c.removeServices(ctx), c.flannel().Remove(ctx)); err != nil {
		return fmt.Errorf("removing %s: %w", c.installed, err)
	}
	c.installed = ""
	return nil
}
