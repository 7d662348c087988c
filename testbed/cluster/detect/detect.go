// Package detect identifies a cluster, the network plugin that connects its pods
// and the plugin's mode, and describes its nodes. It only reads.
package detect

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// Annotations that agents leave on nodes.
const (
	flannelBackend = "flannel.alpha.coreos.com/backend-type" // pkg/subnet/kube/annotations.go of flannel v0.28.10
	calicoAddress  = "projectcalico.org/IPv4Address"         // libcalico-go/lib/backend/k8s/resources/node.go of Calico v3.28.5
	calicoIPIP     = "projectcalico.org/IPv4IPIPTunnelAddr"
	calicoVXLAN    = "projectcalico.org/IPv4VXLANTunnelAddr"
)

// Found is what a cluster says about the plugin that connects its pods.
type Found struct {
	Plugin string     // name in the catalogue; "" if the plugin is not in it or cannot be determined
	Words  words.Text // the evidence, and what could not be read
}

// evidence is what one place says about the plugin.
type evidence struct {
	where  words.Text // the place, in words
	plugin string     // name in the catalogue; "" if the plugin is not in it
	says   words.Text // anything else that it says
}

// text returns the evidence in words.
func (e evidence) text() words.Text {
	return words.EvidenceSays.With(e.where, words.Following(words.Quote(e.plugin), e.says))
}

// Plugin determines the cluster's plugin. It reads the annotations of nodes, which
// takes only permission to list nodes, and the plugins' own configuration, if the
// user may read it. Later, packets captured on the nodes' network are compared with
// the result.
func Plugin(ctx context.Context, c *kube.Client, nodes []core.Node) Found {
	configured, unread := configured(ctx, c)
	return conclude(annotated(nodes), configured, unread)
}

// conclude combines the evidence of nodes and configuration. The configuration
// distinguishes modes that annotations do not (calico-ipip and
// calico-ipip-crosssubnet).
func conclude(nodes evidence, configured []evidence, unread []string) Found {
	all := slices.Clone(configured)
	if nodes.plugin != "" || len(all) == 0 {
		all = append(all, nodes)
	}
	d := Found{Plugin: all[0].plugin}
	var said []words.Text
	fits := true
	for _, e := range all {
		said = append(said, e.text())
		fits = fits && strings.HasPrefix(all[0].plugin, e.plugin)
	}
	d.Words = words.Clauses(said...)
	if !fits {
		d.Plugin = ""
		d.Words = words.List(d.Words, words.EvidenceContradicts)
	}
	if len(unread) > 0 {
		d.Words = words.Aside(d.Words, words.MayNotRead.With(words.ListNames(unread)))
	}
	return d
}

// annotated returns what the nodes' annotations say.
func annotated(nodes []core.Node) evidence {
	said := map[string]int{}
	for _, n := range nodes {
		said[cmp.Or(mode(n), "nothing")]++
	}
	all := slices.Sorted(maps.Keys(said))
	e := evidence{where: words.NodeAnnotations}
	switch {
	case len(all) == 0 || len(all) == 1 && said["nothing"] > 0:
		e.says = words.NothingOfKnownPlugin
	case len(all) == 1:
		e.plugin = all[0]
	default:
		e.says = words.SaysDifferentThings.With(words.ListNames(all))
	}
	return e
}

// mode returns the plugin that one node's annotations name, or "".
func mode(n core.Node) string {
	a := n.Annotations
	if backend := a[flannelBackend]; backend != "" {
		return "flannel-" + backend
	}
	switch {
	case a[calicoAddress] == "":
		return ""
	case a[calicoVXLAN] != "":
		return "calico-vxlan"
	case a[calicoIPIP] != "":
		return "calico-ipip"
	}
	return "calico-bgp"
}
