#!/bin/sh
# Installs the distribution's programs that the lab's plugins call, if they are
# missing. "test" adds the tools with which tests compare our results, and the kernel
# in which they run the modes that this machine's kernel does not support. "peers"
# adds the tools that make bench-peers compares with, and "cluster" what runs pods in
# the tests. The script says which programs are missing, and why they are needed,
# before it calls apt.
set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=
want() { # want PROGRAM PACKAGE WHY
	command -v "$1" >/dev/null 2>&1 && return
	echo "missing: $1 (Debian package $2): $3"
	missing="$missing $2"
}
want bird bird2 "the BGP daemon of calico-bgp"
want iptables iptables "flanneld and Calico's Felix program their rules with it"
want ipset ipset "Felix keeps the addresses of its policies in sets"
case ${1:-} in test | peers) want iperf3 iperf3 "our goodput is compared with its" ;; esac
case ${1:-} in test)
	want linux.uml user-mode-linux "the lab's own kernel, for features that this machine's kernel lacks"
	want modprobe kmod "it loads that kernel's modules"
	want ovs-vswitchd openvswitch-switch "Open vSwitch is the switch of cce-tunnel"
	[ -f bin/axe.min.js ] || want npm npm "it downloads axe-core, which checks the report's page"
	want chromium chromium "the report's page is opened in a real browser"
	want xmllint libxml2-utils "our JUnit output is checked against a schema" ;; esac
case ${1:-} in cluster)
	want containerd containerd "it runs the pods of the tests' cluster"
	want runc runc "it runs the pods of the tests' cluster"
	want nft nftables "kube-proxy programs its rules with it in one of its modes" ;; esac
case ${1:-} in peers) want sockperf sockperf "our round trips are compared with its" ;; esac
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
get_promtool() { # extract only the program, because the package would install a service too
	[ "$1" = test ] && ! [ -x bin/promtool ] && ! command -v promtool >/dev/null 2>&1 || return 0
	echo "missing: promtool (Debian package prometheus): it reads our OpenMetrics; extracting it to bin/"
	into=$(mktemp -d)
	if (cd "$into" && { apt-get download -qq prometheus || { $sudo apt-get update -qq && apt-get download -qq prometheus; }; } &&
		dpkg -x prometheus_*.deb .) >/dev/null 2>&1; then
		mkdir -p bin && cp "$into/usr/bin/promtool" bin/
	else
		echo "cannot get promtool: its test will report that it is missing" >&2
	fi
	rm -rf "$into"
}
# The accessibility engine that checks the page is a single file from npm.
axe_version=4.14.1
axe_sha256=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c # of axe.min.js
get_axe() {
	[ "$1" = test ] && ! [ -f bin/axe.min.js ] || return 0
	echo "missing: axe-core $axe_version (npm): it checks the accessibility of the page; extracting it to bin/"
	into=$(mktemp -d)
	if (cd "$into" && npm pack --silent "axe-core@$axe_version" && tar xzf axe-core-*.tgz &&
		echo "$axe_sha256  package/axe.min.js" | sha256sum -c) >/dev/null 2>&1; then
		mkdir -p bin && cp "$into/package/axe.min.js" bin/
	else
		echo "cannot get axe-core: its test will report that it is missing" >&2
	fi
	rm -rf "$into"
}
get_for_tests() {
	get_promtool "$1"
	get_axe "$1"
}
[ -n "$missing" ] || { get_for_tests "${1:-}"; exit 0; }

if ! command -v apt-get >/dev/null 2>&1; then
	echo "apt-get is missing: install$missing with this system's package manager, then run make again" >&2
	exit 1
fi
if [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; then
	echo "sudo is missing: run this as root: apt-get install$missing" >&2
	exit 1
fi
echo "installing with apt:$missing"
# shellcheck disable=SC2086 # word splitting of $sudo and $missing is intended
{
	$sudo apt-get update -qq
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}
# The packages start BIRD, containerd and Open vSwitch as services, but we run our own
# in namespaces.
case $missing in *openvswitch-switch*)
	if [ -d /run/systemd/system ]; then
		$sudo systemctl disable --now openvswitch-switch.service >/dev/null 2>&1 || true
	elif [ -x /etc/init.d/openvswitch-switch ]; then
		$sudo /etc/init.d/openvswitch-switch stop >/dev/null 2>&1 || true
	fi ;;
esac
case $missing in *containerd*)
	if [ -d /run/systemd/system ]; then $sudo systemctl disable --now containerd.service >/dev/null 2>&1 || true; fi ;;
esac
case $missing in *bird2*)
	if [ -d /run/systemd/system ]; then $sudo systemctl disable --now bird.service >/dev/null 2>&1 || true; fi ;;
esac
get_for_tests "${1:-}"
