package cluster

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
)

// Annotations that agents leave on nodes, and what they tell.
const (
	flannelPrefix  = "flannel.alpha.coreos.com/"
	flannelBackend = flannelPrefix + "backend-type"  // pkg/subnet/kube/annotations.go of flannel v0.28.10
	calicoAddress  = "projectcalico.org/IPv4Address" // libcalico-go/lib/backend/k8s/resources/node.go of Calico v3.28.5
	calicoIPIP     = "projectcalico.org/IPv4IPIPTunnelAddr"
	calicoVXLAN    = "projectcalico.org/IPv4VXLANTunnelAddr"
)

// Detected is what a cluster says of the plugin that connects its pods.
type Detected struct {
	Plugin string // of the catalogue; "" if it is none of these, or nobody can say
	Words  string // what was seen, and what could not be
}

// evidence is one place that says something of the plugin.
type evidence struct {
	where  string // for people
	plugin string // of the catalogue, "" if it is not in it
	words  string // beyond the name
}

func (e evidence) String() string {
	return fmt.Sprintf("%s say %s", e.where, strings.TrimSpace(e.plugin+" "+e.words))
}

// Detect reads the nodes' annotations, for which listing nodes is enough, and
// the plugins' own configuration where that is allowed. What the wire shows is
// held against it later.
func (c *Cluster) Detect(ctx context.Context) (Detected, error) {
	nodes, _, err := c.nodes(ctx)
	if err != nil {
		return Detected{}, err
	}
	configured, unread := c.configured(ctx)
	return conclude(annotated(nodes), configured, unread), nil
}

// conclude weighs what nodes and configuration say. The configuration knows
// modes that annotations cannot tell apart (calico-ipip and
// calico-ipip-crosssubnet).
func conclude(nodes evidence, configured []evidence, unread []string) Detected {
	all := slices.Clone(configured)
	if nodes.plugin != "" || len(all) == 0 {
		all = append(all, nodes)
	}
	d := Detected{Plugin: all[0].plugin}
	var words []string
	fits := true
	for _, e := range all {
		words = append(words, e.String())
		fits = fits && strings.HasPrefix(all[0].plugin, e.plugin)
	}
	d.Words = strings.Join(words, "; ")
	if !fits {
		d.Plugin = ""
		d.Words += ", which does not fit together"
	}
	if len(unread) > 0 {
		d.Words += " (you may not read " + strings.Join(unread, ", ") + ")"
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
	e := evidence{where: "annotations of the nodes"}
	switch {
	case len(all) == 0 || len(all) == 1 && said["nothing"] > 0:
		e.words = "nothing of a known plugin"
	case len(all) == 1:
		e.plugin = all[0]
	default:
		e.words = "different things: " + strings.Join(all, ", ")
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
