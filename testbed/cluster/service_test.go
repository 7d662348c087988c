package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubetesting "k8s.io/client-go/testing"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/testbed/cluster/install"
	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
)

// TestServicesGoWithTheirPods installs two plugins in turn, whose pods have the
// same names. With each it asks for the Services of a plugin's pod and of a pod in
// the nodes' network, which is brought up again beside the second plugin.
func TestServicesGoWithTheirPods(t *testing.T) {
	client, set := kubetest.Client()
	kubetest.Serve(set)
	set.PrependReactor("create", "services", func(a kubetesting.Action) (bool, runtime.Object, error) {
		spec := &a.(kubetesting.CreateAction).GetObject().(*core.Service).Spec
		if spec.ClusterIP == "" {
			spec.ClusterIP = "10.96.0.7"
		}
		if spec.Type == core.ServiceTypeNodePort {
			spec.Ports[0].NodePort = 30007
		}
		return false, nil, nil // the tracker keeps it
	})
	c := newCluster(client, Config{Install: &install.Options{}})
	c.Record("R", "")
	c.space.Name = "x"
	ask := func(name string, kind probes.ServiceKind) *probes.Service {
		t.Helper()
		n := &network{cluster: c}
		n.ends[1].pod = &pod{name: name}
		s, err := n.Service(t.Context(), kind)
		if err != nil {
			t.Fatalf("the %s Service of %s: %v", kind, name, err)
		}
		return s
	}
	seen := map[string]bool{}
	for _, plugin := range []string{"flannel-vxlan", "flannel-host-gw"} {
		c.installed = plugin
		for _, name := range []string{"pod-2", "host-2"} {
			for _, kind := range []probes.ServiceKind{probes.ClusterIP, probes.NodePort, probes.Headless} {
				first := ask(name, kind)
				if seen[first.Name] {
					t.Errorf("%s: %s of %s had the name %s before, which DNS may remember", plugin, kind, name, first.Name)
				}
				seen[first.Name] = true
				if again := ask(name, kind); again != first {
					t.Errorf("%s: another network with the pod %s has a %s Service of its own", plugin, name, kind)
				}
				want := map[probes.ServiceKind]string{probes.ClusterIP: "10.96.0.7:20049 0", probes.NodePort: "10.96.0.7:20050 30007", probes.Headless: "invalid AddrPort 0"}[kind]
				if got := fmt.Sprint(first.Addr, " ", first.NodePort); got != want || first.Namespace != "x" {
					t.Errorf("%s: %s in %s, want %s", kind, got, first.Namespace, want)
				}
			}
		}
		if err := c.uninstall(); err != nil {
			t.Fatal(err)
		}
		left, err := client.CoreV1().Services("x").List(t.Context(), metav1.ListOptions{})
		if err != nil || len(left.Items) > 0 {
			t.Errorf("%s left %v, %v", plugin, left.Items, err)
		}
	}
}

// TestServiceIsRefused checks that a quota is not a failure of the plugin.
func TestServiceIsRefused(t *testing.T) {
	client, set := kubetest.Client()
	set.PrependReactor("create", "services", func(kubetesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(core.Resource("services"), "x", errors.New("exceeded quota: q, requested: services.nodeports=1"))
	})
	n := &network{cluster: newCluster(client, Config{})}
	n.ends[1].pod = &pod{name: "pod-2"}
	_, err := n.Service(t.Context(), probes.NodePort)
	var absent *probes.NotHereError
	if !errors.As(err, &absent) || !strings.Contains(err.Error(), "exceeded quota") {
		t.Errorf("%v", err)
	}
}
