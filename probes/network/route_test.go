package network

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/probestest"
)

// routePort is the port on which the server of a Service listens.
const routePort = 20049

// routes lists the probes that compare a path with the straight one.
func routes() []*probes.Probe {
	return []*probes.Probe{Service(), NodePort(), Hairpin(), PodToHost(), HostToPod()}
}

// routeSite returns a site with Services whose address and NodePort have a port of the
// loopback interface. With [routePort] the server itself is the Service.
func routeSite(t *testing.T, port uint16) *probes.Site {
	t.Helper()
	s := probestest.Loopback(t, 400*time.Millisecond)
	for _, e := range []*probes.End{&s.Client, &s.Server} {
		e.Node, e.NodeAddr = e.Worker, e.Addr
	}
	s.Passed = probes.Passes{}
	s.Service = func(context.Context, probes.ServiceKind) (*probes.Service, error) {
		return &probes.Service{Addr: netip.AddrPortFrom(probestest.Localhost, port), NodePort: port, Port: routePort}, nil
	}
	return s
}

// TestRoutes measures twice. The second sample meets the connections that the first one
// left.
func TestRoutes(t *testing.T) {
	for _, p := range routes() {
		t.Run(p.Name, func(t *testing.T) {
			s := routeSite(t, routePort)
			for range 2 {
				m, err := p.Measure(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				for _, metric := range p.Metrics {
					if m.Values[metric.Name] <= 0 {
						t.Errorf("%s: %v", metric.Name, m.Values)
					}
					if first := m.Params["first-"+metric.Name]; metric.Straight != "" && first != metric.Name && first != metric.Straight {
						t.Errorf("the order of %s and %s is not recorded: %v", metric.Name, metric.Straight, m.Params)
					}
				}
			}
		})
	}
}

// TestPathsEndAtPortsOfTheirOwn checks that the server does not listen on one port for
// both paths.
func TestPathsEndAtPortsOfTheirOwn(t *testing.T) {
	s := routeSite(t, routePort)
	for _, find := range []func(context.Context, *probes.Site) (*route, error){throughClusterIP, throughNodePort, backToItself} {
		r, err := find(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if r.path.port != routePort || r.straight.port == r.path.port || r.straight.to.IsValid() {
			t.Errorf("%+v", r)
		}
	}
}

// TestOrderIsDrawn checks that neither path is always the first.
func TestOrderIsDrawn(t *testing.T) {
	s := routeSite(t, routePort)
	s.Duration = 0 // the shortest parts
	first := map[string]bool{}
	for range 10 { // each draws three orders; all alike happens once in 2²⁹ times
		m, err := Service().Measure(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range m.Params {
			if strings.HasPrefix(name, "first-") {
				first[strings.SplitN(value, "-", 2)[0]] = true
			}
		}
	}
	if !first["pod"] || len(first) < 2 {
		t.Errorf("only %v came first", first)
	}
}

// TestRoutesThatDoNotExist checks that a path that nothing carries is not a failure of
// the plugin, unless it has carried something before.
func TestRoutesThatDoNotExist(t *testing.T) {
	noServices := func(s *probes.Site) { s.Service = nil }
	noHosts := func(s *probes.Site) { s.Client.Node, s.Server.Node = nil, nil }
	refuses := func(s *probes.Site) {
		s.Service = func(context.Context, probes.ServiceKind) (*probes.Service, error) {
			return nil, &probes.NotHereError{}
		}
	}
	// The Service has carried the other pod's connections.
	onlyOthers := func(s *probes.Site) {
		s.Passed.Note(s.Client.Addr.String() + " 127.0.0.1:9")
		s.Server.Addr = netip.MustParseAddr("127.0.0.2")
	}
	for _, c := range []struct {
		name   string
		probe  *probes.Probe
		change func(*probes.Site)
		says   string
	}{
		{"no Services", Service(), noServices, "there are no Services on this testbed"},
		{"a Service that is refused", Service(), refuses, ""},
		{"a Service that nobody carries", Service(), nil, "no connection passed the Service 127.0.0.1:9"},
		{"a NodePort that nobody carries", NodePort(), nil, "no connection passed the NodePort 127.0.0.1:9"},
		{"a hairpin through a Service that nobody carries", Hairpin(), nil, "no connection passed the Service 127.0.0.1:9"},
		{"no hairpin", Hairpin(), onlyOthers, "a pod does not reach itself through its own Service 127.0.0.1:9"},
		{"no pods in the nodes' network, from a pod", PodToHost(), noHosts, "a pod in the nodes' own network"},
		{"no pods in the nodes' network, to a pod", HostToPod(), noHosts, "a pod in the nodes' own network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := routeSite(t, 9)
			if c.change != nil {
				c.change(s)
			}
			_, err := c.probe.Measure(t.Context(), s)
			var absent *probes.NotHereError
			if !errors.As(err, &absent) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestRouteThatBroke checks that a path that has carried something is broken, not
// absent, if it no longer does.
func TestRouteThatBroke(t *testing.T) {
	s := routeSite(t, 9)
	s.Passed.Note(s.Client.Addr.String() + " 127.0.0.1:9")
	_, err := Service().Measure(t.Context(), s)
	if err == nil || errors.As(err, new(*probes.NotHereError)) {
		t.Errorf("%v", err)
	}
}

// TestRouteOfALostWorker checks that a worker that is gone says nothing of a path.
func TestRouteOfALostWorker(t *testing.T) {
	s := routeSite(t, routePort)
	s.Client.Worker.Close()
	_, err := Service().Measure(t.Context(), s)
	if err == nil || errors.As(err, new(*probes.NotHereError)) {
		t.Errorf("%v", err)
	}
}
