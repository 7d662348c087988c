package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// chosen are the two nodes that are measured, and those that a survey covers.
type chosen struct {
	client, server core.Node
	more           []core.Node // that a survey covers beside the two
	leftOut        []leftOut   // that take no pods
	beyond         int         // that would, but are more than a survey should cover
}

// errOneNode says that there are no two nodes to measure between.
var errOneNode = errors.New("the cluster has fewer than two nodes that take pods")

// Description is what a cluster's API says about it before a run creates anything.
type Description struct {
	// Cluster names the nodes that are measured, the client's first. It names none
	// if there are no two; Up then fails for each network.
	Cluster results.Cluster
	// Surveyed is how many nodes a survey covers, and Beyond how many more would take
	// part in one.
	Surveyed, Beyond int
	// Seen lists the nodes that a reader should know about: those that are
	// measured, or all if none can be.
	Seen []results.ClusterNode
}

// Describe identifies the cluster and chooses the nodes to measure for the whole
// run. It leaves out what the user may not read. An error means that the nodes
// cannot be listed, or that the nodes in Config.Nodes cannot be measured; the
// description identifies the cluster all the same.
func (c *Cluster) Describe(ctx context.Context) (Description, error) {
	of := detect.Cluster(ctx, c.client, c.config.Context)
	all, err := c.chooseNodes(ctx)
	if c.config.Install == nil && len(all) > 0 {
		found := c.detect(ctx, all)
		of.Plugin = found.Record()
		if found.Proxy != "" {
			of.KubeProxy = found.Proxy
		}
	}
	switch {
	case err != nil && (len(all) == 0 || len(c.config.Nodes) > 0):
		return Description{Cluster: of}, err
	case err != nil: // Up returns it for each network
		return Description{Cluster: of, Seen: detect.Nodes(all...)}, nil
	}
	of.Nodes = detect.Nodes(c.chosen.client, c.chosen.server)
	return Description{Cluster: of, Surveyed: 2 + len(c.chosen.more), Beyond: c.chosen.beyond, Seen: of.Nodes}, nil
}

// Detect finds out which plugin connects the cluster's pods. It asks the cluster only
// once.
func (c *Cluster) Detect(ctx context.Context) (detect.Found, error) {
	if c.found != nil {
		return *c.found, nil
	}
	all, err := c.client.Nodes(ctx)
	if err != nil {
		return detect.Found{}, err
	}
	return c.detect(ctx, all), nil
}

// detect finds out which plugin connects pods on those of the nodes that may be
// measured.
func (c *Cluster) detect(ctx context.Context, all []core.Node) detect.Found {
	if c.found == nil {
		fit, _ := c.config.fit(all)
		if len(fit) == 0 { // nothing will be measured, but the plugin can be named
			fit = all
		}
		found := detect.Plugin(ctx, c.client, fit)
		c.found = &found
	}
	return *c.found
}

// Call sets the run's name of the plugin that the cluster runs. What the cluster says
// of its plugin counts only for a network of that name.
func (c *Cluster) Call(name string) { c.named = name }

// chooseNodes chooses the nodes to measure, once for the whole run: the record
// names them before anything is created on them. The first call returns all nodes
// of the cluster.
func (c *Cluster) chooseNodes(ctx context.Context) ([]core.Node, error) {
	if c.chosen != nil || c.noNodes != nil {
		return nil, c.noNodes
	}
	all, err := c.client.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	fit, others := c.config.fit(all)
	if len(c.config.Nodes) > 0 {
		c.chosen, c.noNodes = chooseNamed(c.config.Nodes, fit, others)
	} else {
		c.chosen, c.noNodes = choose(fit, others)
	}
	if s := c.chosen; s != nil && c.config.survey > 2 {
		s.more, s.beyond = spread(fit, [2]core.Node{s.client, s.server}, c.config.survey, c.config.seed)
		s.leftOut = others
	}
	return all, c.noNodes
}

// chooseNamed picks two nodes by name.
func chooseNamed(names []string, fit []core.Node, others []leftOut) (*chosen, error) {
	if len(names) != 2 {
		return nil, fmt.Errorf("a run measures two nodes, not %d", len(names))
	}
	var two [2]core.Node
	for i, name := range names {
		at := slices.IndexFunc(fit, func(n core.Node) bool { return n.Name == name })
		if at < 0 {
			why := words.NoLongerInCluster
			if j := slices.IndexFunc(others, func(o leftOut) bool { return o.name == name }); j >= 0 {
				why = others[j].why
			}
			return nil, words.Error(words.NodeCannotBeMeasured.With(name, why))
		}
		two[i] = fit[at]
	}
	return &chosen{client: two[0], server: two[1]}, nil
}

// choose picks two nodes, in different zones if there are several: the path
// between zones is the one that a plugin must not spoil.
func choose(nodes []core.Node, others []leftOut) (*chosen, error) {
	if len(nodes) < 2 {
		return nil, words.Error(words.Aside(words.OfError(errOneNode), cmp.Or(leftOutText(others), words.NoOtherNodes)), errOneNode)
	}
	slices.SortFunc(nodes, func(a, b core.Node) int { return cmp.Compare(a.Name, b.Name) })
	first := nodes[0]
	i := slices.IndexFunc(nodes, func(n core.Node) bool {
		return n.Labels[core.LabelTopologyZone] != first.Labels[core.LabelTopologyZone]
	})
	if i < 0 {
		i = 1
	}
	return &chosen{client: first, server: nodes[i]}, nil
}

// leftOut is a node that does not take the run's pods.
type leftOut struct {
	name string
	why  words.Text
}

func leftOutText(nodes []leftOut) words.Text {
	var all []words.Text
	for _, n := range nodes {
		all = append(all, words.Of(words.Quote(n.name), n.why))
	}
	return words.List(all...)
}

// fit returns the nodes that take the run's pods, and why the others do not.
func (c *Config) fit(all []core.Node) (fit []core.Node, others []leftOut) {
	for _, n := range all {
		if why := c.unfit(n); !why.Empty() {
			others = append(others, leftOut{n.Name, why})
			continue
		}
		fit = append(fit, n)
	}
	return fit, others
}

// unfit returns why a node does not take the run's pods; the text is empty if it
// does. A node on which the run installs a plugin may still be waiting for it.
func (c *Config) unfit(n core.Node) words.Text {
	install := c.Install != nil
	system := n.Labels[core.LabelOSStable]
	taint := slices.IndexFunc(n.Spec.Taints, func(t core.Taint) bool {
		tolerated := slices.ContainsFunc(c.Tolerations, func(o core.Toleration) bool { return o.ToleratesTaint(&t) })
		tolerated = tolerated || install && slices.Contains(kube.NetworkTaints, t.Key)
		return (t.Effect == core.TaintEffectNoSchedule || t.Effect == core.TaintEffectNoExecute) && !tolerated
	})
	switch {
	case n.Spec.Unschedulable:
		return words.Cordoned
	case !kube.Ready(n) && !(install && kube.AwaitsNetwork(n)):
		return words.NotReady
	case system != "" && system != "linux":
		return words.Quote(system)
	case !labels.SelectorFromSet(c.NodeSelector).Matches(labels.Set(n.Labels)):
		return words.NotSelected
	case taint >= 0:
		return words.Quote("taint " + n.Spec.Taints[taint].Key)
	}
	return kube.Foreign(n, c.Arch)
}
