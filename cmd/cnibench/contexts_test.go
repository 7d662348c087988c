package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/testbed/cluster/install"
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
		{"to install what cannot be", func(o *runOptions) { o.asked.Install = []string{"terway-eni"} }, nil, nil, "only modes of flannel and Calico"},
		{"to install the host", func(o *runOptions) { o.asked.Install = []string{"host"} }, nil, nil, "only modes of flannel and Calico"},
		{"to install what is not in the catalogue", func(o *runOptions) { o.asked.Install = []string{"cillium"} }, nil, nil, "as NAME=DIR"},
		{"to install by manifests, too", func(o *runOptions) { o.asked.Install = []string{"calico-bgp", "mine=testdata/own", "flannel"} }, []contextOf{{"", ""}},
			[]string{"calico-bgp", "mine", "flannel-vxlan"}, ""},
		{"to install a mode of the catalogue by manifests", func(o *runOptions) { o.asked.Install = []string{"calico=testdata/own"} }, []contextOf{{"", ""}},
			[]string{"calico-bgp"}, ""},
		{"to install it twice", func(o *runOptions) { o.asked.Install = []string{"calico=testdata/own", "calico-bgp"} }, nil, nil, "calico-bgp twice"},
		{"to install it twice, the other way", func(o *runOptions) { o.asked.Install = []string{"calico-bgp", "calico=testdata/own"} }, nil, nil, "calico-bgp twice"},
		{"manifests that are not there", func(o *runOptions) { o.asked.Install = []string{"mine=testdata/none"} }, nil, nil, "testdata/none"},
		{"manifests under no plain name", func(o *runOptions) { o.asked.Install = []string{"My Own=testdata/own"} }, nil, nil, "no plain name"},
		{"manifests under the baseline's name", func(o *runOptions) { o.asked.Install = []string{"host=testdata/own"} }, nil, nil, "something else"},
		{"a condition without manifests", func(o *runOptions) {
			o.asked.Install, o.cluster.install.waitFor = []string{"flannel"}, []string{"deployment/a/b=Available"}
		}, nil, nil, "your own manifests"},
		{"no condition", func(o *runOptions) {
			o.asked.Install, o.cluster.install.waitFor = []string{"mine=testdata/own"}, []string{"deployment"}
		}, nil, nil, "is no condition"},
		{"no time", func(o *runOptions) { o.asked.Install, o.cluster.install.Within = []string{"flannel"}, 0 }, nil, nil, "too short"},
		{"to install on two", func(o *runOptions) { o.asked.Install, o.cluster.context = []string{"flannel"}, "a,b" }, nil, nil, "one cluster only"},
		{"to install without rights", func(o *runOptions) { o.asked.Install, o.cluster.unprivileged = []string{"flannel"}, true }, nil, nil, "--unprivileged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := runOptions{asked: scenarios.Defaults()}
			o.cluster.install.Within = install.DefaultWithin
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

// TestContextsAreReadAsWritten checks that contexts are read from a record as they
// were written to it.
func TestContextsAreReadAsWritten(t *testing.T) {
	p := &program{catalogue: catalogue.All()}
	for _, name := range []string{"a", "env=prod", "a=calico", "me=dev,eu", `"`, `a"",="b`, "arn:aws:eks:eu-west-1:1:cluster/x"} {
		for _, plugin := range []string{"calico", "flannel-vxlan", detect.Unknown, ""} {
			c := contextOf{name, plugin}
			both, err := parseContexts(p.catalogue, c.String()+","+c.String())
			if err != nil || !slices.Equal(both, []contextOf{c, c}) {
				t.Errorf("%s is read as %v, %v", c, both, err)
			}
		}
	}
}
