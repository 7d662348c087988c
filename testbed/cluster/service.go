package cluster

import (
	"context"
	"fmt"
	"net/netip"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/testbed"
)

const (
	// podLabel names a pod for the Service that leads to it.
	podLabel = "cnibench.io/pod"
	// servicePort is where the pod behind the Service listens: any that an
	// ordinary user may take and that Linux gives to no client (ip_local_port_range).
	servicePort = 20049
)

var _ testbed.Server = (*network)(nil)

// Service makes a Service that leads to the server's pod, unless there is one.
func (n *network) Service(ctx context.Context) (*probes.Service, error) {
	c, to := n.cluster, n.ends[1].pod
	if c.services[to.name] == nil {
		made, err := c.client.CoreV1().Services(c.namespace).Create(ctx, &core.Service{
			ObjectMeta: metav1.ObjectMeta{Name: to.name, Namespace: c.namespace, Labels: map[string]string{label: owner, runLabel: c.runLabel()}},
			Spec: core.ServiceSpec{Type: core.ServiceTypeClusterIP, Selector: map[string]string{runLabel: c.runLabel(), podLabel: to.name},
				Ports: []core.ServicePort{{Port: servicePort, TargetPort: intstr.FromInt32(servicePort)}}}}, metav1.CreateOptions{})
		if err != nil {
			return nil, fmt.Errorf("making a Service for the pod %s: %w", to.name, err)
		}
		addr, _ := netip.ParseAddr(made.Spec.ClusterIP) // what it did not get is told below, each time
		c.services[to.name] = &probes.Service{Addr: netip.AddrPortFrom(addr, servicePort), Port: servicePort}
	}
	s := c.services[to.name]
	if !s.Addr.IsValid() {
		return nil, fmt.Errorf("the cluster gave no address to the Service %s", to.name)
	}
	return s, nil
}

// removeServices deletes those that this run made. Their names are those of the
// pods that they lead to, so they go with these: the next plugin's have the same.
func (c *Cluster) removeServices(ctx context.Context) error {
	for name := range c.services {
		err := c.client.CoreV1().Services(c.namespace).Delete(ctx, name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("deleting the Service %s: %w", name, err)
		}
		delete(c.services, name)
	}
	return nil
}

// cleanServices deletes those that earlier runs left in a namespace of the
// person's. One who may not list Services has not made any.
func (c *Cluster) cleanServices(ctx context.Context) (removed []string, err error) {
	services := c.client.CoreV1().Services(c.config.Namespace)
	list, err := services.List(ctx, metav1.ListOptions{LabelSelector: label + "=" + owner})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for Services that earlier runs left: %w", err)
	}
	for _, s := range list.Items {
		if err := services.Delete(ctx, s.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return removed, fmt.Errorf("deleting the Service %s: %w", s.Name, err)
		}
		removed = append(removed, "service "+s.Namespace+"/"+s.Name)
	}
	return removed, nil
}
