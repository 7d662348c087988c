package cluster

import (
	"context"
	"fmt"
	"net/netip"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
)

const (
	// podLabel names a pod for the Service that leads to it.
	podLabel = "cnibench.io/pod"
	// servicePort is where the pod behind the Service listens: a port that needs no
	// privilege and that Linux gives to no client (ip_local_port_range).
	servicePort = 20049
)

var _ testbed.Server = (*network)(nil)

// Service makes a Service that leads to the server's pod, unless there is one.
func (n *network) Service(ctx context.Context) (*probes.Service, error) {
	c, to := n.cluster, n.ends[1].pod
	if c.services[to.name] == nil {
		made, err := c.client.CoreV1().Services(c.space.Name).Create(ctx, &core.Service{
			ObjectMeta: c.space.Meta(to.name),
			Spec: core.ServiceSpec{Type: core.ServiceTypeClusterIP, Selector: map[string]string{kube.RunLabel: c.space.Run, podLabel: to.name},
				Ports: []core.ServicePort{{Port: servicePort, TargetPort: intstr.FromInt32(servicePort)}}}}, metav1.CreateOptions{})
		if err != nil {
			return nil, fmt.Errorf("making a Service for the pod %s: %w", to.name, err)
		}
		addr, _ := netip.ParseAddr(made.Spec.ClusterIP) // a Service without one is an error below, each time
		c.services[to.name] = &probes.Service{Addr: netip.AddrPortFrom(addr, servicePort), Port: servicePort}
	}
	s := c.services[to.name]
	if !s.Addr.IsValid() {
		return nil, fmt.Errorf("the cluster gave no address to the Service %s", to.name)
	}
	return s, nil
}

// removeServices deletes the Services that this run made. Their names are those of
// the pods that they lead to, so they go with these: the next plugin's pods have
// the same names.
func (c *Cluster) removeServices(ctx context.Context) error {
	if len(c.services) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, kube.RemoveWithin)
	defer cancel()
	_, err := c.client.RemoveServices(ctx, c.space.Name, c.space.Selector())
	if err == nil {
		clear(c.services)
	}
	return err
}
