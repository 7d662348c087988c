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
		{"a name with =", func(o *runOptions) { o.cluster.context = "env=prod" }, []contextOf{{"env=prod", ""}}, nil, ""},
		{"a name with =, and its plugin", func(o *runOptions) { o.cluster.context = "env=prod=calico,b=flannel" },
			[]contextOf{{"env=prod", "calico"}, {"b", "flannel"}}, nil, ""},
		{"a name with = and a comma, in quotes", func(o *runOptions) { o.cluster.context = `"me=dev,eu"` }, []contextOf{{"me=dev,eu", ""}}, nil, ""},
		{"such names with their plugins", func(o *runOptions) { o.cluster.context = `"me=dev,eu"=calico,"x ""y"""=flannel` },
			[]contextOf{{"me=dev,eu", "calico"}, {`x "y"`, "flannel"}}, nil, ""},
		{"a name that ends like a plugin, in quotes", func(o *runOptions) { o.cluster.context = `"a=calico"` }, []contextOf{{"a=calico", ""}}, nil, ""},
		{"a list of a spec file with a comma in a name", func(o *runOptions) { o.asked.Contexts = []string{"me,eu=calico", `"x=calico"=flannel`} },
			[]contextOf{{"me,eu", "calico"}, {"x=calico", "flannel"}}, nil, ""},
		{"a quote that is not closed", func(o *runOptions) { o.cluster.context = `"a,b=calico` }, nil, nil, "NAME=PLUGIN"},
		{"no plugin after =", func(o *runOptions) { o.cluster.context = `"a"=` }, nil, nil, "NAME=PLUGIN"},
		{"something after a quote", func(o *runOptions) { o.cluster.context = `"a"b` }, nil, nil, "NAME=PLUGIN"},
		{"an empty name in quotes", func(o *runOptions) { o.cluster.context = `""=calico` }, nil, nil, "NAME=PLUGIN"},
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
			contexts, err := clusterAsked(p.catalogue, &o)
			if (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Fatalf("%v", err)
			}
			if err == nil && (!slices.Equal(contexts, tt.contexts) || !slices.Equal(o.asked.Plugins, tt.plugins)) {
				t.Errorf("%v, plugins %v", contexts, o.asked.Plugins)
			}
		})
	}
}

// TestContextsAreReadAsWritten checks that contexts in a record are read as they were written.
func TestContextsAreReadAsWritten(t *testing.T) {
	p := &program{catalogue: catalogue.All()}
	for _, name := range []string{"a", "env=prod", "a=calico", "me=dev,eu", `"`, `a"",="b`, "arn:aws:eks:eu-west-1:1:cluster/x"} {
		for _, plugin := range []string{"calico", "flannel-vxlan", unknownPlugin, ""} {
			c := contextOf{name, plugin}
			both, err := parseContexts(p.catalogue, c.String()+","+c.String())
			if err != nil || !slices.Equal(both, []contextOf{c, c}) {
				t.Errorf("%s is read as %v, %v", c, both, err)
			}
		}
	}
}
