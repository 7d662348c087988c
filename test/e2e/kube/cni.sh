#!/bin/bash
# cni.sh N...: on each node, a bridge + host-local conflist for its podCIDR, and
# routes between all nodes
set -eu
T=${T:?}; K="ip netns exec k8s-cp $KUBE kubectl --kubeconfig=$T/pki/admin.kubeconfig"
for n in "$@"; do
 cidr=$($K get node k8s-n$n -o jsonpath={.spec.podCIDR}); echo k8s-n$n $cidr
 cat > $T/n$n/cni/10-cnibench.conflist.tmp <<X
{"cniVersion":"0.4.0","name":"e2e","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,"hairpinMode":true,
  "ipam":{"type":"host-local","ranges":[[{"subnet":"$cidr"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
X
 mv $T/n$n/cni/10-cnibench.conflist.tmp $T/n$n/cni/10-cnibench.conflist
done
for node in $($K get nodes -o name); do
 node=${node#node/}; n=${node#k8s-n}
 cidr=$($K get node $node -o jsonpath={.spec.podCIDR})
 for o in $(ip netns list | cut -d' ' -f1); do [ "$o" = $node ] || ip -n $o route replace $cidr via 10.89.0.1$n; done
done
ip netns exec k8s-cp sysctl -qw net.ipv4.ip_forward=1
