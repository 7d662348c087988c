#!/bin/bash
# net.sh N...: k8s-cp holds the control plane and the underlay bridge, and each
# k8s-nN is a node.
set -eu
if [ ! -e /run/netns/k8s-cp ]; then
 ip netns add k8s-cp; ip -n k8s-cp link set lo up
 ip -n k8s-cp link add br-under type bridge; ip -n k8s-cp addr add 10.89.0.1/24 dev br-under; ip -n k8s-cp link set br-under up
fi
for n in "$@"; do
 ip netns add k8s-n$n; ip -n k8s-n$n link set lo up
 ip -n k8s-cp link add port$n type veth peer name eth0 netns k8s-n$n
 ip -n k8s-cp link set port$n master br-under up
 ip -n k8s-n$n addr add 10.89.0.1$n/24 dev eth0; ip -n k8s-n$n link set eth0 up
 ip -n k8s-n$n route add default via 10.89.0.1
 ip netns exec k8s-n$n sysctl -qw net.ipv4.ip_forward=1
done
