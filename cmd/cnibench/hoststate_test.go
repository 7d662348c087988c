package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
)

// machineState is the part of the machine's state that a run must not change.
type machineState struct {
	namespaces map[string]bool
	mounts     string
	links      []string
	routes     []string
	rules      []string
	sysctls    map[string]string
}

// readMachine reads the state of the machine that the test runs on.
func readMachine(t *testing.T) *machineState {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	s := &machineState{namespaces: namespaces(), mounts: string(mounts), sysctls: sysctls(t)}
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		a := l.Attrs()
		addrs, err := netlink.AddrList(l, netlink.FAMILY_ALL)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, addr := range addrs {
			list = append(list, addr.IPNet.String())
		}
		s.links = append(s.links, fmt.Sprintf("%d %s %s mtu %d %v %v", a.Index, l.Type(), a.Name, a.MTU, a.Flags, list))
	}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := netlink.RouteListFiltered(family, &netlink.Route{}, netlink.RT_FILTER_TABLE)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range routes {
			s.routes = append(s.routes, r.String())
		}
		rules, err := netlink.RuleList(family)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			s.rules = append(s.rules, r.String())
		}
	}
	slices.Sort(s.routes)
	return s
}

// same reports differences from an earlier state. Namespaces are compared only by the tests that
// wait for their end.
func (s *machineState) same(t *testing.T, before *machineState) {
	t.Helper()
	for _, part := range []struct {
		name     string
		now, was any
	}{
		{"mounts", s.mounts, before.mounts}, {"links", s.links, before.links}, {"routes", s.routes, before.routes},
		{"rules", s.rules, before.rules}, {"sysctls", s.sysctls, before.sysctls},
	} {
		if diff := cmp.Diff(part.was, part.now); diff != "" {
			t.Errorf("the machine's %s changed (-before +after):\n%s", part.name, diff)
		}
	}
}

// unsteady are files below /proc/sys that are counters or random values rather than settings.
var unsteady = []string{"fs/dentry-state", "fs/file-nr", "fs/inode-nr", "fs/inode-state", "fs/quota/", "fs/aio-nr", "kernel/random/",
	"kernel/ns_last_pid", "kernel/pty/nr", "kernel/perf_event_max_sample_rate", "kernel/perf_cpu_time_max_percent", "net/netfilter/nf_conntrack_count", "kernel/tainted"}

func sysctls(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	err := filepath.WalkDir("/proc/sys", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // not readable for this user
		}
		name := strings.TrimPrefix(path, "/proc/sys/")
		if slices.ContainsFunc(unsteady, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			return nil
		}
		if info, err := d.Info(); err != nil || info.Mode()&0o444 == 0 {
			return nil
		}
		if text, err := os.ReadFile(path); err == nil {
			values[name] = string(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return values
}
