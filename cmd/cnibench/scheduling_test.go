package main

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster"
)

func TestToleration(t *testing.T) {
	for _, tt := range []struct {
		text string
		want core.Toleration
		err  string
	}{
		{"gpu", core.Toleration{Key: "gpu", Operator: core.TolerationOpExists}, ""},
		{"gpu:NoSchedule", core.Toleration{Key: "gpu", Operator: core.TolerationOpExists, Effect: core.TaintEffectNoSchedule}, ""},
		{"gpu=a:NoExecute", core.Toleration{Key: "gpu", Value: "a", Operator: core.TolerationOpEqual, Effect: core.TaintEffectNoExecute}, ""},
		{"gpu=", core.Toleration{Key: "gpu", Operator: core.TolerationOpEqual}, ""},
		{":NoSchedule", core.Toleration{}, "has no key"},
		{"gpu:Never", core.Toleration{}, "no effect"},
	} {
		got, err := toleration(tt.text)
		if tt.err == "" && (err != nil || got != tt.want) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %+v, %v", tt.text, got, err)
		}
	}
}

func TestRequests(t *testing.T) {
	var c cluster.Config
	if err := place(&c, &results.Asked{Requests: map[string]string{"cpu": "200m", "memory": "48Mi"}}); err != nil || c.Requests.Cpu().MilliValue() != 200 || c.Requests.Memory().Value() != 48<<20 {
		t.Errorf("%v, %v", c.Requests, err)
	}
	if err := place(&c, &results.Asked{Requests: map[string]string{"cpu": "much"}}); err == nil || !strings.Contains(err.Error(), "--requests cpu=much") {
		t.Errorf("%v", err)
	}
}

// TestKubectlPlugin checks that the program uses its kubectl name and targets a cluster when run
// as a kubectl plugin.
func TestKubectlPlugin(t *testing.T) {
	var out, log strings.Builder
	p := &program{kubectl: true, stdin: strings.NewReader(""), stdout: &out, stderr: &log}
	if code := p.run(t.Context(), []string{"run", "--help"}); code != 0 || !strings.Contains(out.String(), "kubectl cnibench run --plugins NAMES") {
		t.Errorf("exit %d: %s", code, out.String())
	}
	t.Setenv("KUBECONFIG", "/nonexistent")
	if code := p.run(t.Context(), []string{"run", "--dry-run"}); code != exitUsage || !strings.Contains(log.String(), "finding the cluster's credentials") {
		t.Errorf("exit %d: %s", code, log.String())
	}
}
