package scenarios

import (
	"context"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// plain is a testbed that has nothing but a worker at both ends of each network.
type plain struct {
	*fragile
	plugin string
}

func (p plain) Up(_ context.Context, _ *plugins.Plugin, instance, _ string) (testbed.Network, error) {
	return plain{p.fragile, instance}, nil
}

func (p plain) Ends() (client, server probes.End) {
	return probes.End{Worker: p.ends[0], CPU: -1}, probes.End{Worker: p.ends[1], CPU: -1}
}

func (p plain) Facts() (results.Network, results.Setup) {
	return results.Network{Plugin: p.plugin, Topology: results.On("l2"), Status: results.StatusOK}, results.Setup{Plugin: p.plugin, Topology: results.On("l2")}
}

// TestWhatIsNotHere runs probes for things that the testbed does not have: that is recorded, and
// is not a failure of the network.
func TestWhatIsNotHere(t *testing.T) {
	const plugin = "flannel-vxlan"
	bed := plain{fragile: &fragile{t: t}}
	bed.ends[0], _ = bed.worker()
	bed.ends[1] = bed.ends[0]
	for _, tt := range []struct{ probe, says string }{
		{"cni-time", "cni-time: this testbed adds no pods during a run"},
		{"service", "service: there are no Services on this testbed"},
		{"node-port:own", "node-port:own: there are no Services on this testbed"},
		{"dns", "dns: there are no Services on this testbed"},
		{"pod-to-host", "pod-to-host: it needs a pod in the nodes' own network, which this run does without (--unprivileged) or is refused"},
		{"adjacency", "adjacency: this testbed has no workers outside the two pods"},
		{"reach", "reach: no host outside the cluster was named (--outside)"},
		{"policy", "policy: this testbed has no workers outside the two pods"},
		{"encap", "encap: looking at the wire needs a worker in the node's own network"},
	} {
		t.Run(tt.probe, func(t *testing.T) {
			recorded := runOn(t, bed, func(Progress) {}, tt.probe, givenUpAfter+1, plugin)
			status, said := "", []string{}
			for _, r := range recorded.Records {
				switch {
				case r.Sample != nil:
					t.Errorf("a sample: %+v", r.Sample)
				case r.Network != nil && r.Network.Plugin == plugin:
					status = r.Network.Status
				case r.Event != nil && r.Event.Plugin == plugin:
					said = append(said, r.Event.Name+" "+r.Event.Text.String())
				}
			}
			if status != results.StatusOK || strings.Join(said, "; ") != results.EventNotHere+" "+tt.says {
				t.Errorf("the network is %s, recorded as %q", status, said)
			}
		})
	}
}
