#!/bin/bash
# cni.sh: per node, a bridge + host-local conflist for its podCIDR, and routes to the other node's
set -eu
T=${T:?}; K="ip netns exec k8s-cp $KUBE kubectl --kubeconfig=$T/pki/admin.kubeconfig"
for n in 1 2; do
 cidr=$($K get node k8s-n$n -o jsonpath={.spec.podCIDR}); echo k8s-n$n $cidr
 cat > $T/n$n/cni/10-cnibench.conflist.tmp <<X
{"cniVersion":"0.4.0","name":"e2e","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,"hairpinMode":true,
  "ipam":{"type":"host-local","ranges":[[{"subnet":"$cidr"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
X
 mv $T/n$n/cni/10-cnibench.conflist.tmp $T/n$n/cni/10-cnibench.conflist
 for o in k8s-cp k8s-n1 k8s-n2; do [ "$o" = k8s-n$n ] || ip -n $o route replace $cidr via 10.89.0.1$n; done
done
ip netns exec k8s-cp sysctl -qw net.ipv4.ip_forward=1
