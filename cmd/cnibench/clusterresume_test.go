package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/words"
)

// api starts an API server of a cluster with the given nodes that allows
// everything, and returns the kubeconfig file for it.
func api(t *testing.T, uid string, nodes ...string) string {
	t.Helper()
	return kubeconfig(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
			io.WriteString(w, `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`)
		case r.Method != http.MethodGet:
			t.Errorf("%s %s: something was to be changed", r.Method, r.URL)
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/api/v1/nodes":
			var items []string
			for _, n := range nodes {
				items = append(items, fmt.Sprintf(`{"metadata":{"name":%q},"status":{"conditions":[{"type":"Ready","status":"True"}]}}`, n))
			}
			fmt.Fprintf(w, `{"kind":"NodeList","apiVersion":"v1","items":[%s]}`, strings.Join(items, ","))
		case r.URL.Path == "/api/v1/namespaces/kube-system":
			fmt.Fprintf(w, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":%q}}`, uid)
		default:
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
		}
	})
}

// kubeconfig starts an API server and returns the kubeconfig file for it.
func kubeconfig(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return writeFile(t, "kubeconfig", fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x","contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
"clusters":[{"name":"x","cluster":{"server":%q}}],"users":[{"name":"x","user":{}}]}`, server.URL))
}

// interruptedRun returns the directory of an interrupted run on a cluster.
func interruptedRun(t *testing.T, change func(*results.Run)) string {
	t.Helper()
	a := scenarios.Defaults()
	a.Plugins, a.Testbed, a.Kernel, a.Topology, a.Wire = []string{results.HostPlugin, "calico-bgp"}, "cluster", "", []string{testbed.ClusterTopology, results.SameNode}, []string{results.WireNone}
	a.Probes = []string{"tcp-rr"}
	run := results.Run{ID: "x", Asked: a, Clusters: []results.Cluster{{UID: "1", Nodes: []results.ClusterNode{{Name: "a"}, {Name: "b"}}}}}
	change(&run)
	dir := t.TempDir()
	journal, err := results.Create(dir, run)
	if err == nil {
		err = journal.Append(results.Record{Event: &results.Event{Name: results.EventStopped}})
	}
	if err == nil {
		err = journal.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestResumeOnAClusterIsRefused checks that a run that cannot be resumed is refused
// in one sentence before anything is written, to the record or to the cluster.
func TestResumeOnAClusterIsRefused(t *testing.T) {
	same := func(*results.Run) {}
	for _, tt := range []struct {
		name   string
		change func(*results.Run)
		api    string
		says   string
	}{
		{"another cluster", same, api(t, "2", "a", "b"), "this is not the cluster that was measured"},
		{"a node that is gone", same, api(t, "1", "a", "c"), "the node b cannot be measured: it is no longer in the cluster"},
		{"another plugin", same, api(t, "1", "a", "b"), "the cluster's plugin is not the one that was measured"},
		{"a cluster that cannot be told", func(r *results.Run) { r.Clusters[0].UID = "" }, api(t, "1", "a", "b"), "cannot tell whether this is the cluster"},
		{"a record from before clusters were named", func(r *results.Run) { r.Clusters = nil }, api(t, "1", "a", "b"), "does not name the cluster"},
		{"plugins that are installed", func(r *results.Run) { r.Asked.Install = []string{"flannel-vxlan"} }, api(t, "1", "a", "b"), "cannot be resumed: start it again"},
		{"several clusters", func(r *results.Run) { r.Asked.Contexts = []string{"a=calico", "b=flannel-vxlan"} }, api(t, "1", "a", "b"), "cannot be resumed: start it again"},
		{"a run in the lab", func(r *results.Run) { r.Asked.Testbed, r.Asked.Topology = "lab", []string{"l2"} }, api(t, "1", "a", "b"), "was not measured on a cluster"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := interruptedRun(t, tt.change)
			before, err := os.ReadFile(filepath.Join(dir, results.JournalFile))
			if err != nil {
				t.Fatal(err)
			}
			code, out, log := runProgram(t, "run", "--resume", dir, "--kubeconfig", tt.api)
			after, err := os.ReadFile(filepath.Join(dir, results.JournalFile))
			if code != exitUsage || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, tt.says) || err != nil || string(after) != string(before) {
				t.Errorf("exit %d, %q, %q; the journal is %s", code, out, log, after)
			}
		})
	}
}

// TestSamePlugin compares what a cluster says now with a record.
func TestSamePlugin(t *testing.T) {
	said := words.Quote("the nodes say something")
	detected := results.Record{Event: &results.Event{Name: results.EventDetected, Text: words.Detected.With(said)}}
	for _, tt := range []struct {
		name    string
		was     *results.ClusterPlugin // nil in an old record
		plugins []string
		records []results.Record
		found   detect.Found
		same    bool
	}{
		{"the same name, said otherwise", &results.ClusterPlugin{Name: "cilium-native", Text: words.Quote("before")}, []string{"host", "cilium-native"}, nil, detect.Found{Plugin: "cilium-native", Words: said}, true},
		{"another name", &results.ClusterPlugin{Name: "flannel-vxlan"}, []string{"host", "flannel-vxlan"}, nil, detect.Found{Plugin: "cilium-native"}, false},
		{"unknown, of which the same is said", &results.ClusterPlugin{Name: "unknown", Text: said}, []string{"host", "unknown"}, nil, detect.Found{Words: said}, true},
		{"unknown, of which something else is said", &results.ClusterPlugin{Name: "unknown", Text: said}, []string{"host", "unknown"}, nil, detect.Found{Words: words.Quote("another thing")}, false},
		{"named by the user, and the cluster says the same as then", &results.ClusterPlugin{Name: "unknown", Text: said}, []string{"host", "calico-bgp"}, nil, detect.Found{Words: said}, true},
		{"an old record, the same", nil, []string{"host", "calico-bgp"}, nil, detect.Found{Plugin: "calico-bgp"}, true},
		{"an old record, another", nil, []string{"host", "calico-bgp"}, nil, detect.Found{Plugin: "flannel-vxlan"}, false},
		{"an old record of an unknown one", nil, []string{"host", "unknown"}, []results.Record{detected}, detect.Found{Words: said}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recorded := &results.Recorded{Records: tt.records}
			recorded.Run.Clusters, recorded.Run.Asked.Plugins = []results.Cluster{{Plugin: tt.was}}, tt.plugins
			if got := samePlugin(recorded, tt.found); got != tt.same {
				t.Error(got)
			}
		})
	}
}

// TestClusterKeepsItsNetwork checks that options that apply only to the lab are
// rejected wherever they are set.
func TestClusterKeepsItsNetwork(t *testing.T) {
	spec := func(text string) string { return writeFile(t, "spec.yaml", text) }
	const thresholds = "\nthresholds:\n- {metric: tcp-rr p50, at_most: 1 s}\n"
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"a flag", []string{"run", "--testbed", "cluster", "--topology", "l2"}, "--topology is for the lab"},
		{"a spec", []string{"run", "-f", spec("testbed: cluster\ntopology: [l2]\n")}, "topology in "},
		{"a spec that a flag takes to a cluster", []string{"run", "--context", "x", "-f", spec("wire: [1gbit]\n")}, "wire in "},
		{"an acceptance test", []string{"accept", "-f", spec("run: {testbed: cluster, topology: [l2]}" + thresholds)}, "topology in "},
		{"an acceptance test that a flag takes to a cluster", []string{"accept", "--context", "x", "-f", spec("run: {plugins: [calico], mtu: 1400}" + thresholds)}, "mtu in "},
		{"an acceptance test on a cluster", []string{"accept", "-f", spec("run: {testbed: cluster, kubeconfig: /nonexistent}" + thresholds)}, "finding the cluster's credentials"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir()) // where a run would be stored
			code, out, log := runProgram(t, tt.args...)
			if code != exitUsage || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, tt.says) {
				t.Errorf("exit %d, %q, %q", code, out, log)
			}
		})
	}
}

// TestRecordOfACluster checks that the record keeps everything that resuming a run
// needs, and no secret.
func TestRecordOfACluster(t *testing.T) {
	c := clusterFlags{kubeconfig: "config", namespace: "mine", image: "us:1", unprivileged: true, pullSecret: "hidden", outside: "ticket"}
	a := scenarios.Defaults()
	if err := c.over(&a); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(a)
	if err != nil || !filepath.IsAbs(a.Kubeconfig) || a.Namespace != "mine" || a.Image != "us:1" || !a.Unprivileged {
		t.Errorf("%s, %v", text, err)
	}
	if strings.Contains(string(text), "hidden") || strings.Contains(string(text), "ticket") {
		t.Errorf("the record holds a secret: %s", text)
	}
	again := clusterFlags{}
	if err := again.over(&a); err != nil || again.namespace != "mine" || again.image != "us:1" || !again.unprivileged || again.kubeconfig != a.Kubeconfig {
		t.Errorf("%+v, %v", again, err)
	}
}
