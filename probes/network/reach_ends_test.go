package network

import (
	"net/netip"
	"testing"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/worker"
)

// TestIsNode tells nodes from pods, by which source NAT between nodes is told from
// source NAT between pods.
func TestIsNode(t *testing.T) {
	pod, node := &worker.Worker{}, &worker.Worker{}
	podAddr, nodeAddr := netip.MustParseAddr("10.244.0.2"), netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		name string
		end  probes.End
		want bool
	}{
		{"a pod", probes.End{Worker: pod, Node: node, Addr: podAddr, NodeAddr: nodeAddr}, false},
		{"a pod whose node has no worker", probes.End{Worker: pod, Addr: podAddr, NodeAddr: nodeAddr}, false},
		{"a pod with an interface of its own in the VPC", probes.End{Worker: pod, Node: pod, Addr: podAddr, NodeAddr: nodeAddr}, false},
		{"a node", probes.End{Worker: node, Node: node, Addr: nodeAddr, NodeAddr: nodeAddr}, true},
		{"a node of unknown address", probes.End{Worker: node, Node: node, Addr: nodeAddr}, true},
	} {
		if got := isNode(c.end); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
