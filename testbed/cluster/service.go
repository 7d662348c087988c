package cluster

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// podLabel holds a pod's name, for the selector of its Services.
const podLabel = "cnibench.io/pod"

// servicePorts are the ports on which the pods behind Services listen, one for each kind,
// so that no two paths end at one port (see probes/network). They need no privilege, and
// Linux does not assign them to clients (ip_local_port_range).
var servicePorts = map[probes.ServiceKind]uint16{probes.ClusterIP: 20049, probes.NodePort: 20050, probes.Headless: 20051}

var _ testbed.Server = (*network)(nil)

// serviceOf identifies a Service of this run.
type serviceOf struct {
	pod  string
	kind probes.ServiceKind
}

// Service creates a Service for the server's pod, unless there is one of this kind.
func (n *network) Service(ctx context.Context, kind probes.ServiceKind) (*probes.Service, error) {
	c, of := n.cluster, serviceOf{n.ends[1].pod.name, kind}
	if s := c.services[of]; s != nil {
		return s, nil
	}
	made, err := c.client.CoreV1().Services(c.space.Name).Create(ctx, c.serviceSpec(of), metav1.CreateOptions{})
	switch {
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err): // a quota, an admission policy, no free port
		return nil, &probes.NotHereError{Why: words.ServiceRefused.With(err)}
	case err != nil:
		return nil, fmt.Errorf("creating a Service for the pod %s: %w", of.pod, err)
	}
	c.made++
	s := &probes.Service{Name: made.Name, Namespace: c.space.Name, Port: servicePorts[kind], Made: time.Now()}
	if kind != probes.Headless {
		addr, err := netip.ParseAddr(made.Spec.ClusterIP)
		if err != nil {
			return nil, fmt.Errorf("reading the address of the Service %s: %w", made.Name, err)
		}
		s.Addr = netip.AddrPortFrom(addr, servicePorts[kind])
	}
	if kind == probes.NodePort {
		if len(made.Spec.Ports) != 1 || made.Spec.Ports[0].NodePort == 0 {
			return nil, fmt.Errorf("the cluster assigned no NodePort to the Service %s", made.Name)
		}
		s.NodePort = uint16(made.Spec.Ports[0].NodePort)
	}
	c.services[of] = s
	return s, nil
}

// serviceSpec returns the Service to create. No two Services of a run have the same
// name: the next plugin's pods have the same names but other addresses, and the
// cluster's DNS remembers what it has answered.
func (c *Cluster) serviceSpec(of serviceOf) *core.Service {
	port := int32(servicePorts[of.kind])
	s := &core.Service{ObjectMeta: c.space.Meta(fmt.Sprintf("%s-%s-%d", of.pod, of.kind, c.made)),
		Spec: core.ServiceSpec{Type: core.ServiceTypeClusterIP, Selector: map[string]string{kube.RunLabel: c.space.Run, podLabel: of.pod},
			Ports: []core.ServicePort{{Port: port, TargetPort: intstr.FromInt32(port)}}}}
	switch of.kind {
	case probes.NodePort:
		s.Spec.Type = core.ServiceTypeNodePort
	case probes.Headless:
		s.Spec.ClusterIP = core.ClusterIPNone
	}
	return s
}

// removeServices deletes the Services that this run created. A Service selects a pod by
// its name, and so goes with it: the next plugin's pods have the same names.
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
