package network

import (
	"context"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/words"
)

// PodToHost measures the path from a pod to the other node itself, where for example a
// kubelet or a program with a host network listens.
func PodToHost() *probes.Probe {
	p := routed("pod-to-host", "from a pod to the other node's own network", "a pod there",
		passesWithin, func(_ context.Context, s *probes.Site) (*route, error) {
			if s.Server.Node == nil {
				return nil, &probes.NotHereError{Why: words.NoHostPods}
			}
			node := s.Server
			node.Worker, node.Addr = s.Server.Node, s.Server.NodeAddr
			return withHost(s, way{client: s.Client, server: node}), nil
		})
	p.Span = probes.AcrossNodes
	return p
}

// HostToPod measures the path from a node itself to a pod on another node, as a
// kubelet's or an API server's connections take it.
func HostToPod() *probes.Probe {
	p := routed("host-to-pod", "from a node's own network to a pod on the other node", "a pod as the client",
		passesWithin, func(_ context.Context, s *probes.Site) (*route, error) {
			if s.Client.Node == nil {
				return nil, &probes.NotHereError{Why: words.NoHostPods}
			}
			node := s.Client
			node.Worker, node.Addr = s.Client.Node, s.Client.NodeAddr
			return withHost(s, way{client: node, server: s.Server}), nil
		})
	p.Span = probes.AcrossNodes
	return p
}

// withHost returns the route of a way with one end in a node's own network, which a
// firewall on the node or a policy may drop.
func withHost(s *probes.Site, path way) *route {
	return &route{
		path: path, straight: way{client: s.Client, server: s.Server},
		params: map[string]string{"from": path.client.Addr.String(), "to": path.server.Addr.String()},
		trials: []trial{{path, passesWithin, func(within time.Duration, err error) words.Text {
			return words.HostUnreached.With(path.client.Addr, path.server.Addr, within, err)
		}}},
	}
}
