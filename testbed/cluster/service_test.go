package cluster

import (
	"testing"

	core "k8s.io/api/core/v1"
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
		a.(kubetesting.CreateAction).GetObject().(*core.Service).Spec.ClusterIP = "10.96.0.7"
		return false, nil, nil // the tracker keeps it
	})
	c := newCluster(client, Config{Install: &install.Options{}})
	c.Record("R", "")
	c.space.Name = "x"
	ask := func(name string) *probes.Service {
		t.Helper()
		n := &network{cluster: c}
		n.ends[1].pod = &pod{name: name}
		s, err := n.Service(t.Context())
		if err != nil || s.Addr.Addr().String() != "10.96.0.7" {
			t.Fatalf("the Service of %s: %v, %v", name, s, err)
		}
		return s
	}
	for _, plugin := range []string{"flannel-vxlan", "flannel-host-gw"} {
		c.installed = plugin
		for _, name := range []string{"pod-2", "host-2"} {
			first := ask(name)
			if first.Works {
				t.Errorf("%s: the Service of %s is another plugin's", plugin, name)
			}
			first.Works = true
			if again := ask(name); again != first {
				t.Errorf("%s: another network with the pod %s has a Service of its own", plugin, name)
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
