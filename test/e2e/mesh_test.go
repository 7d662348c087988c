package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/report/mesh"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// allNodes adds two nodes to the cluster and surveys all four, whole and with something
// wrong with one of them.
func allNodes(t *testing.T, k *kube) {
	k.join(t, "3", "4")
	for node, zone := range map[string]string{"k8s-n1": "a", "k8s-n2": "b", "k8s-n3": "a", "k8s-n4": "b"} {
		k.kubectl(t, "label", "node", node, "topology.kubernetes.io/zone="+zone)
	}
	defer k.kubectl(t, "label", "nodes", "--all", "topology.kubernetes.io/zone-")
	t.Run("whole", func(t *testing.T) {
		r := k.survey(t)
		for i := range r.Survey {
			if s := &r.Survey[i]; s.Nodes != 4 || s.Pairs != 12 || s.Reached != 12 || !s.Faultless() {
				t.Errorf("%+v", s)
			}
		}
		for _, n := range r.Nodes {
			if zone := map[bool]string{true: "a", false: "b"}[n.Name == "k8s-n1" || n.Name == "k8s-n3"]; n.Zone != zone || n.Plugin != results.HostPlugin && n.Range == "" {
				t.Errorf("%+v", n)
			}
		}
		if len(r.Survey) != 2 || r.Run.Asked.Nodes != 4 {
			t.Errorf("%d surveys, %d nodes", len(r.Survey), r.Run.Asked.Nodes)
		}
	})
	t.Run("a node without pods, and one with a taint", func(t *testing.T) { k.twoMissing(t) })
	t.Run("a node that is cut off", func(t *testing.T) { k.cutOff(t) })
}

// join adds nodes to the cluster until the test ends.
func (k *kube) join(t *testing.T, numbers ...string) {
	t.Helper()
	script, err := filepath.Abs("kube/join.sh")
	if err != nil {
		t.Fatal(err)
	}
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(k.init), "-m", "-p", "-n", "--", script}, numbers...)...)
	cmd.Env = append(os.Environ(), "T="+k.dir, "KUBE="+k.binary, "CNI="+bin, "TEST="+strconv.Itoa(os.Getpid()))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("joining nodes: %v: %s", err, out)
	}
	t.Cleanup(func() {
		for _, n := range numbers {
			pid, err := os.ReadFile(filepath.Join(k.dir, "node"+n+".pid"))
			if err != nil {
				t.Error(err)
				continue
			}
			if out, err := exec.Command("nsenter", "-t", strconv.Itoa(k.init), "-m", "-p", "kill", "-KILL", strings.TrimSpace(string(pid))).CombinedOutput(); err != nil {
				t.Errorf("stopping node %s: %v: %s", n, err, out)
			}
			if out, err := k.command(context.Background(), k.binary, "kubectl", "--kubeconfig", k.config(), "delete", "node", "k8s-n"+n).CombinedOutput(); err != nil {
				t.Errorf("removing node %s: %v: %s", n, err, out)
			}
		}
	})
}

// survey runs a survey of the cluster.
func (k *kube) survey(t *testing.T, more ...string) *model.Report {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.run(t, dir, append([]string{"--probes", "survey,tcp-rr", "--rounds", "1"}, more...)...)
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	t.Log(lines(out, "all pairs of nodes:", 12))
	k.nothingLeft(t)
	return loadReport(t, dir)
}

// lines returns some lines of a text from one that contains a word on.
func lines(text, from string, n int) string {
	all := strings.Split(text, "\n")
	at := max(slices.IndexFunc(all, func(l string) bool { return strings.Contains(l, from) }), 0)
	return strings.Join(all[at:min(at+n, len(all))], "\n")
}

// twoMissing breaks the configuration of one node's network, and taints another.
func (k *kube) twoMissing(t *testing.T) {
	conf := filepath.Join(k.dir, "n3", "cni", "10-cnibench.conflist")
	before, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(conf, before, 0o644)
	if err := os.WriteFile(conf, []byte(strings.Replace(string(before), `"type":"host-local"`, `"type":"missing"`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	k.kubectl(t, "taint", "node", "k8s-n4", "ours=only:NoSchedule")
	defer k.kubectl(t, "taint", "node", "k8s-n4", "ours-")
	r := k.survey(t, "--nodes", "all")
	for i := range r.Survey {
		s := &r.Survey[i]
		out, problem := nodeOf(r, s.Plugin, "k8s-n4"), nodeOf(r, s.Plugin, "k8s-n3").Problem.String()
		if !out.LeftOut || !strings.Contains(out.Problem.String(), "taint ours") {
			t.Errorf("%s: %+v", s.Plugin, out)
		}
		if host := s.Plugin == results.HostPlugin; host != (problem == "") || !host && !strings.Contains(problem, "missing") {
			t.Errorf("%s: k8s-n3: %q", s.Plugin, problem)
		}
		if want := map[bool]int{true: 6, false: 2}[s.Plugin == results.HostPlugin]; len(s.Sets) > 0 || s.Reached != want {
			t.Errorf("%s: %d reached, want %d: %+v", s.Plugin, s.Reached, want, s.Sets)
		}
	}
}

func nodeOf(r *model.Report, plugin, name string) model.Node {
	for _, n := range r.Nodes {
		if n.Plugin == plugin && n.Name == name {
			return n
		}
	}
	return model.Node{}
}

// workerOn reports whether a probe worker runs on a node.
func workerOn(t *testing.T, node string) bool {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Error(err)
	}
	for _, p := range processes {
		command, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		if string(command) != "/cnibench\x00worker\x00" {
			continue
		}
		group, _ := os.ReadFile(filepath.Join(p, "cgroup"))
		if strings.Contains(string(group), "/"+node+"-"+strconv.Itoa(os.Getpid())) {
			return true
		}
	}
	return false
}

// cutOff cuts a node off while the network of the plugin is surveyed.
func (k *kube) cutOff(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	cmd := k.command(ctx, k.program, "run", "--kubeconfig", k.config(), "--rounds", "1", "--duration", "200ms", "--probes", "survey,tcp-rr", "--out", dir)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	link := func(state string) {
		if out, err := k.command(context.Background(), "ip", "link", "set", "port4", state).CombinedOutput(); err != nil {
			t.Errorf("setting the link %s: %v: %s", state, err, out)
		}
	}
	var said strings.Builder
	down := make(chan struct{})
	for from, cut := bufio.NewScanner(stderr), false; from.Scan(); {
		fmt.Fprintln(&said, from.Text())
		switch inspecting := strings.HasPrefix(from.Text(), "inspecting the network: "); {
		case inspecting && !strings.Contains(from.Text(), ": host "):
			cut = true
			go func() { // as soon as the node's worker is there
				for begin := time.Now(); time.Since(begin) < time.Minute && !workerOn(t, "k8s-n4"); {
					time.Sleep(5 * time.Millisecond)
				}
				link("down")
				close(down)
			}()
		case cut && strings.HasPrefix(from.Text(), "round "):
			<-down
			link("up")
			cut = false
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	r := loadReport(t, dir)
	s := &r.Survey[len(r.Survey)-1]
	t.Logf("%+v, %q", s.Sets, nodeOf(r, s.Plugin, "k8s-n4").Problem)
	named := !nodeOf(r, s.Plugin, "k8s-n4").Problem.Empty()
	for _, set := range s.Sets {
		named = named || set.Scope == mesh.Node && set.Node == "k8s-n4"
		if set.Scope != mesh.Node || set.Node != "k8s-n4" {
			t.Errorf("%+v", set)
		}
	}
	if !named || s.Plugin == results.HostPlugin || s.Reached < 6 {
		t.Errorf("%+v\n%s", s, &said)
	}
	k.nothingLeft(t)
}
