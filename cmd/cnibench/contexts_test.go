package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/scenarios"
)

func TestClusterAsked(t *testing.T) {
	for _, tt := range []struct {
		name     string
		change   func(*runOptions)
		contexts []contextOf
		plugins  []string
		wrong    string // "" for none
	}{
		{"the current context", func(o *runOptions) {}, []contextOf{{"", ""}}, nil, ""},
		{"one by name", func(o *runOptions) { o.cluster.context = "arn:aws:eks:x/y" }, []contextOf{{"arn:aws:eks:x/y", ""}}, nil, ""},
		{"two with their plugins", func(o *runOptions) { o.cluster.context = "a=flannel-vxlan,b=calico" },
			[]contextOf{{"a", "flannel-vxlan"}, {"b", "calico"}}, nil, ""},
		{"two, found there", func(o *runOptions) { o.cluster.context = "a,b" }, []contextOf{{"a", ""}, {"b", ""}}, nil, ""},
		{"two of a spec file", func(o *runOptions) { o.asked.Contexts = []string{"a=flannel-vxlan", "b=calico"} },
			[]contextOf{{"a", "flannel-vxlan"}, {"b", "calico"}}, nil, ""},
		{"no name", func(o *runOptions) { o.cluster.context = "a=calico,=x" }, nil, nil, "NAME=PLUGIN"},
		{"plugins twice", func(o *runOptions) { o.cluster.context, o.asked.Plugins = "a=calico", []string{"calico"} }, nil, nil, "leave out --plugins"},
		{"to install", func(o *runOptions) { o.asked.Install = []string{"flannel", "flannel-host-gw"} }, []contextOf{{"", ""}},
			[]string{"flannel-vxlan", "flannel-host-gw"}, ""},
		{"to install by a glob", func(o *runOptions) { o.asked.Install = []string{"flannel-vxlan*"} }, []contextOf{{"", ""}},
			[]string{"flannel-vxlan", "flannel-vxlan-directrouting"}, ""},
		{"to install what cannot be", func(o *runOptions) { o.asked.Install = []string{"terway-eni"} }, nil, nil, "only modes of flannel"},
		{"to install the host", func(o *runOptions) { o.asked.Install = []string{"host"} }, nil, nil, "only modes of flannel"},
		{"to install on two", func(o *runOptions) { o.asked.Install, o.cluster.context = []string{"flannel"}, "a,b" }, nil, nil, "for one cluster"},
		{"to install without rights", func(o *runOptions) { o.asked.Install, o.cluster.unprivileged = []string{"flannel"}, true }, nil, nil, "--unprivileged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := runOptions{asked: scenarios.Defaults()}
			tt.change(&o)
			p := &program{catalogue: catalogue.All()}
			contexts, err := p.clusterAsked(&o)
			if (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Fatalf("%v", err)
			}
			if err == nil && (!slices.Equal(contexts, tt.contexts) || !slices.Equal(o.asked.Plugins, tt.plugins)) {
				t.Errorf("%v, plugins %v", contexts, o.asked.Plugins)
			}
		})
	}
}
