package install

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
)

func TestPodNetwork(t *testing.T) {
	cidr := func(s string) func(*core.Node) { return func(n *core.Node) { n.Spec.PodCIDR = s } }
	for _, tt := range []struct {
		name  string
		cidrs []string
		want  string // "" for an error
	}{
		{"one node", []string{"10.244.3.0/24"}, "10.244.3.0/24"},
		{"neighbours", []string{"10.244.0.0/24", "10.244.1.0/24"}, "10.244.0.0/23"},
		{"far apart", []string{"10.244.1.0/24", "10.244.200.0/24"}, "10.244.0.0/16"},
		{"of different sizes", []string{"10.244.1.0/24", "10.244.0.0/22"}, "10.244.0.0/22"},
		{"none", []string{"10.244.1.0/24", ""}, ""},
		{"IPv6", []string{"fd00::/64"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var nodes []core.Node
			for _, c := range tt.cidrs {
				nodes = append(nodes, kubetest.Node("n", cidr(c)))
			}
			got, err := PodNetwork(nodes)
			if (err != nil) != (tt.want == "") || err == nil && got != netip.MustParsePrefix(tt.want) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestCheckDisposable(t *testing.T) {
	pod := func(namespace string) runtime.Object {
		return &core.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "p"}}
	}
	bare, networked, foreign := kubetest.Node("a", kubetest.Waiting), kubetest.Node("a"), kubetest.Node("b", kubetest.Waiting, kubetest.Arch("arm64"))
	left := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "cnibench-x", Labels: map[string]string{kube.OwnerLabel: kube.OwnerName}}}
	for _, tt := range []struct {
		name    string
		objects []runtime.Object
		beside  bool
		says    string // "" for disposable
	}{
		{"system pods alone", []runtime.Object{&bare, pod("kube-system")}, false, ""},
		{"ours", []runtime.Object{&bare, left, pod("cnibench-x")}, false, ""},
		{"a pod of others", []runtime.Object{&bare, pod("shop")}, false, "shop/p"},
		{"a pod of others, which the user accepts", []runtime.Object{&bare, pod("shop")}, true, ""},
		{"a node for which there is no image", []runtime.Object{&bare, &foreign}, false, "could not remove them from b: its architecture is arm64"},
		{"a plugin is there", []runtime.Object{&networked}, true, "already has a network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := kubetest.Client(tt.objects...)
			var err error
			synctest.Test(t, func(t *testing.T) {
				err = CheckDisposable(t.Context(), client, Options{BesideOthers: tt.beside}, "amd64")
			}) // nodes have some seconds to report that they have no network
			if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v", err)
			}
			var others *OthersError
			if errors.As(err, &others) && !strings.Contains(err.Error(), BesideOthersFlag) {
				t.Errorf("the error does not name the flag: %v", err)
			}
		})
	}
}

// made reads an object that Install has created. No agent ever runs here.
func made(t *testing.T, c *kube.Client, resource schema.GroupVersionResource, namespace, name string, into any) {
	t.Helper()
	o, err := c.Dynamic.Resource(resource).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err == nil {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestInstall compares the created objects with the request, and checks that
// Install refuses to change an object that exists.
func TestInstall(t *testing.T) {
	client, set := kubetest.Client()
	kubetest.Serve(set)
	f := &Flannel{Client: client, Namespace: "cnibench-x", Image: "us:1", FlannelImage: "flannel:2", PullSecret: "pull"}
	install := func() error {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("no agents here"))
		return f.Install(ctx, "flannel-host-gw", netip.MustParsePrefix("10.1.0.0/16"))
	}
	if err := install(); err == nil || !strings.Contains(err.Error(), "waiting for flannel on all nodes: no agents here") {
		t.Fatal(err)
	}
	var config core.ConfigMap
	made(t, client, core.SchemeGroupVersion.WithResource("configmaps"), "cnibench-x", "flannel", &config)
	if config.Data["net-conf.json"] != `{"Backend":{"Type":"host-gw"},"Network":"10.1.0.0/16"}` {
		t.Errorf("%v", config.Data)
	}
	var agents apps.DaemonSet
	made(t, client, apps.SchemeGroupVersion.WithResource("daemonsets"), "cnibench-x", "flannel", &agents)
	holdAgents(t, &agents)
	var binding rbac.ClusterRoleBinding
	made(t, client, rbac.SchemeGroupVersion.WithResource("clusterrolebindings"), "", "cnibench-flannel", &binding)
	if binding.Subjects[0].Namespace != "cnibench-x" || binding.Labels[kube.OwnerLabel] != kube.OwnerName {
		t.Errorf("%+v", binding)
	}
	if err := install(); !apierrors.IsAlreadyExists(errors.Unwrap(err)) {
		t.Errorf("over objects that exist: %v", err)
	}
}

// holdAgents checks the agents' images and privileges.
func holdAgents(t *testing.T, set *apps.DaemonSet) {
	t.Helper()
	for _, container := range set.Spec.Template.Spec.Containers {
		image, added := "flannel:2", []core.Capability{"NET_ADMIN", "NET_RAW"}
		if container.Name == "conf" {
			image, added = "us:1", nil
		}
		s := container.SecurityContext
		if container.Image != image || s.Privileged != nil && *s.Privileged || !slices.Equal(s.Capabilities.Add, added) {
			t.Errorf("%s runs %s with %+v", container.Name, container.Image, s)
		}
	}
}

// TestCleanerChangesTheNetworkAlone checks that the pod that changes a node can
// touch nothing but its network.
func TestCleanerChangesTheNetworkAlone(t *testing.T) {
	p := (&Flannel{Namespace: "cnibench-x", Image: "us:1", FlannelImage: "flannel:2"}).cleaner("clean-1", "a")
	s := p.Spec.Containers[0].SecurityContext
	if s.Privileged != nil || !slices.Equal(s.Capabilities.Add, []core.Capability{"NET_ADMIN", "NET_RAW"}) || p.Spec.HostPID {
		t.Errorf("%+v", s)
	}
	var paths []string
	for _, v := range p.Spec.Volumes {
		if v.HostPath != nil {
			paths = append(paths, v.HostPath.Path)
		}
	}
	if !slices.Equal(paths, []string{"/run", "/etc/cni/net.d", "/var/lib/cni"}) || p.Labels[kube.OwnerLabel] != kube.OwnerName {
		t.Errorf("%v, %v", paths, p.Labels)
	}
}
