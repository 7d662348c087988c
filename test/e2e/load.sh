#!/bin/sh
# load.sh FILE: load an image's archive on both nodes. T is the cluster's folder.
set -eu
for n in 1 2; do
	top=$(cat "${T:?}/node$n.pid") # unshare, as the cluster counts processes; its child is the node's first
	nsenter -t "$(cat "/proc/$top/task/$top/children" | tr -d ' ')" --mount --pid --cgroup ctr -n k8s.io images import "$1"
done
