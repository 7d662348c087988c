#!/bin/sh
# Installs the distribution's programs that the lab's plugins call, if they are
# missing: "test" adds what tests hold our figures against, "peers" the tools
# that make bench-peers compares with. Says which and why before it asks apt.
set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=
want() { # want PROGRAM PACKAGE WHY
	command -v "$1" >/dev/null 2>&1 && return
	echo "missing: $1 (Debian package $2): $3"
	missing="$missing $2"
}
want bird bird2 "the BGP daemon of calico-bgp"
want iptables iptables "flanneld and Calico's Felix program their rules through it"
want ipset ipset "Felix keeps addresses of its policies in sets"
case ${1:-} in test | peers) want iperf3 iperf3 "our goodput is held against its" ;; esac
case ${1:-} in test) want chromium chromium "the report's page is opened in a real browser" ;; esac
case ${1:-} in peers) want sockperf sockperf "our round trips are compared with its" ;; esac
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "no apt-get here: install$missing with this system's package manager, then call make again" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
	sudo=sudo
	command -v sudo >/dev/null 2>&1 || { echo "as root: apt-get install$missing" >&2; exit 1; }
fi
echo "asking apt to install:$missing"
# shellcheck disable=SC2086 # the words of $sudo and $missing are meant
{
	$sudo apt-get update -qq
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}
# The package starts BIRD as a service; the lab runs its own in namespaces.
case $missing in *bird2*)
	if [ -d /run/systemd/system ]; then $sudo systemctl disable --now bird.service >/dev/null 2>&1 || true; fi ;;
esac
