// Package detect finds out what a cluster is: which network plugin connects its
// pods and in which mode, and what its nodes are. It only reads.
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
	Words  words.Text // what was seen, and what could not be read
}

// evidence is what one place says about the plugin.
type evidence struct {
	where  words.Text // the place, for people
	plugin string     // name in the catalogue, "" if it is not in it
	says   words.Text // what else it says
}

// text is the evidence in words.
func (e evidence) text() words.Text {
	return words.Say.With(e.where, words.Following(words.Quote(e.plugin), e.says))
}

// Plugin reads the annotations of nodes, for which permission to list nodes is
// enough, and the plugins' own configuration where the user may read it. What the
// run captures on the nodes' network is compared with it later.
func Plugin(ctx context.Context, c *kube.Client, nodes []core.Node) Found {
	configured, unread := configured(ctx, c)
	return conclude(annotated(nodes), configured, unread)
}

// conclude combines what nodes and configuration say. The configuration tells
// modes apart that annotations do not (calico-ipip and calico-ipip-crosssubnet).
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
		d.Words = words.List(d.Words, words.WhichDoesNotFit)
	}
	if len(unread) > 0 {
		d.Words = words.Aside(d.Words, words.YouMayNotRead.With(words.List(words.Quotes(unread)...)))
	}
	return d
}

// annotated is what the nodes' annotations say.
func annotated(nodes []core.Node) evidence {
	said := map[string]int{}
	for _, n := range nodes {
		said[cmp.Or(mode(n), "nothing")]++
	}
	all := slices.Sorted(maps.Keys(said))
	e := evidence{where: words.AnnotationsNodes}
	switch {
	case len(all) == 0 || len(all) == 1 && said["nothing"] > 0:
		e.says = words.NothingKnownPlugin
	case len(all) == 1:
		e.plugin = all[0]
	default:
		e.says = words.DifferentThings.With(words.List(words.Quotes(all)...))
	}
	return e
}

// mode is what one node's annotations say, "" for nothing.
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
