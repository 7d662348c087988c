package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/install"
	"github.com/cnibench/cnibench/words"
)

// CheckDisposable checks that plugins may be installed on the cluster.
func (c *Cluster) CheckDisposable(ctx context.Context) error {
	return install.CheckDisposable(ctx, c.client, *c.config.Install, c.config.Arch)
}

// installer returns what installs plugins for this run.
func (c *Cluster) installer() *install.Installer {
	return &install.Installer{Options: *c.config.Install, Client: c.client, Namespace: c.space.Name, Image: c.config.Image, PullSecret: c.config.PullSecret}
}

// install installs a plugin on the cluster, unless it is there already, and waits
// until it is ready on all nodes. A plugin that does not come up is removed again
// and has failed for the rest of the run.
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
	if c.inTheWay != nil {
		return c.inTheWay
	}
	if err := c.takeStock(ctx); err != nil {
		return err
	}
	c.installed = plugin
	err := c.installer().Install(ctx, plugin)
	if err != nil {
		err = errors.Join(fmt.Errorf("installing %s: %w", plugin, err), c.uninstall())
		c.failed[plugin] = err
	}
	return err
}

// takeStock records once for the run what is on the nodes before any plugin is
// installed.
func (c *Cluster) takeStock(ctx context.Context) error {
	if c.stocked {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, testbed.NotWithin(readyWithin))
	defer cancel()
	err := c.installer().TakeStock(ctx)
	c.stocked = err == nil
	return err
}

// uninstall removes the plugin that the run has installed, with the pods that it
// connects, and reports what is left.
func (c *Cluster) uninstall() error {
	if c.installed == "" {
		return nil
	}
	ctx := context.Background() // even after an interruption
	c.pods.forgetPlain()
	if err := c.removeServices(ctx); err != nil {
		return fmt.Errorf("removing %s: %w", c.installed, err)
	}
	left, err := c.installer().Remove(ctx)
	c.report(left)
	if err != nil {
		return fmt.Errorf("removing %s: %w", c.installed, err)
	}
	c.installed = ""
	return nil
}

// report reports what plugins have left. What is left does not keep the next plugin
// from being installed, unless the nodes' container runtimes would use it for its
// pods.
func (c *Cluster) report(left []install.Left) {
	for _, l := range left {
		if len(l.Conf) > 0 {
			c.inTheWay = words.Error(words.ConfInTheWay.With(words.ListNames(l.Conf), l.Plugin, l.Node))
		}
		if c.config.Event == nil {
			continue
		}
		for _, text := range l.Words() {
			c.config.Event(results.Event{Name: results.EventLeftovers, Plugin: l.Plugin, Topology: results.On(testbed.ClusterTopology), Text: text})
		}
	}
}
