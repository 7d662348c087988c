package network

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/words"
)

const (
	// serviceWithin is how long a new Service may take until connections succeed:
	// kube-proxy writes its rules at most once a second.
	serviceWithin = 6 * time.Second
	// passesWithin is how long a connection may take that succeeds at once if it does at
	// all: a lost SYN is sent again after 1 s (RFC 6298).
	passesWithin = 3 * time.Second
	// creates is the resource that the probes of Services create.
	creates = "services"
	// paramOwn makes node-port use the node of the client.
	paramOwn = "own"
)

// Service measures the path through a Service's ClusterIP.
func Service() *probes.Probe {
	p := routed("service", "from a pod through a Service (ClusterIP)", podsAddress,
		serviceWithin, throughClusterIP)
	p.Creates = creates
	return p
}

// NodePort measures the path through a port of a node.
func NodePort() *probes.Probe {
	p := routed("node-port", "from a pod through a NodePort of the server's node", podsAddress,
		serviceWithin, throughNodePort)
	p.Creates = creates
	p.Params = []probes.Param{{Name: paramOwn, Title: "through the NodePort of the client's own node, which forwards to the server's"}}
	return p
}

// Hairpin measures the path from a pod through a Service to the pod itself. A pod's own
// address would lead over its loopback interface, so the straight path is that from
// another pod on the same node.
func Hairpin() *probes.Probe {
	p := routed("hairpin", "from a pod through its own Service back to itself", "another pod on its node",
		serviceWithin+passesWithin, backToItself)
	p.Creates, p.Span = creates, probes.OnOneNode
	return p
}

func throughClusterIP(ctx context.Context, s *probes.Site) (*route, error) {
	service, err := s.ServiceOf(ctx, probes.ClusterIP)
	if err != nil {
		return nil, err
	}
	r := fromPod(s, service.Addr, service.Port)
	r.trials = []trial{carried(r.path)}
	return r, nil
}

func throughNodePort(ctx context.Context, s *probes.Site) (*route, error) {
	service, err := s.ServiceOf(ctx, probes.NodePort)
	if err != nil {
		return nil, err
	}
	node := s.Server.NodeAddr
	if s.Params[paramOwn] != "" {
		node = s.Client.NodeAddr
	}
	r := fromPod(s, netip.AddrPortFrom(node, service.NodePort), service.Port)
	if s.Params[paramOwn] != "" {
		r.params[paramOwn] = s.Params[paramOwn]
	}
	r.trials = []trial{{r.path, serviceWithin, func(within time.Duration, err error) words.Text {
		return words.NodePortUnreached.With(r.path.to, within, err)
	}}}
	return r, nil
}

func backToItself(ctx context.Context, s *probes.Site) (*route, error) {
	service, err := s.ServiceOf(ctx, probes.ClusterIP)
	if err != nil {
		return nil, err
	}
	beside := fromPod(s, service.Addr, service.Port)
	r := *beside
	r.path.client = s.Server
	// Only if the Service carries another pod's connections is it the way back to the
	// pod itself that is missing.
	r.trials = []trial{carried(beside.path), {r.path, passesWithin, func(within time.Duration, err error) words.Text {
		return words.NoHairpin.With(service.Addr, within, err)
	}}}
	return &r, nil
}

// fromPod returns the route of the client to an address that leads to the server, where
// it listens on a port. Over the straight path it listens on another: behind the address
// translation, connections of both paths could come from one port of the client to one
// of the server within a minute, and then one in a few samples stalled for 1 s, after
// which a SYN is sent again (RFC 6298).
func fromPod(s *probes.Site, to netip.AddrPort, port uint16) *route {
	return &route{
		path:     way{s.Client, s.Server, to, port},
		straight: way{s.Client, s.Server, netip.AddrPort{}, 0},
		params:   map[string]string{"to": to.String(), "port": strconv.Itoa(int(port))},
	}
}

// carried says what is missing if no connection passes a Service.
func carried(w way) trial {
	return trial{w, serviceWithin, func(within time.Duration, err error) words.Text {
		return words.ServiceUnreached.With(w.to, within, err)
	}}
}
