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
	"github.com/cnibench/cnibench/probes/survey"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
)

// registered returns every probe, in the order in which they are shown. A new probe
// must be added here.
func registered() []*probes.Probe {
	return []*probes.Probe{load.TCPStream(), load.TCPRR(), load.UDPRR(), load.TCPCRR(), load.UDPPPS(), load.LoadLatency(), network.MTU(), network.CNITime(), encap.Probe(), network.Adjacency(), network.Reach(), network.Policy(), network.Path(), survey.Probe(),
		network.Service(), network.NodePort(), network.PodToHost(), network.HostToPod(), network.Hairpin(), load.DNS()}
}

// All returns every probe.
func All() []*probes.Probe { return registered() }

// Metrics returns the metrics of the given probes. The probe name of each metric
// includes the probe's parameters. Metrics skips names that [Parse] rejects.
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

// Parse parses a probe's name with its parameters, such as
// "tcp-stream:streams=4:reverse". The returned parameters include defaults; a flag
// that is set has the value "true".
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

// role finds a role of any probe by its name in requests, "probe/role".
func role(name string) (worker.Role, error) { return probes.FindRole(All(), name) }

// Serve runs the roles that the lines of in request, several at once, and answers
// on out. It returns when in or ctx ends, after it has ended every role. It answers
// a line that is not a request with an error.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	return worker.Serve(ctx, in, out, role)
}

// OutsideRoles are the roles that a host outside the cluster plays.
var OutsideRoles = []string{"reach/send", "reach/receive", "path/count"}

// ServeOnly is like [Serve] but runs only the given roles. It is for a machine that
// has other purposes and should let others do no more than that.
func ServeOnly(ctx context.Context, in io.Reader, out io.Writer, roles []string) error {
	return worker.Serve(ctx, in, out, func(name string) (worker.Role, error) {
		if !slices.Contains(roles, name) {
			return nil, fmt.Errorf("no role is called %q here", name)
		}
		return role(name)
	})
}
