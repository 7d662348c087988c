package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/testbed/cluster/install"
)

// installFlags say how to install plugins on a cluster.
type installFlags struct {
	install.Options
	waitFor []string
	// plugins are those of the user's manifests that the catalogue lacks.
	plugins catalogue.Catalogue
}

// namesOfInstallFlags lists the flags that have no effect without --install.
var namesOfInstallFlags = []string{"flannel-image", "calico-node-image", "calico-cni-image", "install-timeout", "wait-for", "remove-leftovers", install.BesideOthersFlag}

func (i *installFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&i.FlannelImage, "flannel-image", install.DefaultFlannelImage, "cluster: image from which --install takes flannel")
	f.StringVar(&i.CalicoNodeImage, "calico-node-image", install.DefaultCalicoNodeImage, "cluster: image from which --install takes Calico's agents")
	f.StringVar(&i.CalicoCNIImage, "calico-cni-image", install.DefaultCalicoCNIImage, "cluster: image from which --install takes Calico's CNI plugin")
	f.DurationVar(&i.Within, "install-timeout", install.DefaultWithin, "cluster: how long --install waits until a plugin is ready")
	f.StringSliceVar(&i.waitFor, "wait-for", nil, "cluster: conditions that plugins from your own manifests have to fulfil before they are measured, as KIND/NAMESPACE/NAME=CONDITION (deployment/kube-system/coredns=Available) or KIND/NAME=CONDITION")
	f.BoolVar(&i.RemoveLeftovers, "remove-leftovers", false, "cluster: remove everything that is on the nodes after a plugin of --install was removed and was not there before, and not only what is known to be the plugin's")
	f.BoolVar(&i.BesideOthers, install.BesideOthersFlag, false, "cluster: allow --install although other pods run in the cluster outside kube-system")
}

// plainName is a name of a plugin that is fit for reports, labels and directories.
var plainName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,38}[a-z0-9])?$`)

// toInstall looks up the plugins to install: those of the catalogue, and the user's,
// each as NAME=DIR. Each is installed alone, and the run measures exactly these.
func (p *program) toInstall(o *runOptions) error {
	a, how := &o.asked, &o.cluster.install
	if len(a.Plugins) > 0 {
		return usage("--install names the plugins that are measured; leave out --plugins")
	}
	if o.cluster.unprivileged {
		return usage("--install changes the nodes' network, which --unprivileged rules out")
	}
	if how.Within < time.Second {
		return usage("--install-timeout %s is too short: give it a second at least", how.Within)
	}
	for _, text := range how.waitFor {
		c, err := install.ParseCondition(text)
		if err != nil {
			return usage("--wait-for: %w", err)
		}
		how.WaitFor = append(how.WaitFor, c)
	}
	how.Own = map[string]install.Manifests{}
	var names []string
	for _, item := range a.Install {
		found, err := p.oneToInstall(how, item)
		if err != nil {
			return err
		}
		for _, name := range found {
			if _, own := how.Own[name]; slices.Contains(names, name) && (own || strings.Contains(item, "=")) {
				return usage("--install names %s twice", name)
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(how.WaitFor) > 0 && len(how.Own) == 0 {
		return usage("--wait-for is for plugins from your own manifests, as --install NAME=DIR")
	}
	a.Plugins = names
	if len(how.Own) == 0 {
		a.Install = slices.Clone(names)
	}
	return nil
}

// oneToInstall looks up one element of --install.
func (p *program) oneToInstall(how *installFlags, item string) ([]string, error) {
	name, from, own := strings.Cut(item, "=")
	if !own {
		return p.fromCatalogue(item)
	}
	if known := p.catalogue.Get(name); known != nil {
		name = known.Name
	}
	switch {
	case !plainName.MatchString(name):
		return nil, usage("--install NAME=DIR: %q is no plain name (lower-case letters, digits, - and ., 40 at most)", results.Printable(name))
	case name == results.HostPlugin || name == detect.Unknown:
		return nil, usage("--install NAME=DIR: the name %s stands for something else in reports", name)
	case how.Own[name] != nil:
		return nil, usage("--install names %s twice", name)
	}
	manifests, err := install.ReadManifests(from, p.stdin)
	if err != nil {
		return nil, usageError{err}
	}
	how.Own[name] = manifests
	if p.catalogue.Get(name) == nil {
		how.plugins = append(how.plugins, &plugins.Plugin{Name: name, Title: "from your own manifests", Encapsulation: plugins.Encapsulation{Kind: probes.Undeclared},
			Fidelity: plugins.Cluster, Deploy: byManifests})
	}
	return []string{name}, nil
}

func (p *program) fromCatalogue(pattern string) ([]string, error) {
	selected, err := p.catalogue.Select([]string{pattern})
	if err != nil {
		return nil, usageError{fmt.Errorf("%w; your own manifests are installed as NAME=DIR", err)}
	}
	var names []string
	for _, plugin := range selected {
		if err := install.Installable(plugin.Name); err != nil {
			return nil, usageError{err}
		}
		names = append(names, plugin.Name)
	}
	return names, nil
}

// byManifests is the Deploy function of a plugin that has no other.
func byManifests(context.Context, plugins.Network) (*plugins.Deployment, error) {
	return nil, fmt.Errorf("the plugin is installed on clusters only, by its manifests")
}
