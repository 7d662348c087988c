package scenarios

import (
	"slices"
	"testing"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// lacking is a testbed whose kernel lacks features.
type lacking struct {
	testbed.Testbed
	features []string
}

func (l lacking) Lacks(p *plugins.Plugin) string {
	for _, f := range p.Features {
		if slices.Contains(l.features, f) {
			return f
		}
	}
	return ""
}

func (lacking) Slower() int { return 1 }

// TestInstancesOfAPart checks which networks are brought up in each of two kernels.
func TestInstancesOfAPart(t *testing.T) {
	left := func(plugin string) results.Record {
		return results.Record{Network: &results.Network{Plugin: plugin, Topology: results.On("l2"), Status: results.StatusUnsupported, Lacks: "ipip", Cause: words.Quote("kernel lacks ipip")}}
	}
	next := results.Record{Event: &results.Event{Name: results.EventNextKernel}}
	for _, c := range []struct {
		name    string
		plugins []string
		lacks   []string
		next    bool // another kernel follows
		records []results.Record
		want    []string
	}{
		{"one kernel brings up all, to say what it lacks", []string{"host", "flannel-ipip"}, []string{"ipip"}, false, nil, []string{"host", "flannel-ipip"}},
		{"the first of two has its baseline", []string{"host", "flannel-vxlan", "flannel-ipip"}, []string{"ipip"}, true, nil,
			[]string{"host", "flannel-vxlan", "flannel-ipip"}},
		{"the first of two has nothing to compare", []string{"host", "flannel-ipip"}, []string{"ipip"}, true, nil, []string{"flannel-ipip"}},
		{"the baseline alone", []string{"host"}, nil, true, nil, []string{"host"}},
		{"the second takes what was left", []string{"host", "flannel-vxlan", "flannel-ipip"}, nil, false, []results.Record{left("flannel-ipip"), next},
			[]string{"host", "flannel-ipip"}},
		{"the second lacks the same", []string{"host", "flannel-vxlan", "flannel-ipip"}, []string{"ipip"}, false, []results.Record{left("flannel-ipip"), next},
			[]string{"flannel-ipip"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := results.Asked{Plugins: c.plugins}
			r := &run{Config: Config{Asked: asked, Catalogue: catalogue.All(), NextKernel: c.next}}
			r.phase = Phases(lacking{features: c.lacks}, asked)[0]
			if c.records != nil {
				r.Recorded = &results.Recorded{Records: c.records}
			}
			if got := r.instances("l2"); !slices.Equal(got, c.want) {
				t.Errorf("instances: %v, want %v", got, c.want)
			}
		})
	}
}
