#!/bin/bash
# up.sh: everything, then wait. Runs as the first process of namespaces of its
# own (network, mounts, processes): when it ends, all of it ends. T is the
# working folder, KUBE the program that holds every part of Kubernetes, CNI the
# folder of CNI plugins; T/img holds images to load. Prints "up" once both nodes
# are ready.
set -eu
: "${T:?}" "${KUBE:?}" "${CNI:?}"
H=$(cd "$(dirname "$0")" && pwd)
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run # ip netns keeps its names there
mkdir -p /run/netns "$T/logs"
ip link set lo up
k() { ip netns exec k8s-cp "$KUBE" kubectl --kubeconfig="$T/pki/admin.kubeconfig" "$@"; }
waitfor() { for _ in $(seq 900); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; echo "still not so: $*" >&2; return 1; }
has_cidr() { k get node "k8s-n$1" -o 'jsonpath={.spec.podCIDR}' | grep -q 10; }
no_taints() { [ -z "$(k get nodes -o 'jsonpath={.items[*].spec.taints}')" ]; }
has_account() { k -n default get serviceaccount default; }
export T KUBE CNI
"$H/certs.sh" "$T/pki"
"$H/net.sh" 1 2
for n in 1 2; do "$H/node.sh" $n > "$T/logs/node$n.log" 2>&1 & echo $! > "$T/node$n.pid"; done
"$H/cp.sh"
for n in 1 2; do waitfor has_cidr $n; done
"$H/cni.sh" 1 2
for n in 1 2; do k wait --for=condition=Ready node/k8s-n$n --timeout=90s >/dev/null; done
waitfor no_taints
waitfor has_account
echo up
exec sleep infinity
