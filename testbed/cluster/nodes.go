package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// chosen are the two nodes that are measured.
type chosen struct{ client, server core.Node }

// errOneNode says that there is nothing to measure between.
var errOneNode = errors.New("the cluster has fewer than two nodes that take pods")

// nodes lists those that take pods, and why the others do not.
func (c *Cluster) nodes(ctx context.Context) (fit []core.Node, others []string, err error) {
	list, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("listing the cluster's nodes: %w", err)
	}
	fit, others = c.fitOf(list.Items)
	return fit, others, nil
}

// fitOf are the nodes that take pods, and why the others do not.
func (c *Cluster) fitOf(all []core.Node) (fit []core.Node, others []string) {
	for _, n := range all {
		if why := c.unfit(n); why != "" {
			others = append(others, n.Name+": "+why)
			continue
		}
		fit = append(fit, n)
	}
	return fit, others
}

// unfit is why a node takes no pods of ours, "" if it does. One whose plugin we
// install may still wait for it.
func (c *Cluster) unfit(n core.Node) string {
	install := c.config.Install != nil
	system := n.Labels[core.LabelOSStable]
	taint := slices.IndexFunc(n.Spec.Taints, func(t core.Taint) bool {
		tolerated := slices.ContainsFunc(c.config.Tolerations, func(o core.Toleration) bool { return o.ToleratesTaint(&t) })
		tolerated = tolerated || install && slices.Contains(untilNetwork, t.Key)
		return (t.Effect == core.TaintEffectNoSchedule || t.Effect == core.TaintEffectNoExecute) && !tolerated
	})
	switch {
	case n.Spec.Unschedulable:
		return "cordoned"
	case !ready(n) && !(install && awaitsNetwork(n)):
		return "not ready"
	case system != "" && system != "linux":
		return system
	case !labels.SelectorFromSet(c.config.NodeSelector).Matches(labels.Set(n.Labels)):
		return "not selected"
	case taint >= 0:
		return "taint " + n.Spec.Taints[taint].Key
	}
	return c.foreign(n)
}

// foreign says that the image holds no program for the node's CPUs, "" if it
// does or nobody knows for which it was made.
func (c *Cluster) foreign(n core.Node) string {
	is := n.Status.NodeInfo.Architecture
	if c.config.Arch == "" || is == "" || is == c.config.Arch {
		return ""
	}
	return fmt.Sprintf("its architecture is %s and the image's %s (make the image on a machine with %s, or name one that holds both with --image)", is, c.config.Arch, is)
}

func ready(n core.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c core.NodeCondition) bool {
		return c.Type == core.NodeReady && c.Status == core.ConditionTrue
	})
}

// choose picks two nodes, of different zones if there are several: the way
// between zones is the one that a plugin must not spoil.
func choose(nodes []core.Node, others []string) (*chosen, error) {
	if len(nodes) < 2 {
		return nil, fmt.Errorf("%w (%s)", errOneNode, cmp.Or(strings.Join(others, ", "), "it has no others"))
	}
	slices.SortFunc(nodes, func(a, b core.Node) int { return cmp.Compare(a.Name, b.Name) })
	first := nodes[0]
	i := slices.IndexFunc(nodes, func(n core.Node) bool {
		return n.Labels[core.LabelTopologyZone] != first.Labels[core.LabelTopologyZone]
	})
	if i < 0 {
		i = 1
	}
	return &chosen{first, nodes[i]}, nil
}
