package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// matrix is the expected outcome of each plugin on each topology: "" if it works,
// otherwise a part of the cause.
var matrix = map[string]map[string]string{
	"flannel-vxlan":               {"l2": "", "routed": "", "vpc": ""},
	"flannel-udp":                 {"l2": "", "routed": "", "vpc": ""},
	"flannel-host-gw":             {"l2": "", "routed": "next hop not on-link", "vpc": "dropped by source/dest check"},
	"flannel-vxlan-directrouting": {"l2": "", "routed": "", "vpc": "a mistake in a VPC"},
	"calico-bgp":                  {"l2": "", "routed": "next hop not on-link", "vpc": "dropped by source/dest check"},
	"calico-vxlan":                {"l2": "", "routed": "", "vpc": ""},
	"calico-vxlan-crosssubnet":    {"l2": "", "routed": "", "vpc": "a mistake in a VPC"},
	"vpc-route":                   {"l2": "needs a VPC", "routed": "needs a VPC", "vpc": ""},
	"terway-eniip":                {"l2": "needs a VPC", "routed": "needs a VPC", "vpc": ""},
	"terway-eni":                  {"l2": "needs a VPC", "routed": "needs a VPC", "vpc": ""},
	"aws-vpc-cni":                 {"l2": "needs a VPC", "routed": "needs a VPC", "vpc": ""},
	"cce-tunnel":                  {"l2": "", "routed": "", "vpc": ""},
	"cce-vpc":                     {"l2": "needs a VPC", "routed": "needs a VPC", "vpc": ""},
	"terway-ipvlan":               {"l2": "needs a VPC", "routed": "needs a VPC", "vpc": ""},
}

// inSample lists the plugins of the matrix that stand for the rest in make test: one
// or more of each family, each outcome and each fidelity.
var inSample = []string{"flannel-vxlan", "flannel-host-gw", "calico-vxlan-crosssubnet", "vpc-route", "terway-eniip", "cce-tunnel"}

// sampled returns the plugins of the matrix that this test covers.
func sampled() []string {
	return sample(slices.Sorted(maps.Keys(matrix)), func(plugin string) bool { return slices.Contains(inSample, plugin) })
}

// lacked returns what the kernel lacks for a plugin of the matrix.
func lacked(t *testing.T, plugin string) string {
	return kernelLacks(t, testCatalogue.Get(plugin).Features...)
}

// TestTopologies brings up all plugins on all topologies in one run and checks what
// the report says about each.
func TestTopologies(t *testing.T) {
	names := sampled()
	var needed []string
	for _, name := range names {
		if lacked(t, name) == "" || len(missingPrograms(builtPrograms(), testCatalogue.Get(name))) > 0 {
			needed = append(needed, name)
		}
	}
	needs(t, needed...)
	r := measure(t, "--plugins", strings.Join(names, ","), "--kernel", "host", "--topology", "l2,routed,vpc", "--wire", "none", "--rounds", "1",
		"--duration", "100ms", "--probes", "tcp-rr,encap,adjacency,reach,policy,path")
	t.Run("the matrix is full", func(t *testing.T) { matrixIsFull(t, r) })
	t.Run("adjacency tells the topologies apart", func(t *testing.T) { adjacencyTells(t, r) })
	t.Run("encapsulation between subnets only", func(t *testing.T) { encapsulatesBetweenSubnets(t, r) })
	t.Run("pods of the VPC are reached from outside", func(t *testing.T) { podsAreReached(t, r) })
	t.Run("policies hold where somebody takes them", func(t *testing.T) { policiesHold(t, r) })
	t.Run("the path of a packet", func(t *testing.T) { waysAreSeen(t, r) })
}

func matrixIsFull(t *testing.T, r *model.Report) {
	for _, plugin := range sampled() {
		for topology, cause := range matrix[plugin] {
			c := r.Cell(results.Cell{Plugin: plugin, Topology: results.On(topology), Wire: "none"})
			want := results.StatusOK
			switch {
			case cause == "needs a VPC":
				want = results.StatusUnsupported
			case lacked(t, plugin) != "":
				want, cause = results.StatusUnsupported, lacked(t, plugin)
			case cause != "":
				want = results.StatusFailed
			}
			if c == nil || c.Status != want || !strings.Contains(c.Cause.String(), cause) {
				t.Errorf("%s on %s: %+v, want %s: %s", plugin, topology, c, want, cause)
			}
			if c != nil && want == results.StatusOK && (c.Metric("tcp-rr", "p50") == nil || c.Fidelity == "") {
				t.Errorf("%s on %s has no figures", plugin, topology)
			}
		}
	}
}

func adjacencyTells(t *testing.T, r *model.Report) {
	want := map[string]results.Adjacency{
		"l2": {Neighbour: true, Forwards: true, TTL: 64}, "routed": {}, "vpc": {Neighbour: true, ProxyARP: true},
	}
	pairs := map[string]int{}
	for _, a := range r.Adjacency {
		w := want[a.Topology.String()]
		pairs[a.Plugin+" on "+a.Topology.String()]++
		if a.Neighbour != w.Neighbour || a.Forwards != w.Forwards || a.ProxyARP != w.ProxyARP || a.TTL != w.TTL || a.Forwards == (!a.Cause.Empty()) {
			t.Errorf("%+v, want %+v", a, w)
		}
	}
	for _, plugin := range sampled() {
		for topology, cause := range matrix[plugin] {
			if n := pairs[plugin+" on "+topology]; n != 2 && cause != "needs a VPC" && lacked(t, plugin) == "" {
				t.Errorf("%s on %s: %d pairs, want both directions", plugin, topology, n)
			}
		}
	}
}

func encapsulatesBetweenSubnets(t *testing.T, r *model.Report) {
	seen := 0
	for _, e := range r.Encapsulation {
		if !e.Agrees {
			t.Errorf("%+v", e)
		}
		if !strings.Contains(e.Plugin, "directrouting") && !strings.Contains(e.Plugin, "crosssubnet") {
			continue
		}
		seen++
		if want := map[string]string{"l2": "none", "routed": "vxlan"}[e.Topology.String()]; e.Effective != want {
			t.Errorf("%s on %s puts on %s, want %s", e.Plugin, e.Topology, e.Effective, want)
		}
	}
	modes := 0
	for _, plugin := range sampled() {
		if strings.Contains(plugin, "directrouting") || strings.Contains(plugin, "crosssubnet") {
			modes++
		}
	}
	if seen != 2*modes || modes == 0 {
		t.Errorf("%d captures of %d modes, want two of each", seen, modes)
	}
}

func podsAreReached(t *testing.T, r *model.Report) {
	reached := map[string]bool{}
	for _, a := range r.Reachability {
		if a.Topology.Name != "vpc" {
			continue
		}
		source := results.SourceKept
		// What IPvlan sends on the node's own NIC bypasses the node's tables.
		if a.Direction == results.PodToOutsideNAT && a.Plugin != "cce-vpc" {
			source = results.SourceSNAT
		}
		if !a.Reachable && (a.Cause.Empty() || a.LastSeen == "") || a.Reachable && a.Source != source {
			t.Errorf("%+v", a)
		}
		reached[a.Plugin+" "+a.Direction] = a.Reachable
	}
	for plugin, want := range map[string]bool{
		"flannel-vxlan": false, "flannel-udp": false, "cce-tunnel": false, "calico-vxlan": false,
		"vpc-route": true, "terway-eniip": true, "terway-eni": true, "aws-vpc-cni": true, "cce-vpc": true, "terway-ipvlan": true,
	} {
		if lacked(t, plugin) != "" || !slices.Contains(sampled(), plugin) {
			continue
		}
		for _, direction := range []string{results.OutsideToPod, results.PodToOutside} {
			if got, ok := reached[plugin+" "+direction]; !ok || got != want {
				t.Errorf("%s, %s: reachable %v (known: %v), want %v", plugin, direction, got, ok, want)
			}
		}
		if masqueraded, ok := reached[plugin+" "+results.PodToOutsideNAT]; want == false && (!ok || !masqueraded) {
			t.Errorf("%s: masqueraded pods reach the outside: %v (known: %v)", plugin, masqueraded, ok)
		}
		for _, direction := range []string{results.PodToPod, results.PodToNeigh} {
			if !reached[plugin+" "+direction] {
				t.Errorf("%s, %s: not reachable", plugin, direction)
			}
		}
	}
}

func policiesHold(t *testing.T, r *model.Report) {
	seen := map[string]bool{}
	for _, p := range r.Policy {
		if seen[p.Plugin] = true; p.Enforced != strings.HasPrefix(p.Plugin, "calico") || p.Enforced == (!p.Cause.Empty()) {
			t.Errorf("%+v", p)
		}
	}
	for _, plugin := range []string{"flannel-vxlan", "flannel-host-gw", "flannel-udp", "calico-bgp", "calico-vxlan"} {
		if !seen[plugin] && slices.Contains(sampled(), plugin) {
			t.Errorf("nothing is known of policies with %s", plugin)
		}
	}
	if len(r.NotMeasured) != 1 || !slices.Contains(r.NotMeasured[0].Places, words.Quote("terway-eniip on vpc")) || seen["terway-eniip"] {
		t.Errorf("policies of data paths: %+v", r.NotMeasured)
	}
}

// waysAreSeen checks the devices on the pods' paths, without their nodes and without
// the random names of pods' ends.
func waysAreSeen(t *testing.T, r *model.Report) {
	want := map[string]string{
		"host l2":                     "eth0 eth0",
		"flannel-vxlan l2":            "eth0 veth cni0 flannel.1 eth0 eth0 flannel.1 cni0 veth eth0",
		"flannel-host-gw l2":          "eth0 veth cni0 eth0 eth0 cni0 veth eth0",
		"flannel-udp l2":              "eth0 veth cni0 flannel0 eth0 eth0 flannel0 cni0 veth eth0",
		"calico-bgp l2":               "eth0 cali eth0 eth0 cali eth0",
		"calico-vxlan routed":         "eth0 cali vxlan.calico eth0 eth0 vxlan.calico cali eth0",
		"calico-bgp routed":           "eth0 cali eth0",
		"flannel-host-gw routed":      "eth0 veth cni0 eth0",
		"terway-eniip vpc":            "eth0 veth eth1 eth1 veth eth0",
		"terway-eni vpc":              "eth0 eth0",
		"flannel-host-gw vpc":         "eth0 veth cni0 eth0",
		"calico-vxlan-crosssubnet l2": "eth0 cali eth0 eth0 cali eth0",
	}
	maps.DeleteFunc(want, func(place, _ string) bool {
		plugin, _, _ := strings.Cut(place, " ")
		return plugin != results.HostPlugin && !slices.Contains(sampled(), plugin)
	})
	if lacked(t, "cce-tunnel") == "" {
		want["cce-tunnel routed"] = "eth0 cce vxlan_sys_4789 eth0 eth0 vxlan_sys_4789 cce eth0"
	}
	for _, h := range r.Hops {
		names := make([]string, len(h.Devices))
		for i, d := range h.Devices {
			_, names[i], _ = strings.Cut(d, "/")
			for _, random := range []string{"veth", "cali", "cce"} {
				if strings.HasPrefix(names[i], random) {
					names[i] = random
				}
			}
		}
		place := h.Plugin + " " + h.Topology.String()
		if way, ok := want[place]; ok && way != strings.Join(names, " ") {
			t.Errorf("%s: %v, want %s", place, h.Devices, way)
		}
		c := r.Cell(results.Cell{Plugin: h.Plugin, Topology: h.Topology, Wire: "none"})
		if works := c.Status == results.StatusOK; works != h.Arrived {
			t.Errorf("%s: %+v of a cell that is %s", place, h, c.Status)
		}
		delete(want, place)
	}
	if len(want) > 0 {
		t.Errorf("no path is known of %v", want)
	}
}

// TestVPCVariants checks the effects of the topology's options.
func TestVPCVariants(t *testing.T) {
	needs(t, "flannel-host-gw", "vpc-route")
	r := measure(t, "--plugins", "flannel-host-gw,vpc-route", "--topology", "vpc:srcdst-off,vpc:l3-only,vpc:srcdst-off:two-subnets,vpc:quota=1",
		"--wire", "none", "--rounds", "1", "--duration", "100ms", "--probes", "tcp-rr,adjacency,encap")
	for _, c := range []struct {
		plugin, topology, status, cause string
		forwards, proxyARP              bool
	}{
		{"flannel-host-gw", "vpc:srcdst-off", results.StatusOK, "", true, true},
		{"flannel-host-gw", "vpc:l3-only", results.StatusFailed, "no VPC route leads to the destination", false, true},
		{"flannel-host-gw", "vpc:srcdst-off:two-subnets", results.StatusFailed, "was refused a route", false, false},
		{"flannel-host-gw", "vpc:quota=1", results.StatusFailed, "dropped by source/dest check", false, true},
		{"vpc-route", "vpc:srcdst-off", results.StatusOK, "", true, true},
		{"vpc-route", "vpc:l3-only", results.StatusOK, "", false, true},
		{"vpc-route", "vpc:srcdst-off:two-subnets", results.StatusOK, "", false, false},
		{"vpc-route", "vpc:quota=1", results.StatusFailed, "the quota of 1 routes in the VPC's table is used up", false, false},
	} {
		t.Run(c.plugin+" on "+c.topology, func(t *testing.T) {
			cell := r.Cell(results.Cell{Plugin: c.plugin, Topology: results.On(c.topology), Wire: "none"})
			if cell == nil || cell.Status != c.status || !strings.Contains(cell.Cause.String(), c.cause) {
				t.Errorf("%+v, want %s: %s", cell, c.status, c.cause)
			}
			for _, a := range r.Adjacency {
				if a.Plugin == c.plugin && a.Topology.Name == c.topology && (a.Forwards != c.forwards || a.ProxyARP != c.proxyARP) {
					t.Errorf("%+v, want forwards %v, proxy ARP %v", a, c.forwards, c.proxyARP)
				}
			}
		})
	}
}

// TestPodsOfTheCloudComeAndGo adds more pods than the cloud can provide for at once,
// by plugins that ask the cloud for something for each pod.
func TestPodsOfTheCloudComeAndGo(t *testing.T) {
	needs(t, "terway-eni", "terway-eniip", "aws-vpc-cni")
	r := measure(t, "--plugins", "terway-eni,terway-eniip,aws-vpc-cni", "--topology", "vpc", "--wire", "none", "--rounds", "6",
		"--duration", "100ms", "--probes", "cni-time")
	for _, plugin := range []string{"terway-eni", "terway-eniip", "aws-vpc-cni"} {
		c := r.Cell(results.Cell{Plugin: plugin, Topology: results.On("vpc"), Wire: "none"})
		if c == nil || c.Status != results.StatusOK || len(c.Metrics) == 0 || c.Metrics[0].N != 6 {
			t.Errorf("%s: %+v", plugin, c)
		}
	}
}
