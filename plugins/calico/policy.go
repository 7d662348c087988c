package calico

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/etcd"
)

// policyKey is where calicoctl keeps the policy in an etcd datastore (Calico
// v3.28, libcalico-go/lib/backend/model/resource.go).
const policyKey = "/calico/resources/v3/projectcalico.org/globalnetworkpolicies/default.cnibench-deny"

// deny creates a GlobalNetworkPolicy (Calico documentation,
// reference/resources/globalnetworkpolicy) that denies traffic from one pod to
// another and allows everything else, as calicoctl would write it.
func deny(ctx context.Context, store *etcd.Store, d plugins.Denied) (lift func(context.Context) error, err error) {
	kind, rules := "Ingress", "ingress"
	if d.Egress {
		kind, rules = "Egress", "egress"
	}
	nets := func(a netip.Addr) map[string]any {
		return map[string]any{"nets": []string{netip.PrefixFrom(a, a.BitLen()).String()}}
	}
	text, err := json.Marshal(map[string]any{
		"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy",
		"metadata": map[string]any{
			"name": "default.cnibench-deny", "uid": "00000000-0000-4000-8000-000000000001",
			"creationTimestamp": time.Now().UTC().Format(time.RFC3339),
		},
		"spec": map[string]any{
			"order": 1, "selector": "all()", "types": []string{kind},
			rules: []any{
				map[string]any{"action": "Deny", "source": nets(d.From), "destination": nets(d.To)},
				map[string]any{"action": "Allow"},
			},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding a policy: %w", err)
	}
	if err := store.Put(ctx, policyKey, string(text)); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return store.Delete(ctx, policyKey) }, nil
}
