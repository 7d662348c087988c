package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/words"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Nodes lists the cluster's nodes.
func (c *Client) Nodes(ctx context.Context) ([]core.Node, error) {
	list, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the cluster's nodes: %w", err)
	}
	return list.Items, nil
}

// Ready reports whether a node's kubelet says that the node is ready for pods.
func Ready(n core.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c core.NodeCondition) bool {
		return c.Type == core.NodeReady && c.Status == core.ConditionTrue
	})
}

// AwaitsNetwork reports whether a node is not ready because it lacks a network
// plugin. The message is the kubelet's (pkg/kubelet/runtime.go and
// container/runtime.go of v1.34).
func AwaitsNetwork(n core.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c core.NodeCondition) bool {
		return c.Type == core.NodeReady && c.Status == core.ConditionFalse && strings.Contains(c.Message, "NetworkPluginNotReady")
	})
}

// NetworkTaints are the taints of a node that waits for its network plugin.
var NetworkTaints = []string{core.TaintNodeNotReady, core.TaintNodeNetworkUnavailable}

// TolerateNetworkTaints returns the tolerations that let a pod run on a node that
// waits for its network plugin.
func TolerateNetworkTaints() []core.Toleration {
	var all []core.Toleration
	for _, key := range NetworkTaints {
		all = append(all, core.Toleration{Key: key, Operator: core.TolerationOpExists})
	}
	return all
}

// Foreign says that an image for the given architecture cannot run on a node. The
// text is empty if it can, or if either architecture is unknown.
func Foreign(n core.Node, arch string) words.Text {
	is := n.Status.NodeInfo.Architecture
	if arch == "" || is == "" || is == arch {
		return words.Text{}
	}
	return words.ArchitectureDiffers.With(is, arch, is)
}

// OnNode returns an affinity that restricts a pod to one node and leaves it to the
// scheduler to check that the node has the resources.
func OnNode(name string) *core.Affinity {
	return &core.Affinity{NodeAffinity: &core.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &core.NodeSelector{
		NodeSelectorTerms: []core.NodeSelectorTerm{{MatchFields: []core.NodeSelectorRequirement{
			{Key: "metadata.name", Operator: core.NodeSelectorOpIn, Values: []string{name}}}}}}}}
}
