package cluster

import (
	"context"
	"fmt"

	networking "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// deny creates a NetworkPolicy that selects one of the two pods and allows it no
// traffic in a direction. The workers' control streams are not affected: they pass
// through the kubelet, not through the pods' network.
func (n *network) deny(ctx context.Context, at results.PolicyDirection, from, to probes.End) (probes.Lift, error) {
	c, whom := n.cluster, to
	if at == results.PolicyEgress {
		whom = from
	}
	p := n.podAt(whom)
	if p == nil {
		return nil, fmt.Errorf("the network has no pod with the address %s", whom.Addr)
	}
	policy := c.denyAll(p.name, at)
	err := c.client.CreatePolicy(ctx, policy)
	lift := func(ctx context.Context) error { return c.client.RemovePolicy(ctx, policy.Namespace, policy.Name) }
	switch {
	case err == nil:
		return lift, nil
	case apierrors.IsForbidden(err):
		return nil, &probes.NotHereError{Why: words.NoPoliciesAllowed.With(err)}
	case !apierrors.IsAlreadyExists(err):
		_ = lift(context.WithoutCancel(ctx)) // the API server may have created it although its answer was lost
	}
	return nil, err
}

// podAt returns the pod of an end, or nil if the network has no such end.
func (n *network) podAt(at probes.End) *pod {
	for _, e := range n.ends {
		if e.pod.addr == at.Addr {
			return e.pod
		}
	}
	return nil
}

// denyAll returns a policy that isolates a pod of the run in one direction
// (Kubernetes documentation, concepts/services-networking/network-policies).
func (c *Cluster) denyAll(pod string, at results.PolicyDirection) *networking.NetworkPolicy {
	kind := networking.PolicyTypeIngress
	if at == results.PolicyEgress {
		kind = networking.PolicyTypeEgress
	}
	return &networking.NetworkPolicy{ObjectMeta: c.space.Meta(pod + "-deny-" + string(at)),
		Spec: networking.NetworkPolicySpec{PolicyTypes: []networking.PolicyType{kind},
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{kube.RunLabel: c.space.Run, podLabel: pod}}}}
}
