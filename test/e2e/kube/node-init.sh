#!/bin/bash
# pid 1 of a node
set -eu
N=$1; D=${T:?}/n$N; B=${KUBE:?}; H=$(cd "$(dirname "$0")" && pwd)
hostname k8s-n$N
mount -t proc proc /proc
# the machine's own sysctls stay as they are: the kubelet sees what it wants to see
mkdir -p $D/sysctl
mask() { echo $2 > $D/sysctl/$(basename $1); mount --bind $D/sysctl/$(basename $1) /proc/sys/$1; }
mask vm/overcommit_memory 1; mask kernel/panic 10; mask kernel/panic_on_oops 1
hier=$(cut -d: -f2 /proc/self/cgroup)
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
for h in $hier; do
 case $h in name=*) m=${h#name=}; o=none,$h;; *) m=$h; o=$h;; esac
 mkdir /sys/fs/cgroup/$m; mount -t cgroup -o $o cgroup /sys/fs/cgroup/$m
done
mkdir /sys/fs/cgroup/unified; mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
mount -t overlay -o lowerdir=/etc,upperdir=$D/etc.up,workdir=$D/etc.wk overlay /etc
mount -t overlay -o lowerdir=/var,upperdir=$D/var.up,workdir=$D/var.wk overlay /var
umount -l /run/netns/* 2>/dev/null || true  # else this mount namespace pins other people's network namespaces
mount -t tmpfs -o mode=755 tmpfs /run; mkdir -p /run/lock /run/netns
mkdir -p /var/lib/containerd /var/lib/kubelet /var/log/pods /etc/cni/net.d
mount --bind $D/containerd /var/lib/containerd
mount --bind $D/kubelet /var/lib/kubelet
mount --bind $D/cni /etc/cni/net.d
# the reference plugins, in a folder of the node's own into which others can be installed
mount -t tmpfs -o mode=755 tmpfs /opt; mkdir -p /opt/cni/bin $D/bin
for p in bridge host-local loopback portmap ptp; do cp "$CNI/$p" $D/bin/; done
mount --bind $D/bin /opt/cni/bin
mount --make-rshared /
echo 127.0.0.1 localhost > /etc/hosts; echo 10.89.0.1$N k8s-n$N >> /etc/hosts
cp "$H/containerd.toml" /etc/containerd.toml
nice -n 10 containerd --config /etc/containerd.toml > $D/logs/containerd.log 2>&1 </dev/null & C=$!
for _ in $(seq 300); do ctr version >/dev/null 2>&1 && break; sleep 0.1; done
for t in $T/img/*.tar; do nice -n 10 ctr -n k8s.io images import $t >> $D/logs/import.log 2>&1; done
sed "s/@N@/$N/g; s#@T@#$T#g" "$H/kubelet.yaml" > /etc/kubelet.yaml
nice -n 10 $B kubelet --config=/etc/kubelet.yaml --kubeconfig=$T/pki/k8s-n$N.kubeconfig --hostname-override=k8s-n$N --node-ip=10.89.0.1$N --root-dir=/var/lib/kubelet \
  > $D/logs/kubelet.log 2>&1 </dev/null & K=$!
# kube-proxy is started again when it ends, in the mode that the file holds then
echo iptables > $D/proxy-mode
proxy() {
 while :; do
  sed "s#@T@#$T#g; s/@MODE@/$(cat $D/proxy-mode)/" "$H/proxy.yaml" > /etc/proxy.yaml
  nice -n 10 $B kube-proxy --config=/etc/proxy.yaml --hostname-override=k8s-n$N >> $D/logs/proxy.log 2>&1 </dev/null & R=$!
  printf '%s\n' "$C containerd" "$K kubelet" "$R kube-proxy" > $D/inner-pids
  wait $R || true
 done
}
proxy & L=$!
trap 'kill $L $K $C; exit 0' TERM INT
while :; do wait -n || true; kill -0 $K 2>/dev/null || { echo "kubelet ended" >> $D/logs/init.log; break; }; done
