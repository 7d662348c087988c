#!/bin/bash
# node.sh N: start node k8s-nN. Own net, mount, uts, ipc, pid and cgroup namespaces; killing the
# process (the namespaces' init's parent) ends containerd, kubelet, shims and pods at once.
set -eu
N=$1; D=${T:?}/n$N; H=$(cd "$(dirname "$0")" && pwd); mkdir -p $D/{etc.up,etc.wk,var.up,var.wk,containerd,kubelet,logs,cni}
# a cgroup of this test (TEST, its process) under whatever cgroup we run in, in every v1 hierarchy and in the v2 one
while IFS=: read -r id ctl path; do
 case $ctl in "") m=unified;; name=*) m=${ctl#name=};; *) m=$ctl;; esac
 c=/sys/fs/cgroup/$m${path%/}/k8s-n$N-$TEST; mkdir -p $c
 if [ $m = cpuset ]; then cat $c/../cpuset.cpus > $c/cpuset.cpus; cat $c/../cpuset.mems > $c/cpuset.mems; fi
 echo $$ > $c/cgroup.procs; echo $c
done < <(cat /proc/self/cgroup) > $D/cgroups
exec nsenter --net=/run/netns/k8s-n$N unshare --mount --uts --ipc --pid --cgroup --fork --kill-child=KILL --propagation private "$H/node-init.sh" $N
