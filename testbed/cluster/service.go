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
	// podLabel holds a pod's name, for the selector of its Service.
	podLabel = "cnibench.io/pod"
	// servicePort is the port on which the pod behind the Service listens. It needs
	// no privilege, and Linux does not assign it to clients (ip_local_port_range).
	servicePort = 20049
)

var _ testbed.Server = (*network)(nil)

// Service creates a Service for the server's pod, unless there is one.
func (n *network) Service(ctx context.Context) (*probes.Service, error) {
	c, to := n.cluster, n.ends[1].pod
	if c.services[to.name] == nil {
		made, err := c.client.CoreV1().Services(c.space.Name).Create(ctx, &core.Service{
			ObjectMeta: c.space.Meta(to.name),
			Spec: core.ServiceSpec{Type: core.ServiceTypeClusterIP, Selector: map[string]string{kube.RunLabel: c.space.Run, podLabel: to.name},
				Ports: []core.ServicePort{{Port: servicePort, TargetPort: intstr.FromInt32(servicePort)}}}}, metav1.CreateOptions{})
		if err != nil {
			return nil, fmt.Errorf("creating a Service for the pod %s: %w", to.name, err)
		}
		addr, _ := netip.ParseAddr(made.Spec.ClusterIP) // without one, every call returns the error below
		c.services[to.name] = &probes.Service{Addr: netip.AddrPortFrom(addr, servicePort), Port: servicePort}
	}
	s := c.services[to.name]
	if !s.Addr.IsValid() {
		return nil, fmt.Errorf("the cluster assigned no address to the Service %s", to.name)
	}
	return s, nil
}

// removeServices deletes the Services that this run created. A Service has the name
// of its pod, and so goes with it: the next plugin's pods have the same names.
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
