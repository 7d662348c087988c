// Package catalogue lists every probe, and finds one by its name.
package catalogue

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/encap"
	"github.com/cnibench/cnibench/probes/load"
	"github.com/cnibench/cnibench/probes/network"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
)

// registered lists every probe in the order in which people read them. Adding
// a probe means adding it here.
func registered() []*probes.Probe {
	return []*probes.Probe{load.TCPStream(), load.TCPRR(), load.UDPRR(), load.TCPCRR(), load.UDPPPS(), load.LoadLatency(), network.MTU(), network.CNITime(), encap.Probe(), network.Adjacency(), network.Reach(), network.Policy(), network.Path(), network.Service()}
}

// All returns every probe.
func All() []*probes.Probe { return registered() }

// Metrics describes the figures of the named probes, parameters included in
// the probe's name. Names that [Parse] refuses are left out.
func Metrics(specs []string) []results.Metric {
	var all []results.Metric
	for _, spec := range specs {
		p, _, err := Parse(spec)
		if err != nil {
			continue
		}
		for _, m := range p.Metrics {
			m.Probe = spec
			all = append(all, m)
		}
	}
	return all
}

// Parse reads a probe's name with its parameters, such as
// "tcp-stream:streams=4:reverse". The parameters returned include defaults; a
// flag that is set has the value "true".
func Parse(spec string) (*probes.Probe, map[string]string, error) {
	name, rest, more := strings.Cut(spec, ":")
	all := All()
	i := slices.IndexFunc(all, func(p *probes.Probe) bool { return p.Name == name })
	if i < 0 {
		names := make([]string, len(all))
		for i, p := range all {
			names[i] = p.Name
		}
		return nil, nil, &probes.UnknownError{What: "probe", Name: name, Known: names}
	}
	params, err := all[i].ParseParams(rest, more)
	if err != nil {
		return nil, nil, err
	}
	return all[i], params, nil
}

// role finds a role of the probes by the name that requests use, "probe/role".
func role(name string) (worker.Role, error) { return probes.FindRole(All(), name) }

// Serve runs roles as the lines of in ask, several at once, and answers on
// out. It returns at the end of in, or when ctx ends, after it has ended
// every role. A line that is no request is answered with an error.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	return worker.Serve(ctx, in, out, role)
}

// OutsideRoles are those that a host outside the cluster plays.
var OutsideRoles = []string{"reach/send", "reach/receive", "path/count"}

// ServeOnly is [Serve] for some roles alone: what a machine lets others do that is
// there for something else.
func ServeOnly(ctx context.Context, in io.Reader, out io.Writer, roles []string) error {
	return worker.Serve(ctx, in, out, func(name string) (worker.Role, error) {
		if !slices.Contains(roles, name) {
			return nil, fmt.Errorf("no role is called %q here", name)
		}
		return role(name)
	})
}
