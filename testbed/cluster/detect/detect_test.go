package detect

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kubetesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
)

// clusterCase is a cluster in testdata, and what is right to say about it.
type clusterCase struct {
	Case     string           `json:"case"`
	Deny     []string         `json:"deny"`     // resources that may not be read
	Objects  []map[string]any `json:"objects"`  // nodes, ConfigMaps and others; without nodes there is one that says nothing
	Plugin   string           `json:"plugin"`   // "" if it cannot be determined
	Says     []string         `json:"says"`     // parts of the sentence
	Unsaid   []string         `json:"unsaid"`   // what it must not say
	Wire     string           `json:"wire"`     // kind, port and bytes for an IPv4 pod on an IPv4 node; "" if the catalogue's hold
	Wire6    string           `json:"wire6"`    // the same for an IPv6 pod
	VNI      int              `json:"vni"`      // 0: any
	Findings []string         `json:"findings"` // their names
	Proxy    string           `json:"proxy"`

	watch func(kubetesting.Action) // is told every request; nil for none
}

// casesIn returns the clusters of all files in testdata, by file.
func casesIn(t *testing.T) map[string][]clusterCase {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	all := map[string][]clusterCase{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []clusterCase
		if err := yaml.UnmarshalStrict(text, &cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".yaml")] = cases
	}
	return all
}

// find detects the plugin of the case's cluster.
func (c clusterCase) find(t *testing.T) Found {
	t.Helper()
	var nodes []core.Node
	var typed, others []runtime.Object
	for _, o := range c.Objects {
		switch object := (unstructured.Unstructured{Object: o}); object.GetKind() {
		case "Node":
			var n core.Node
			convert(t, o, &n)
			nodes = append(nodes, n)
		case "ConfigMap":
			m := new(core.ConfigMap)
			convert(t, o, m)
			typed = append(typed, m)
		default:
			others = append(others, &object)
		}
	}
	if len(nodes) == 0 {
		nodes = []core.Node{kubetest.Node("a")}
	}
	client, set := kubetest.Client(typed...)
	dynamic := kubetest.Unstructured(others...)
	client.Dynamic = dynamic
	if c.watch != nil {
		told := func(a kubetesting.Action) (bool, runtime.Object, error) {
			c.watch(a)
			return false, nil, nil
		}
		set.PrependReactor("*", "*", told)
		dynamic.PrependReactor("*", "*", told)
	}
	for _, resource := range c.Deny {
		deny := func(a kubetesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(a.GetResource().GroupResource(), "", nil)
		}
		set.PrependReactor("*", resource, deny)
		dynamic.PrependReactor("*", resource, deny)
	}
	return Plugin(t.Context(), client, nodes)
}

func convert(t *testing.T, from map[string]any, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(from, into); err != nil {
		t.Fatal(err)
	}
}

// otherNames are ConfigMaps in the test data that have names of a cluster's own, which
// the role cannot know.
var otherNames = []string{"flannel-config", "antrea-config-822fk25299"}

// TestReadsWhatTheRoleGrants checks that detection reads nothing that role-detect.yaml
// does not grant, in whatever cluster.
func TestReadsWhatTheRoleGrants(t *testing.T) {
	text, err := os.ReadFile("../../../manifests/cluster/role-detect.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbac.ClusterRole
	if err := yaml.UnmarshalStrict(text, &role); err != nil {
		t.Fatal(err)
	}
	granted := func(a kubetesting.Action) bool {
		return slices.ContainsFunc(role.Rules, func(r rbac.PolicyRule) bool {
			get, is := a.(kubetesting.GetAction)
			if is && slices.Contains(otherNames, get.GetName()) {
				return true
			}
			return slices.Contains(r.Verbs, a.GetVerb()) && slices.Contains(r.APIGroups, a.GetResource().Group) && slices.Contains(r.Resources, a.GetResource().Resource) &&
				(len(r.ResourceNames) == 0 || is && slices.Contains(r.ResourceNames, get.GetName()))
		})
	}
	for file, cases := range casesIn(t) {
		for _, c := range cases {
			c.watch = func(a kubetesting.Action) {
				if !granted(a) {
					t.Errorf("%s/%s: %s %s is not granted", file, c.Case, a.GetVerb(), a.GetResource())
				}
			}
			c.find(t)
		}
	}
}

// TestClusters detects the plugin of every cluster in testdata.
func TestClusters(t *testing.T) {
	for file, cases := range casesIn(t) {
		for _, c := range cases {
			t.Run(file+"/"+c.Case, func(t *testing.T) {
				got := c.find(t)
				said := got.Words.String()
				t.Logf("%s: %s", nameOf(got.Plugin, "unknown"), said)
				if got.Plugin != c.Plugin {
					t.Errorf("the plugin is %q, want %q", got.Plugin, c.Plugin)
				}
				for _, part := range c.Says {
					if !strings.Contains(said, part) {
						t.Errorf("it does not say %q", part)
					}
				}
				for _, part := range c.Unsaid {
					if strings.Contains(said, part) {
						t.Errorf("it says %q", part)
					}
				}
				c.checkSettings(t, got)
			})
		}
	}
}

func (c clusterCase) checkSettings(t *testing.T, got Found) {
	t.Helper()
	four, six := netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("fd00::1")
	if wire := wireOf(got, four, four); wire != c.Wire {
		t.Errorf("the wire is %q, want %q", wire, c.Wire)
	}
	if wire := wireOf(got, six, four); c.Wire6 != "" && wire != c.Wire6 {
		t.Errorf("the wire of IPv6 is %q, want %q", wire, c.Wire6)
	}
	if c.VNI != 0 && got.Settings.VNI != c.VNI {
		t.Errorf("VNI %d, want %d", got.Settings.VNI, c.VNI)
	}
	var names []string
	for _, f := range got.Findings {
		names = append(names, f.Name)
	}
	if !slices.Equal(names, c.Findings) {
		t.Errorf("findings %v, want %v", got.Findings, c.Findings)
	}
	if got.Proxy != c.Proxy {
		t.Errorf("kube-proxy is replaced by %q, want %q", got.Proxy, c.Proxy)
	}
}

// wireOf writes the settings as in [clusterCase.Wire].
func wireOf(f Found, pod, node netip.Addr) string {
	if f.Settings == nil {
		return ""
	}
	c := f.Settings.Configured(pod, node)
	text := c.Encapsulation
	if c.Port > 0 || c.OverheadBytes > 0 {
		text = fmt.Sprintf("%s %d %d", c.Encapsulation, c.Port, c.OverheadBytes)
	}
	if c.SubnetsOnly {
		text += " between subnets"
	}
	return text
}
