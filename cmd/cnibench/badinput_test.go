package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBadInput(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(full, "file")
	spec := filepath.Join(full, "spec.yaml")
	if err := os.WriteFile(spec, []byte("plugins: [calico]\nroundz: 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	needs := filepath.Join(full, "needs.yaml")
	if err := os.WriteFile(needs, []byte("network_policy: true\nnodes: -1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	inNamespace := writeFile(t, "namespace.yaml", "namespace: mine\n")
	onNodes := writeFile(t, "nodes.yaml", "node_selector: {pool: a}\n")
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no plugins", []string{"run"}, "no plugins named"},
		{"an unknown plugin", []string{"run", "--plugins", "flanel-vxlan"}, "did you mean flannel-vxlan"},
		{"a glob that matches nothing", []string{"run", "--plugins", "weave-*"}, "weave-*"},
		{"an unknown probe", []string{"run", "--plugins", "calico", "--probes", "tcp-strem"}, "did you mean tcp-stream"},
		{"an unknown parameter", []string{"run", "--plugins", "calico", "--probes", "tcp-rr:sise=1"}, "did you mean size"},
		{"a parameter out of range", []string{"run", "--plugins", "calico", "--probes", "tcp-rr:size=0"}, "from 1 to"},
		{"a rate of 0", []string{"run", "--plugins", "calico", "--wire", "0gbit"}, "outside 1kbit"},
		{"no rate at all", []string{"run", "--plugins", "calico", "--wire", "fast"}, "such as 1gbit"},
		{"a wire twice", []string{"run", "--plugins", "calico", "--wire", "1gbit,1gbit"}, "twice"},
		{"an unknown property of a link", []string{"run", "--plugins", "calico", "--link", "dealy=1ms"}, "did you mean delay"},
		{"a link that loses all", []string{"run", "--plugins", "calico", "--link", "loss=100%"}, "outside 0.0001% to 10%"},
		{"a search for loss on a link that loses", []string{"run", "--plugins", "calico", "--link", "loss=1%", "--probes", "udp-pps"}, "udp-pps"},
		{"a link of a cluster", []string{"run", "--testbed", "cluster", "--link", "delay=1ms"}, "is for the lab"},
		{"a negative duration", []string{"run", "--plugins", "calico", "--duration", "-1s"}, "duration -1"},
		{"a duration that is all warm-up", []string{"run", "--plugins", "calico", "--duration", "1ms"}, "duration 0.001"},
		{"negative rounds", []string{"run", "--plugins", "calico", "--rounds", "-1"}, "rounds -1"},
		{"more deployments than rounds", []string{"run", "--plugins", "calico", "--rounds", "4", "--redeploy", "6"}, "rounds 4 is less than redeploy 6"},
		{"more deployments than an adaptive run may have rounds", []string{"run", "--plugins", "calico", "--max-rounds", "4", "--redeploy", "6"}, "max-rounds 4 is less than redeploy 6"},
		{"no deployment", []string{"run", "--plugins", "calico", "--redeploy", "0"}, "redeploy 0"},
		{"deployments of a cluster", []string{"run", "--testbed", "cluster", "--redeploy", "6"}, "--redeploy is for the lab"},
		{"deployments of an installed plugin", []string{"run", "--install", "flannel-vxlan", "--redeploy", "6"}, "--redeploy is for the lab"},
		{"a margin of nothing", []string{"run", "--plugins", "calico", "--margin", "0"}, "margin 0"},
		{"an MTU that no IPv4 host may have", []string{"run", "--plugins", "calico", "--mtu", "100"}, "mtu 100"},
		{"one node", []string{"run", "--plugins", "calico", "--nodes", "1"}, "nodes 1"},
		{"pairs of two nodes", []string{"run", "--plugins", "calico", "--pairs", "8"}, "at least 3 nodes"},
		{"all nodes of the lab", []string{"run", "--plugins", "calico", "--nodes", "all"}, "is for a cluster"},
		{"nodes that are no number", []string{"run", "--plugins", "calico", "--nodes", "many"}, "a whole number, or all"},
		{"an unknown topology", []string{"run", "--plugins", "calico", "--topology", "l3"}, "did you mean l2"},
		{"an unknown option of a topology", []string{"run", "--plugins", "calico", "--topology", "vpc:srcdst"}, "did you mean srcdst-off"},
		{"an option of a topology without options", []string{"run", "--plugins", "calico", "--topology", "l2:l3-only"}, "takes no options"},
		{"options that contradict each other", []string{"run", "--plugins", "calico", "--topology", "vpc:srcdst-off:drop-ipip"}, "add l3-only"},
		{"an unknown kernel", []string{"run", "--plugins", "calico", "--kernel", "ulm"}, "did you mean uml"},
		{"an unknown placement", []string{"run", "--plugins", "calico", "--placement", "samee"}, "did you mean same"},
		{"a control that is not compared", []string{"run", "--plugins", "calico", "--control", "flannel-vxlan"}, "must be one of"},
		{"an unknown format", []string{"run", "--plugins", "calico", "--format", "txt"}, "did you mean text"},
		{"an unknown language", []string{"run", "--plugins", "calico", "--lang", "de"}, "there are en, zh"},
		{"advice in an unknown language", []string{"advise", "--lang", "de"}, "there are en, zh"},
		{"an unknown flag", []string{"run", "--plugin", "calico"}, "did you mean --plugins? (cnibench run --help lists the flags)"},
		{"a number that is none", []string{"run", "--plugins", "calico", "--rounds", "many"}, `--rounds takes a whole number, not "many"`},
		{"a number that is too large", []string{"run", "--plugins", "calico", "--rounds", "99999999999999999999"}, "out of range"},
		{"a time without a unit", []string{"run", "--plugins", "calico", "--duration", "2"}, "such as 500ms"},
		{"no rounds", []string{"run", "--plugins", "calico", "--rounds", "0"}, "--rounds 0 is outside 1 to 10000"},
		{"a cap of a fixed number", []string{"run", "--plugins", "calico", "--rounds", "3", "--max-rounds", "5"}, "--max-rounds has no effect"},
		{"a seed of nothing", []string{"run", "--plugins", "calico", "--seed", "0"}, "--seed 0"},
		{"resume of a variable that is not set", []string{"run", "--plugins", "calico", "--resume", ""}, "--resume needs a value"},
		{"an output directory without a name", []string{"run", "--plugins", "calico", "--out", ""}, "--out needs a value"},
		{"a context without a name", []string{"run", "--plugins", "calico", "--context", ""}, "--context needs a value"},
		{"probes without a name", []string{"run", "--plugins", "calico", "--probes", ""}, "--probes needs a value"},
		{"an unknown testbed", []string{"run", "--plugins", "calico", "--testbed", "clustr"}, "did you mean cluster"},
		{"an image in the lab", []string{"run", "--plugins", "calico", "--image", "x"}, "--image is for a cluster"},
		{"a namespace of a spec in the lab", []string{"run", "--testbed", "lab", "--plugins", "calico", "-f", inNamespace}, "namespace in " + inNamespace + " is for a cluster"},
		{"labels of a spec in the lab", []string{"run", "--plugins", "calico", "-f", onNodes}, "node_selector in " + onNodes + " is for a cluster"},
		{"rights in the lab", []string{"run", "--plugins", "calico", "--unprivileged"}, "--unprivileged is for a cluster"},
		{"a context and the lab", []string{"run", "--plugins", "calico", "--testbed", "lab", "--context", "x"}, "--context is for a cluster"},
		{"an image of flannel that is not installed", []string{"run", "--testbed", "cluster", "--flannel-image", "x"}, "--flannel-image has no effect without --install"},
		{"a spec that is a folder", []string{"run", "-f", full}, "is a directory"},
		{"help on an unknown command", []string{"help", "rnu"}, "did you mean run"},
		{"completion of an unknown shell", []string{"completion", "bahs"}, "did you mean bash"},
		{"an argument too many", []string{"run", "--plugins", "calico", "flannel"}, "takes no argument"},
		{"an output directory that is not empty", []string{"run", "--plugins", "calico", "--out", full}, "is not empty"},
		{"an output directory that is a file", []string{"run", "--plugins", "calico", "--out", file}, "making the run directory"},
		{"an output directory that cannot be written", []string{"run", "--plugins", "calico", "--out", "/proc/cnibench"}, "making the run directory"},
		{"a spec that is not there", []string{"run", "-f", filepath.Join(full, "none.yaml")}, "no such file"},
		{"a spec with an unknown key", []string{"run", "-f", spec}, "roundz"},
		{"the line of an unknown key", []string{"run", "-f", spec}, "line 2"},
		{"needs that are nonsense", []string{"advise", keptRun, "-f", needs}, "line 2: nodes: -1"},
		{"needs that are not there", []string{"advise", keptRun, "-f", filepath.Join(full, "none.yaml")}, "no such file"},
		{"advice on two runs", []string{"advise", "a", "b"}, "at most one run directory"},
		{"advice on no run", []string{"advise"}, "there is no run below results/runs"},
		{"an unknown command", []string{"rnu"}, "did you mean run"},
		{"a report of nothing", []string{"report"}, "one run directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, log := runProgram(t, c.args...)
			if code != exitUsage || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, c.says) {
				t.Errorf("exit %d, stdout %q, stderr %q", code, out, log)
			}
		})
	}
}

func TestReportOfWhatIsNoRun(t *testing.T) {
	code, _, log := runProgram(t, "report", t.TempDir())
	if code != exitBroke || !strings.Contains(log, "is not a run directory") {
		t.Errorf("exit %d: %s", code, log)
	}
}

func TestMissingProgramNamesItsTarget(t *testing.T) {
	p := newTestProgram()
	p.bin = t.TempDir()
	code := p.run(t.Context(), []string{"run", "--plugins", "flannel-vxlan", "--out", filepath.Join(t.TempDir(), "run")})
	if code != exitUsage || !strings.Contains(p.log.String(), "flanneld") || !strings.Contains(p.log.String(), "make tools") {
		t.Errorf("exit %d: %s", code, p.log)
	}
}

func TestDoctorNamesWhatIsMissing(t *testing.T) {
	p := newTestProgram()
	p.bin = t.TempDir()
	code := p.run(t.Context(), []string{"doctor"})
	if code != exitBroke || !strings.Contains(p.out.String(), "make tools") {
		t.Errorf("exit %d: %s", code, p.out)
	}
}

func TestPluginsCommand(t *testing.T) {
	needs(t, "flannel-vxlan")
	code, out, log := runProgram(t, "plugins")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, log)
	}
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "flannel-vxlan ") && !strings.Contains(line, " yes ") {
			t.Errorf("flannel-vxlan cannot run: %s", line)
		}
	}
	for _, p := range testCatalogue {
		if !strings.Contains(out, p.Name) {
			t.Errorf("%s is not listed", p.Name)
		}
	}
}

func TestVersionNamesEveryProgram(t *testing.T) {
	code, out, log := runProgram(t, "version")
	if code != exitDone || log != "" {
		t.Fatalf("exit %d: %s", code, log)
	}
	for _, name := range []string{"cnibench", "flanneld", "calico-node", "etcd", "bridge", "bird", "iptables", "ipset"} {
		if !strings.Contains(out, name) {
			t.Errorf("no %s in\n%s", name, out)
		}
	}
}

func TestHelpIsWhole(t *testing.T) {
	code, out, _ := runProgram(t, "run", "--help")
	for _, word := range []string{"--plugins", "--rounds", "--precision", "--seed", "tcp-stream", "tcp-rr", "encap"} {
		if code != exitDone || !strings.Contains(out, word) {
			t.Errorf("exit %d, no %s in the help", code, word)
		}
	}
}
