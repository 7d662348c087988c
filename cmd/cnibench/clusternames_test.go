package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// detectCase is a cluster in the test data of package detect.
type detectCase struct {
	Case    string           `json:"case"`
	Deny    []string         `json:"deny"`
	Objects []map[string]any `json:"objects"`
	Plugin  string           `json:"plugin"`
	Says    []string         `json:"says"`
}

func detectCases(t *testing.T, files ...string) map[string]detectCase {
	t.Helper()
	all := map[string]detectCase{}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join("..", "..", "testbed", "cluster", "detect", "testdata", file+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var cases []detectCase
		if err := yaml.Unmarshal(text, &cases); err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			all[file+": "+c.Case] = c
		}
	}
	return all
}

// serve answers as the API server of the case's cluster, which has two nodes at least,
// and fails the test if something is to be changed.
func (c detectCase) serve(t *testing.T) *httptest.Server {
	t.Helper()
	lists := map[string][]map[string]any{}
	for _, o := range c.Objects {
		kind := strings.ToLower(o["kind"].(string)) + "s"
		lists[kind] = append(lists[kind], ready(kind, o))
	}
	for i := len(lists["nodes"]); i < 2; i++ {
		n := map[string]any{"metadata": map[string]any{"name": fmt.Sprintf("extra-%d", i)}}
		if i > 0 { // like the other one
			first := lists["nodes"][0]
			n = map[string]any{"metadata": map[string]any{"name": "extra", "labels": field(first, "metadata", "labels"), "annotations": field(first, "metadata", "annotations")},
				"spec": first["spec"], "status": first["status"]}
		}
		lists["nodes"] = append(lists["nodes"], ready("nodes", n))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
		switch {
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
			answer(w, http.StatusCreated, map[string]any{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": map[string]any{"allowed": true}})
		case r.Method != http.MethodGet:
			t.Errorf("%s %s: something was to be changed", r.Method, r.URL)
			w.WriteHeader(http.StatusForbidden)
		case slices.ContainsFunc(c.Deny, func(d string) bool { return slices.Contains(parts, d) }):
			status(w, http.StatusForbidden, "Forbidden")
		default:
			c.get(w, lists, parts)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

var listKinds = map[string]string{"nodes": "NodeList", "daemonsets": "DaemonSetList", "ippools": "IPPoolList"}

// get answers a request for a list or for an object.
func (c detectCase) get(w http.ResponseWriter, lists map[string][]map[string]any, parts []string) {
	group := strings.Join(parts[1:min(len(parts), 3)], "/")
	if parts[0] == "api" {
		group = parts[1]
	}
	for kind, all := range lists {
		i := slices.Index(parts, kind)
		if i < 0 {
			continue
		}
		var found []map[string]any
		for _, o := range all {
			of, _ := o["apiVersion"].(string)
			if strings.Contains(of, "/") && of != group {
				continue
			}
			if i+1 < len(parts) {
				inPlace := parts[i-2] != "namespaces" || field(o, "metadata", "namespace") == parts[i-1]
				if inPlace && field(o, "metadata", "name") == parts[i+1] {
					answer(w, http.StatusOK, o)
					return
				}
				continue
			}
			found = append(found, o)
		}
		if i+1 == len(parts) && len(found) > 0 {
			answer(w, http.StatusOK, map[string]any{"kind": listKinds[kind], "apiVersion": group, "items": found})
			return
		}
	}
	status(w, http.StatusNotFound, "NotFound")
}

func answer(w http.ResponseWriter, code int, body any) {
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(body)
}

func status(w http.ResponseWriter, code int, reason string) {
	answer(w, code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code})
}

func field(o map[string]any, path ...string) any {
	for _, p := range path[:len(path)-1] {
		o, _ = o[p].(map[string]any)
	}
	return o[path[len(path)-1]]
}

// ready makes nodes ready for pods.
func ready(kind string, o map[string]any) map[string]any {
	if kind == "nodes" {
		state, _ := o["status"].(map[string]any)
		if state == nil {
			state = map[string]any{}
		}
		state["conditions"] = []any{map[string]any{"type": "Ready", "status": "True"}}
		o["status"] = state
	}
	return o
}

// kubeconfigOf writes a kubeconfig file with a context for each server: a, b, ...
func kubeconfigOf(t *testing.T, servers ...*httptest.Server) string {
	t.Helper()
	config := map[string]any{"apiVersion": "v1", "kind": "Config", "current-context": "a", "users": []any{map[string]any{"name": "me", "user": map[string]any{}}}}
	var clusters, contexts []any
	for i, s := range servers {
		name := string(rune('a' + i))
		clusters = append(clusters, map[string]any{"name": name, "cluster": map[string]any{"server": s.URL}})
		contexts = append(contexts, map[string]any{"name": name, "context": map[string]any{"cluster": name, "user": "me"}})
	}
	config["clusters"], config["contexts"] = clusters, contexts
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "kubeconfig", string(text))
}

// TestNamesThePlugin plans a run on each cluster, which changes nothing there.
func TestNamesThePlugin(t *testing.T) {
	for name, c := range detectCases(t, "flannel", "calico", "cilium", "clouds", "others") {
		t.Run(name, func(t *testing.T) {
			code, out, log := runProgram(t, "run", "--kubeconfig", kubeconfigOf(t, c.serve(t)), "--dry-run", "--probes", "tcp-rr")
			want := c.Plugin
			if want == "" {
				want = "unknown"
			}
			if code != exitDone || !strings.Contains(out, "  "+want+" on cluster") || !strings.Contains(log, "the cluster's plugin: "+want+" (") {
				t.Errorf("exit %d, want %s: %s\n%s", code, want, log, out)
			}
			for _, part := range c.Says {
				if !strings.Contains(log, part) && !strings.Contains(part, "nothing") {
					t.Errorf("it does not say %q: %s", part, log)
				}
			}
		})
	}
}

// TestSeveralClusters names the plugins of two clusters so that they can be compared.
func TestSeveralClusters(t *testing.T) {
	all := detectCases(t, "others", "cilium", "calico", "flannel")
	unknown, native, pools, kubespray := all["others: nothing known"], all["cilium: in its own namespace"], all["calico: a pool for load balancers beside it"], all["flannel: Kubespray's port"]
	for _, tt := range []struct {
		name, context string
		a, b          detectCase
		plan          []string // names of plugins
	}{
		{"two that nobody knows", "a,b", unknown, unknown, []string{"unknown-1", "unknown-2"}},
		{"two of Cilium", "a,b", native, native, []string{"cilium-native-1", "cilium-native-2"}},
		{"one of Cilium, one of Calico", "a,b", native, pools, []string{"cilium-native", "calico-vxlan-crosssubnet"}},
		{"two of the catalogue", "a,b", kubespray, kubespray, []string{"flannel-vxlan-1", "flannel-vxlan-2"}},
		{"one that the user names", "a=calico-bgp,b", unknown, native, []string{"calico-bgp", "cilium-native"}},
		{"both by the same name", "a=calico-bgp,b=calico", unknown, unknown, []string{"calico-bgp-1", "calico-bgp-2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, log := runProgram(t, "run", "--kubeconfig", kubeconfigOf(t, tt.a.serve(t), tt.b.serve(t)), "--context", tt.context, "--dry-run", "--probes", "tcp-rr")
			for _, name := range tt.plan {
				if code != exitDone || !strings.Contains(out, "  "+name+" on cluster") {
					t.Errorf("exit %d, no %s: %s\n%s", code, name, log, out)
				}
			}
		})
	}
}

// TestDoctorOfACluster asks doctor about clusters.
func TestDoctorOfACluster(t *testing.T) {
	all := detectCases(t, "others", "flannel", "cilium")
	gone := all["others: nothing known"].serve(t)
	gone.Close()
	for _, tt := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"a known plugin", []string{"--kubeconfig", kubeconfigOf(t, all["flannel: Kubespray's port"].serve(t))}, exitDone,
			[]string{"ok  kubeconfig", "ok  role.yaml", "ok  role-detect.yaml", "ok  nodes", "2 can be measured", "plugin", "flannel-vxlan: "}},
		{"the user's namespace", []string{"--kubeconfig", kubeconfigOf(t, all["flannel: Kubespray's port"].serve(t)), "--namespace", "mine"}, exitDone, []string{"role-in-namespace.yaml"}},
		{"pods that travel by another NIC", []string{"--kubeconfig", kubeconfigOf(t, all["flannel: the other NIC"].serve(t))}, exitDone,
			[]string{"other-nic-than-baseline", "flannel's public-ip (10.20.0.11) on a is not the node's InternalIP (10.10.0.11)", "pods travel by another NIC than the baseline"}},
		{"an unknown plugin", []string{"--kubeconfig", kubeconfigOf(t, all["others: nothing known"].serve(t))}, exitDone, []string{"unknown: annotations of the nodes say nothing of a known plugin"}},
		{"no such context", []string{"--kubeconfig", kubeconfigOf(t, gone), "--context", "none"}, exitBroke, []string{"MISSING  kubeconfig", `context "none" does not exist`}},
		{"no such file", []string{"--kubeconfig", "/nonexistent"}, exitBroke, []string{"MISSING  kubeconfig", "/nonexistent"}},
		{"no server", []string{"--kubeconfig", kubeconfigOf(t, gone)}, exitBroke, []string{"MISSING  API server", "does not answer"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, log := runProgram(t, append([]string{"doctor"}, tt.args...)...)
			squeezed := strings.Join(strings.Fields(out), " ")
			for _, part := range tt.says {
				if code != tt.code || !strings.Contains(squeezed, strings.Join(strings.Fields(part), " ")) {
					t.Errorf("exit %d, no %q: %s%s", code, part, out, log)
				}
			}
		})
	}
}
