// Package survey tests the survey of all pairs of nodes with the program that make build
// makes. The faults are made from outside the program, in the namespaces of its lab.
package survey

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cnibench/cnibench/report/model"
)

// needs skips the test if this machine cannot run it, and returns the program. In
// continuous integration nothing may be missing.
func needs(t *testing.T, programs ...string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("entering a lab's namespaces from outside needs root")
	}
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(programs, "cnibench") {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("no bin/%s (make build tools)", name)
			}
			t.Skipf("no bin/%s (make build tools)", name)
		}
	}
	return filepath.Join(bin, "cnibench")
}

// fault is something that is wrong with one node.
type fault struct {
	node     int // counted from 1
	commands []string
	inPod    []string // run in the namespace of the node's pod instead
}

// labRun is a run of the program with a lab of its own.
type labRun struct {
	cmd    *exec.Cmd
	dir    string
	paused chan struct{}
	mu     sync.Mutex
	log    bytes.Buffer
}

// start starts a run with a survey of one plugin. It is stopped when it begins to
// inspect the plugin's network, which is up by then.
func start(t *testing.T, program, plugin string, args ...string) *labRun {
	t.Helper()
	r := &labRun{dir: filepath.Join(t.TempDir(), "run"), paused: make(chan struct{})}
	args = append([]string{"run", "--plugins", plugin, "--rounds", "1", "--probes", "mtu,reach,survey,tcp-rr", "--out", r.dir}, args...)
	if !slices.Contains(args, "--wire") {
		args = append(args, "--wire", "none", "--duration", "100ms")
	}
	r.cmd = exec.Command(program, args...)
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.cmd.Process.Kill() })
	go r.read(stderr, "inspecting the network: "+plugin+" on ")
	return r
}

// read keeps what the run says, and stops the lab at the first line with a prefix.
func (r *labRun) read(from io.Reader, at string) {
	lines, stopped := bufio.NewScanner(from), false
	for lines.Scan() {
		r.mu.Lock()
		fmt.Fprintln(&r.log, lines.Text())
		r.mu.Unlock()
		if !stopped && strings.HasPrefix(lines.Text(), at) {
			stopped = true
			r.signal(syscall.SIGSTOP)
			close(r.paused)
		}
	}
}

func (r *labRun) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// signal sends a signal to the lab's init, the only child of the program.
func (r *labRun) signal(s syscall.Signal) {
	if init := r.init(); init > 0 {
		syscall.Kill(init, s)
	}
}

func (r *labRun) init() int {
	pid := strconv.Itoa(r.cmd.Process.Pid)
	tasks, _ := filepath.Glob(filepath.Join("/proc", pid, "task", "*", "children"))
	for _, f := range tasks {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for _, child := range strings.Fields(string(b)) {
			n, err := strconv.Atoi(child)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// namespaces maps the addresses of the plugin's network to the file of the network
// namespace that has them. Every network of the run has nodes with the same addresses:
// those with a pod's network are the plugin's.
func (r *labRun) namespaces(t *testing.T) (nodes map[int]string, pods map[int]string) {
	t.Helper()
	nodes, pods = map[int]string{}, map[int]string{}
	podAddrs := map[string]string{}
	routed := map[int]string{} // pod's address of each node
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", r.init()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if to, err := os.Readlink(f); err != nil || !strings.HasPrefix(to, "net:") {
			continue
		}
		addrs := outputIn(t, f, "ip -4 -o addr show scope global")
		node := 0
		for line := range strings.Lines(addrs) {
			fields := strings.Fields(line)
			addr, _, _ := strings.Cut(fields[3], "/")
			if b := strings.Split(addr, "."); fields[1] == "eth0" && b[0] == "100" && b[1] == "64" {
				last, _ := strconv.Atoi(b[3])
				node = last - 10
			}
			if fields[1] == "eth0" && strings.HasPrefix(addr, "10.") {
				podAddrs[addr] = f
			}
		}
		if node < 1 {
			continue
		}
		if pod := podOf(addrs, outputIn(t, f, "ip -4 route show"), outputIn(t, f, "ip -4 neigh show dev cni0")); pod != "" {
			nodes[node], routed[node] = f, pod
		}
	}
	for node, addr := range routed {
		pods[node] = podAddrs[addr]
	}
	return nodes, pods
}

// podOf returns the address of the only pod of a node: the neighbour on the bridge
// cni0, or the address with a route to an interface of Calico.
func podOf(addrs, routes, neighbours string) string {
	for line := range strings.Lines(routes) {
		if fields := strings.Fields(line); len(fields) > 2 && strings.HasPrefix(fields[2], "cali") {
			return fields[0]
		}
	}
	if strings.Contains(addrs, "cni0") {
		if fields := strings.Fields(neighbours); len(fields) > 0 {
			return fields[0]
		}
	}
	return ""
}

// outputIn runs a command in a network namespace. A command that fails prints nothing.
func outputIn(t *testing.T, netns, command string) string {
	t.Helper()
	out, _ := exec.Command("nsenter", append([]string{"--net=" + netns}, strings.Fields(command)...)...).Output()
	return string(out)
}

// inject waits until the run is stopped, makes the faults and lets it go on.
func (r *labRun) inject(t *testing.T, faults ...fault) {
	t.Helper()
	select {
	case <-r.paused:
	case <-time.After(3 * time.Minute):
		t.Fatalf("the run did not come so far: %s", r.said())
	}
	nodes, pods := r.namespaces(t)
	for _, f := range faults {
		do := func(netns string, commands []string) {
			for _, c := range commands {
				c = strings.NewReplacer("{pod3}", addressIn(t, pods[3]), "{pod}", addressIn(t, pods[f.node])).Replace(c)
				if out, err := exec.Command("nsenter", append([]string{"--net=" + netns}, strings.Fields(c)...)...).CombinedOutput(); err != nil {
					t.Errorf("node%d: %s: %v: %s", f.node, c, err, out)
				}
			}
		}
		if nodes[f.node] == "" || pods[f.node] == "" {
			t.Fatalf("no namespaces of node%d and its pod in %v, %v", f.node, nodes, pods)
		}
		do(nodes[f.node], f.commands)
		do(pods[f.node], f.inPod)
	}
	r.signal(syscall.SIGCONT)
}

// addressIn returns the first address of eth0 in a namespace.
func addressIn(t *testing.T, netns string) string {
	t.Helper()
	if netns == "" {
		return ""
	}
	fields := strings.Fields(outputIn(t, netns, "ip -4 -o addr show dev eth0"))
	if len(fields) < 4 {
		return ""
	}
	addr, _, _ := strings.Cut(fields[3], "/")
	return addr
}

// wholeReport waits for the end of the run and returns its report.json.
func (r *labRun) wholeReport(t *testing.T) *model.Report {
	t.Helper()
	if err := r.cmd.Wait(); err != nil && r.cmd.ProcessState.ExitCode() > 1 {
		t.Fatalf("%v: %s", err, r.said())
	}
	b, err := os.ReadFile(filepath.Join(r.dir, "report.json"))
	if err != nil {
		t.Fatalf("%v: %s", err, r.said())
	}
	var all model.Report
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return &all
}

// report waits for the end of the run and returns what its report.json says of a plugin,
// with the text and the page.
func (r *labRun) report(t *testing.T, program, plugin string) (s *model.Survey, text, page string) {
	t.Helper()
	all := r.wholeReport(t)
	html, err := os.ReadFile(filepath.Join(r.dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "report", r.dir, "--quiet").Output()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all.Survey, func(s model.Survey) bool { return s.Plugin == plugin })
	if at < 0 {
		t.Fatalf("no survey of %s: %s", plugin, r.said())
	}
	t.Log(part(string(out), "all pairs of nodes:"))
	return &all.Survey[at], string(out), string(html)
}

// part returns the lines of a report from one that contains a text to the next empty one.
func part(report, from string) string {
	_, rest, _ := strings.Cut(report, from)
	rest, _, _ = strings.Cut(rest, "\n\n")
	return from + rest
}
