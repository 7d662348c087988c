#!/bin/sh
# Measures the same plugins by two plans on one machine, in turns, so that what disturbs the
# machine affects both: few long samples (12 of 1 s) and many short ones (60 of 200 ms), which
# take about the same time. Then it prints how wide the intervals of each plan are.
#
#   test/plans/plans.sh DIR [CNIBENCH]
#
# DIR must not exist. The runs take about a quarter of an hour.
set -eu
dir=$1
cnibench=${2:-bin/cnibench}
mkdir "$dir"
dir=$(cd "$dir" && pwd)

plan() {
	name=$1
	shift
	echo "$name: $*" >&2
	"$cnibench" run --plugins flannel-vxlan,flannel-host-gw,calico-bgp --topology l2 --wire none,1gbit --probes tcp-stream,tcp-rr \
		--out "$dir/$name" --quiet "$@" >"$dir/$name.txt"
}

for turn in 1 2; do
	plan "long-$turn" --rounds 12 --duration 1s
	plan "short-$turn" --rounds 60 --duration 200ms
done
cd "$(dirname "$0")" && PLANS=$dir go test -count=1 -run TestPlans -v .
