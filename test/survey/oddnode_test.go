package survey

import (
	"cmp"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cnibench/cnibench/report/mesh"
	"github.com/cnibench/cnibench/report/model"
)

const dropTunnel = "-p udp --dport 8472 -j DROP"

// TestOddNode makes a fault in one node of a network, or in two. The survey must name
// these nodes and directions and no others.
func TestOddNode(t *testing.T) {
	program := needs(t, "flanneld", "bridge")
	nodes := 16
	if testing.Short() {
		nodes = 8
	}
	vxlan, calico := "flannel-vxlan", "calico-vxlan"
	for _, tt := range []struct {
		name     string
		plugin   string
		topology string
		nodes    int // 0 for the usual number
		faults   []fault
		want     []string // fault, node and direction of each set
		sampled  bool     // also in a short run
	}{
		{name: "none", plugin: vxlan},
		// What leaves the node is fragmented, since flannel's outer packets may be.
		{name: "a smaller MTU of the NIC", plugin: vxlan, faults: []fault{{node: 5, commands: []string{"ip link set eth0 mtu 1400"}}}, want: []string{"small node5 inbound"}},
		{name: "the tunnel's port closed inbound", plugin: vxlan, faults: []fault{{node: 5, commands: []string{"iptables -w -I INPUT " + dropTunnel}}}, want: []string{"unreached node5 inbound"}},
		{name: "the tunnel's port closed outbound", plugin: vxlan, faults: []fault{{node: 5, commands: []string{"iptables -w -I OUTPUT " + dropTunnel}}}, want: []string{"unreached node5 outbound"}},
		{name: "a fifth of what arrives is lost", plugin: vxlan, faults: []fault{{node: 5, commands: []string{"iptables -w -I INPUT -p udp --dport 8472 -m statistic --mode random --probability 0.2 -j DROP"}}},
			want: []string{"lossy node5 inbound"}},
		{name: "no default route", plugin: calico, faults: []fault{{node: 5, commands: []string{"ip route del default"}, inPod: []string{"ip neigh flush all"}}}, want: []string{"unreached node5 outbound"}},
		{name: "a node behind a router", plugin: "flannel-host-gw", topology: "routed", nodes: 3, want: []string{"unreached node2 both"}},
		{name: "two pods with one address", plugin: vxlan, faults: []fault{{node: 5, inPod: []string{"ip addr add {pod3}/24 dev eth0", "ip addr del {pod}/24 dev eth0"}}},
			want: []string{"duplicate node3,node5", "unassigned node5", "unreached node5 inbound"}},
		{name: "two faults in two nodes", plugin: vxlan, sampled: true,
			faults: []fault{{node: 3, commands: []string{"iptables -w -I INPUT " + dropTunnel}}, {node: 6, commands: []string{"ip link set eth0 mtu 1400"}}},
			want:   []string{"small node6 inbound", "unreached node3 inbound"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && !tt.sampled {
				t.Skip("part of make test-long")
			}
			r := start(t, program, tt.plugin, "--nodes", strconv.Itoa(cmp.Or(tt.nodes, nodes)), "--topology", cmp.Or(tt.topology, "l2"))
			if len(tt.faults) > 0 {
				r.inject(t, tt.faults...)
			} else {
				r.goOn()
			}
			s, text, page := r.report(t, program, tt.plugin)
			if n := cmp.Or(tt.nodes, nodes); s.Nodes != n || s.Pairs != n*(n-1) {
				t.Errorf("%d nodes, %d pairs", s.Nodes, s.Pairs)
			}
			if found := found(s); !slices.Equal(found, tt.want) {
				t.Errorf("found %q, want %q: %+v", found, tt.want, s.Sets)
			}
			for _, node := range named(s) {
				if strings.Count(text, node+" ") == 0 || !strings.Contains(page, node+" ") {
					t.Errorf("%s is not named in the text or on the page: %s", node, text)
				}
			}
		})
	}
}

// goOn lets a run go on in which nothing is made.
func (r *labRun) goOn() {
	go func() {
		<-r.paused
		r.signal(syscall.SIGCONT)
	}()
}

// found names the faults, nodes and directions of a survey's sets in order.
func found(s *model.Survey) []string {
	var all []string
	for _, a := range s.Addresses {
		all = append(all, fmt.Sprintf("%s %s", a.Kind, strings.Join(a.Nodes, ",")))
	}
	for _, set := range s.Sets {
		what := fmt.Sprintf("%s %s %s", set.Kind, set.Node, set.Direction)
		if set.Scope != mesh.Node {
			what = fmt.Sprintf("%s %s %v", set.Kind, set.Scope, set.Pairs)
		}
		all = append(all, what)
	}
	slices.Sort(all)
	return all
}

// named lists the nodes that a survey's sets are about.
func named(s *model.Survey) []string {
	var all []string
	for _, set := range s.Sets {
		all = append(all, set.Node)
	}
	return all
}

// TestNoFault surveys networks in which nothing is wrong, again and again: at most one
// survey of a plugin may find anything.
func TestNoFault(t *testing.T) {
	program := needs(t, "flanneld", "bridge", "calico-node")
	if testing.Short() {
		t.Skip("part of make test-long")
	}
	const times = 20
	for _, plugin := range []string{"flannel-vxlan", "calico-vxlan"} {
		t.Run(plugin, func(t *testing.T) {
			wrong := 0
			for seed := range times {
				r := start(t, program, plugin, "--nodes", "16", "--seed", strconv.Itoa(seed+1))
				r.goOn()
				s, _, _ := r.report(t, program, plugin)
				if s.Pairs != 240 || s.Reached != 240 {
					t.Errorf("seed %d: %d of %d pairs reached", seed+1, s.Reached, s.Pairs)
				}
				if !s.Faultless() {
					wrong++
					t.Logf("seed %d: %q", seed+1, found(s))
				}
			}
			t.Logf("%d of %d surveys found a fault", wrong, times)
			if wrong > 1 {
				t.Errorf("%d surveys found a fault", wrong)
			}
		})
	}
}

// TestManyNodes surveys as many nodes as the lab has.
func TestManyNodes(t *testing.T) {
	program := needs(t, "flanneld", "bridge")
	if testing.Short() {
		t.Skip("part of make test-long")
	}
	r := start(t, program, "flannel-vxlan", "--nodes", "64")
	r.goOn()
	s, text, _ := r.report(t, program, "flannel-vxlan")
	if s.Nodes != 64 || s.Pairs != 64*63 || s.Reached != s.Pairs || !s.Faultless() {
		t.Errorf("%d nodes, %d of %d pairs reached: %q\n%s", s.Nodes, s.Reached, s.Pairs, found(s), text)
	}
}

// TestSlowNode slows what one node receives by a quarter. The node is named with that
// direction, and no other.
func TestSlowNode(t *testing.T) {
	program := needs(t, "flanneld", "bridge")
	if testing.Short() {
		t.Skip("part of make test-long")
	}
	const plugin = "flannel-vxlan"
	r := start(t, program, plugin, "--nodes", "16", "--pairs", "64", "--wire", "1gbit", "--duration", "200ms")
	r.inject(t, fault{node: 5, commands: []string{"tc qdisc add dev cni0 root tbf rate 700mbit burst 256kb latency 50ms"}})
	all := r.wholeReport(t)
	out, err := exec.Command(program, "report", r.dir, "--quiet").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(part(string(out), "goodput of a TCP stream over pairs"))
	for _, s := range all.PairSpeeds {
		var slow []string
		for _, n := range s.Slow {
			if n.Confirmed {
				slow = append(slow, fmt.Sprint(n.Node, " receiver ", n.Receiver))
			}
		}
		want := []string{"node5 receiver true"}
		if s.Plugin != plugin {
			want = nil
		}
		if !slices.Equal(slow, want) {
			t.Errorf("%s: slow are %q, want %q: %+v", s.Plugin, slow, want, s.Slow)
		}
	}
	if len(all.PairSpeeds) != 2 {
		t.Errorf("%d networks", len(all.PairSpeeds))
	}
}
