#!/bin/bash
# join.sh N...: add nodes to the cluster that up.sh brought up, and wait until they
# are ready. Runs in the namespaces of up.sh.
set -eu
: "${T:?}" "${KUBE:?}" "${CNI:?}"
H=$(cd "$(dirname "$0")" && pwd)
k() { ip netns exec k8s-cp "$KUBE" kubectl --kubeconfig="$T/pki/admin.kubeconfig" "$@"; }
has_cidr() { k get node "k8s-n$1" -o 'jsonpath={.spec.podCIDR}' 2>/dev/null | grep -q 10; }
"$H/net.sh" "$@"
for n in "$@"; do "$H/node.sh" $n > "$T/logs/node$n.log" 2>&1 </dev/null & echo $! > "$T/node$n.pid"; done
for n in "$@"; do for _ in $(seq 900); do has_cidr $n && break; sleep 0.1; done; done
"$H/cni.sh" "$@"
for n in "$@"; do k wait --for=condition=Ready node/k8s-n$n --timeout=90s >/dev/null; done
for _ in $(seq 300); do [ -z "$(k get nodes -o 'jsonpath={.items[*].spec.taints}')" ] && exit; sleep 0.1; done
echo "the nodes keep their taints" >&2; exit 1
