package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// chosen are the two nodes that are measured.
type chosen struct{ client, server core.Node }

// errOneNode says that there is nothing to measure between.
var errOneNode = errors.New("the cluster has fewer than two nodes that take pods")

// nodes lists those that take pods: ready, not cordoned, Linux.
func (c *Cluster) nodes(ctx context.Context) ([]core.Node, error) {
	list, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the cluster's nodes: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(n core.Node) bool {
		system := n.Labels[core.LabelOSStable]
		return n.Spec.Unschedulable || !ready(n) || system != "" && system != "linux" || repels(n)
	}), nil
}

func ready(n core.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c core.NodeCondition) bool {
		return c.Type == core.NodeReady && c.Status == core.ConditionTrue
	})
}

// repels reports whether a taint keeps our pods away.
func repels(n core.Node) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(t core.Taint) bool {
		return t.Effect == core.TaintEffectNoSchedule || t.Effect == core.TaintEffectNoExecute
	})
}

// choose picks two nodes, of different zones if there are several: the way
// between zones is the one that a plugin must not spoil.
func choose(nodes []core.Node) (*chosen, error) {
	if len(nodes) < 2 {
		return nil, errOneNode
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
