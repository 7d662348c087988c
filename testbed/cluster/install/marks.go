package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cnibench/cnibench/results"
)

// marks is what a plugin may put on a Node object, by name.
type marks struct {
	Annotations []string `json:"annotations,omitempty"`
	Labels      []string `json:"labels,omitempty"`
	Taints      []string `json:"taints,omitempty"`
	Conditions  []string `json:"conditions,omitempty"`
}

func marksOf(n core.Node) marks {
	m := marks{Annotations: slices.Sorted(maps.Keys(n.Annotations)), Labels: slices.Sorted(maps.Keys(n.Labels))}
	for _, t := range n.Spec.Taints {
		m.Taints = append(m.Taints, t.Key)
	}
	for _, c := range n.Status.Conditions {
		m.Conditions = append(m.Conditions, string(c.Type))
	}
	return m
}

// ofKubernetes reports whether Kubernetes itself sets a mark on nodes
// (pkg/apis/core/v1 and staging/src/k8s.io/api/core/v1/well_known_*.go of v1.34).
func ofKubernetes(name string) bool {
	domain, _, _ := strings.Cut(name, "/")
	return slices.Contains([]string{"node.kubernetes.io", "kubernetes.io", "volumes.kubernetes.io", "node.alpha.kubernetes.io", "node-role.kubernetes.io",
		"beta.kubernetes.io", "topology.kubernetes.io"}, domain)
}

// added lists the names that were not there before.
func added(was, is []string) []string {
	return slices.DeleteFunc(slices.Clone(is), func(name string) bool { return slices.Contains(was, name) || ofKubernetes(name) })
}

// forget removes what a known plugin wrote on a Node object, and with
// RemoveLeftovers all annotations and labels that were not there before. It returns
// what is left.
func (i *Installer) forget(ctx context.Context, n core.Node, made record, was marks, known bool) (left []string, err error) {
	of := Leaves(made.Plugin)
	annotations, labels := map[string]any{}, map[string]any{}
	for key := range n.Annotations {
		own := made.Known && slices.ContainsFunc(of.Annotations, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if own || i.RemoveLeftovers && known && len(added(was.Annotations, []string{key})) > 0 {
			annotations[key] = nil
		}
	}
	if i.RemoveLeftovers && known {
		for _, key := range added(was.Labels, marksOf(n).Labels) {
			labels[key] = nil
		}
	}
	reported := false
	for _, c := range n.Status.Conditions {
		own := made.Known && slices.Contains(of.Reasons, c.Reason) || i.RemoveLeftovers && known && !slices.Contains(was.Conditions, string(c.Type))
		reported = reported || c.Type == core.NodeNetworkUnavailable && own
	}
	if err := i.patchNode(ctx, n.Name, annotations, labels, reported); err != nil {
		return nil, fmt.Errorf("removing the marks of %s from the node %s: %w", made.Plugin, n.Name, err)
	}
	if !known {
		return nil, nil
	}
	is := marksOf(n)
	for _, of := range []struct {
		what    string
		was, is []string
		removed map[string]any
	}{{"annotation", was.Annotations, is.Annotations, annotations}, {"label", was.Labels, is.Labels, labels},
		{"taint", was.Taints, is.Taints, nil}, {"condition", was.Conditions, is.Conditions, nil}} {
		for _, name := range added(of.was, of.is) {
			_, gone := of.removed[name]
			if !gone && !(of.what == "condition" && reported && name == string(core.NodeNetworkUnavailable)) {
				left = append(left, of.what+" "+results.Printable(name))
			}
		}
	}
	return left, nil
}

// patchNode removes annotations, labels and the condition NetworkUnavailable from a
// Node object. The status carries annotations too, so that no right to change nodes
// is needed for them.
func (i *Installer) patchNode(ctx context.Context, node string, annotations, labels map[string]any, condition bool) error {
	var errs []error
	send := func(patch map[string]any, subresources ...string) {
		text, err := json.Marshal(patch)
		if err == nil {
			_, err = i.Client.CoreV1().Nodes().Patch(ctx, node, types.StrategicMergePatchType, text, metav1.PatchOptions{}, subresources...)
		}
		errs = append(errs, err)
	}
	if len(annotations) > 0 || condition {
		patch := map[string]any{"metadata": map[string]any{"annotations": annotations}}
		if condition {
			patch["status"] = map[string]any{"conditions": []any{map[string]any{"type": core.NodeNetworkUnavailable, "$patch": "delete"}}}
		}
		send(patch, "status")
	}
	if len(labels) > 0 {
		send(map[string]any{"metadata": map[string]any{"labels": labels}})
	}
	return errors.Join(errs...)
}

// clusterBefore is the name of the ConfigMap that holds which objects of some kinds
// the cluster has before a plugin is installed.
const clusterBefore = "before"

// watched lists the kinds of objects that programs of a plugin create by themselves,
// as Cilium's operator does with its kinds.
var watched = []struct {
	what string
	schema.GroupVersionResource
}{
	{"CustomResourceDefinition", schema.GroupVersionResource{Group: kindsGroup, Version: "v1", Resource: "customresourcedefinitions"}},
	{"Namespace", schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}},
	{"DaemonSet", schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"}},
}

// clusterWide lists the cluster's objects of the watched kinds.
func (i *Installer) clusterWide(ctx context.Context) ([]string, error) {
	var all []string
	for _, w := range watched {
		list, err := i.Client.Dynamic.Resource(w.GroupVersionResource).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("listing the cluster's %s: %w", w.Resource, err)
		}
		for _, o := range list.Items {
			if o.GetNamespace() != i.Namespace && o.GetDeletionTimestamp() == nil {
				all = append(all, ref{Kind: w.what, Namespace: o.GetNamespace(), Name: o.GetName()}.String())
			}
		}
	}
	return all, nil
}

// leftInCluster returns the cluster's objects of the watched kinds that were not
// there before. They are never removed: somebody else may have created them.
func (i *Installer) leftInCluster(ctx context.Context, plugin string) ([]Left, error) {
	var was []string
	found, err := i.kept(ctx, clusterBefore, &was)
	if err != nil || !found {
		return nil, err
	}
	is, err := i.clusterWide(ctx)
	if err != nil {
		return nil, err
	}
	items := slices.DeleteFunc(is, func(o string) bool { return slices.Contains(was, o) })
	if len(items) == 0 {
		return nil, nil
	}
	return []Left{{Plugin: plugin, Items: items}}, nil
}
