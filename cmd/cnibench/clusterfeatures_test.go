package main

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
)

// TestEveryProbeHasItsRole checks that a documented role grants what probes create on a
// cluster.
func TestEveryProbeHasItsRole(t *testing.T) {
	for _, p := range catalogue.All() {
		if _, ok := kube.Creating(p.Creates); !ok && p.Creates != "" {
			t.Errorf("%s creates %s, which no role grants", p.Name, p.Creates)
		}
	}
}

// denying starts an API server that denies its user to create objects of a resource,
// and returns the kubeconfig file for it.
func denying(t *testing.T, resource string) string {
	return kubeconfig(t, func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		answer := `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`
		if bytes.Contains(asked, []byte(resource)) {
			answer = strings.Replace(answer, "true", "false", 1)
		}
		io.WriteString(w, answer)
	})
}

// TestNamedProbeWithoutPermission checks that a probe that the user names is refused if
// its permission is missing.
func TestNamedProbeWithoutPermission(t *testing.T) {
	code, _, log := runProgram(t, "run", "--kubeconfig", denying(t, "services"), "--probes", "service")
	if code != exitUsage || !strings.Contains(log, "create services") || !strings.Contains(log, "role-service.yaml") {
		t.Errorf("exit %d, %q", code, log)
	}
}

// TestSuiteWithoutPermission checks that a probe of the standard suite is left out if
// its permission is missing, and that this is said once.
func TestSuiteWithoutPermission(t *testing.T) {
	for _, tt := range []struct {
		name, denied string
		left         []string
	}{
		{"denied", "services", []string{"tcp-rr"}},
		{"allowed", "nothing", []string{"tcp-rr", "service"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bed, err := cluster.New(t.Context(), cluster.Config{Kubeconfig: denying(t, tt.denied)})
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			o := &runOptions{asked: results.Asked{Probes: []string{"tcp-rr", "service"}}}
			r := clusterRun{p: &program{stderr: &log}, o: o, beds: []*cluster.Cluster{bed, bed}}
			if err := r.leaveOut(t.Context()); err != nil {
				t.Fatal(err)
			}
			said := strings.Count(log.String(), "role-service.yaml")
			if !slices.Equal(o.asked.Probes, tt.left) || said != len(o.detected) || said != 2-len(tt.left) {
				t.Errorf("probes %v, events %v, %q", o.asked.Probes, o.detected, &log)
			}
		})
	}
}
