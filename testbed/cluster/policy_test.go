package cluster

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	networking "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubetesting "k8s.io/client-go/testing"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
)

// policyNetwork returns a network of two pods in a user's namespace.
func policyNetwork(client *kube.Client) (n *network, from, to probes.End) {
	c := newCluster(client, Config{Namespace: "theirs"})
	c.Record("R1", "")
	c.space.Name = "theirs"
	n = &network{cluster: c}
	n.ends[0].pod = &pod{name: "cnibench-r1-pod-1", addr: netip.MustParseAddr("10.0.1.2")}
	n.ends[1].pod = &pod{name: "cnibench-r1-pod-2", addr: netip.MustParseAddr("10.0.2.2")}
	return n, probes.End{Addr: n.ends[0].pod.addr}, probes.End{Addr: n.ends[1].pod.addr}
}

// TestDenySelectsOnePodOfTheRun checks which pod each rule isolates, in which
// direction, and that the rule has the run's label and goes.
func TestDenySelectsOnePodOfTheRun(t *testing.T) {
	policies := networking.SchemeGroupVersion.WithResource("networkpolicies")
	for _, tt := range []struct {
		at   results.PolicyDirection
		pod  string
		kind networking.PolicyType
	}{
		{results.PolicyIngress, "cnibench-r1-pod-2", networking.PolicyTypeIngress},
		{results.PolicyEgress, "cnibench-r1-pod-1", networking.PolicyTypeEgress},
	} {
		t.Run(string(tt.at), func(t *testing.T) {
			client, _ := kubetest.Client()
			client.Dynamic = kubetest.Unstructured()
			n, from, to := policyNetwork(client)
			lift, err := n.deny(t.Context(), tt.at, from, to)
			if err != nil {
				t.Fatal(err)
			}
			list, err := client.Dynamic.Resource(policies).Namespace("theirs").List(t.Context(), metav1.ListOptions{LabelSelector: n.cluster.space.Selector()})
			if err != nil || len(list.Items) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			var made networking.NetworkPolicy
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[0].Object, &made); err != nil {
				t.Fatal(err)
			}
			selects := made.Spec.PodSelector.MatchLabels
			if len(selects) != 2 || selects[kube.RunLabel] != "r1" || selects[podLabel] != tt.pod ||
				len(made.Spec.PolicyTypes) != 1 || made.Spec.PolicyTypes[0] != tt.kind || made.Spec.Ingress != nil || made.Spec.Egress != nil {
				t.Errorf("%+v", made.Spec)
			}
			if made.Labels[kube.OwnerLabel] != kube.OwnerName {
				t.Errorf("labels %v", made.Labels)
			}
			if err := lift(t.Context()); err != nil {
				t.Fatal(err)
			}
			if list, err = client.Dynamic.Resource(policies).Namespace("theirs").List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) > 0 {
				t.Errorf("left: %v, %v", list.Items, err)
			}
		})
	}
}

// TestDenyIsNotAllowed checks that a refused rule is neither a failure nor a finding,
// and that no other error is taken for that.
func TestDenyIsNotAllowed(t *testing.T) {
	of := networking.Resource("networkpolicies")
	for _, tt := range []struct {
		name   string
		err    error
		absent bool
	}{
		{"forbidden", apierrors.NewForbidden(of, "p", errors.New("User cannot create resource")), true},
		{"no answer", errors.New("connection refused"), false},
		{"one stands already", apierrors.NewAlreadyExists(of, "p"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := kubetest.Client()
			dynamic := kubetest.Unstructured()
			dynamic.PrependReactor("create", "networkpolicies", func(kubetesting.Action) (bool, runtime.Object, error) { return true, nil, tt.err })
			client.Dynamic = dynamic
			n, from, to := policyNetwork(client)
			_, err := n.deny(t.Context(), results.PolicyIngress, from, to)
			var absent *probes.NotHereError
			if err == nil || errors.As(err, &absent) != tt.absent {
				t.Fatalf("%v", err)
			}
			if tt.absent && (!strings.Contains(err.Error(), "role-policy.yaml") || !strings.Contains(err.Error(), "User cannot create resource")) {
				t.Errorf("%v", err)
			}
		})
	}
}
