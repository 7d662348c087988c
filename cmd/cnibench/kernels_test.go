package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/lab"
)

// inUML returns the arguments of a short run with at least one part in User-Mode
// Linux: all of it if the machine's own kernel has ipip.
func inUML(t *testing.T, plugins, probes string) []string {
	t.Helper()
	needsGuest(t)
	missing, err := featuresOnce()
	if err != nil {
		t.Fatal(err)
	}
	kernel := results.KernelAuto
	if missing["ipip"] == "" {
		kernel = results.KernelUML
	}
	return []string{"--plugins", plugins, "--kernel", kernel, "--probes", probes, "--wire", "none", "--rounds", "2", "--duration", "150ms"}
}

// TestKernelOfItsOwn measures plugins that need features the machine's kernel lacks,
// beside others, as the test's user.
func TestKernelOfItsOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := runProgram(t, append([]string{"run", "--out", dir}, inUML(t, "flannel-vxlan,flannel-ipip,flannel-wireguard", "tcp-rr,encap,adjacency")...)...)
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, log)
	}
	r := loadReport(t, dir)
	if !r.Run.Complete || r.Run.Rounds != 2 {
		t.Errorf("run: %+v", r.Run)
	}
	t.Run("the kernel is told", func(t *testing.T) { kernelIsTold(t, r, out) })
	t.Run("each kernel has a baseline", func(t *testing.T) { eachHasABaseline(t, r) })
	t.Run("nothing is compared across kernels", func(t *testing.T) { nothingAcross(t, r) })
	t.Run("the wire shows IP in IP", func(t *testing.T) {
		if !slices.ContainsFunc(r.Encapsulation, func(e results.Encapsulation) bool {
			return e.Plugin == "flannel-ipip" && e.Effective == "ipip" && e.OverheadBytes == 20 && e.Agrees && e.Frames > 0
		}) {
			t.Errorf("%+v", r.Encapsulation)
		}
	})
	t.Run("files of one kernel are not those of another", func(t *testing.T) { filesOfEachKernel(t, dir, r) })
	t.Run("the kernel's log is kept", func(t *testing.T) {
		text, err := os.ReadFile(lab.GuestLogPath(filepath.Join(dir, results.LogDir)))
		if err != nil || !strings.Contains(string(text), "Linux version") {
			t.Errorf("%v, %d bytes", err, len(text))
		}
	})
}

// kernels returns the kernels of a plugin's cells that are ok.
func kernels(r *model.Report, plugin string) []string {
	var all []string
	for _, c := range r.Cells {
		if c.Plugin == plugin && c.Status == results.StatusOK && len(c.Metrics) > 0 {
			all = append(all, c.Kernel)
		}
	}
	return all
}

func kernelIsTold(t *testing.T, r *model.Report, out string) {
	if in := kernels(r, "flannel-ipip"); len(in) != 1 || !strings.HasPrefix(in[0], "uml ") {
		t.Errorf("flannel-ipip ran in %q", in)
	}
	if in := kernels(r, "flannel-vxlan"); len(in) != 1 {
		t.Errorf("flannel-vxlan ran in %q", in)
	}
	if !strings.Contains(out, "flannel-ipip ran in uml ") || !strings.Contains(out, "not with those of Linux "+r.Host.Kernel) {
		t.Error("the report does not say what may be compared")
	}
	for _, c := range r.Cells {
		if c.Plugin == "flannel-wireguard" && (c.Status != results.StatusUnsupported || !strings.Contains(c.Cause.String(), "kernel lacks wireguard")) {
			t.Errorf("flannel-wireguard is %s: %s", c.Status, c.Cause)
		}
		if c.Topology.Name != "l2" {
			t.Errorf("%s is on topology %q", c.Plugin, c.Topology)
		}
	}
}

func eachHasABaseline(t *testing.T, r *model.Report) {
	var want []string
	for _, plugin := range []string{"flannel-vxlan", "flannel-ipip"} {
		want = append(want, kernels(r, plugin)...)
	}
	slices.Sort(want)
	got := kernels(r, results.HostPlugin)
	if slices.Sort(got); !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("baselines in %q, plugins in %q", got, want)
	}
	for _, c := range r.Cells {
		if m := c.Metric("tcp-rr", "p50"); c.Plugin != results.HostPlugin && m != nil && (m.VsHost == nil || m.VsHost.N != 2) {
			t.Errorf("%s against its kernel's host: %+v", c.Plugin, m.VsHost)
		}
	}
}

func nothingAcross(t *testing.T, r *model.Report) {
	in := func(plugin, kernel string) bool {
		return slices.ContainsFunc(kernels(r, plugin), func(k string) bool { return k == kernel || kernel == "" && k == r.Host.Kernel })
	}
	for _, c := range r.Comparisons {
		if !in(c.A, c.Kernel) || !in(c.B, c.Kernel) {
			t.Errorf("%s and %s are compared in kernel %q", c.A, c.B, c.Kernel)
		}
	}
	if len(r.Comparisons) == 0 {
		t.Error("nothing is compared at all")
	}
	for _, a := range r.Recommendation {
		if a.Plugin != "" && !in(a.Plugin, a.Kernel) {
			t.Errorf("%s is recommended in kernel %q", a.Plugin, a.Kernel)
		}
	}
}

// filesOfEachKernel compares the percentiles of the baseline in each kernel with the
// files of that kernel's samples. No two files may have the same name.
func filesOfEachKernel(t *testing.T, dir string, r *model.Report) {
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	merged := map[results.Cell]*hdrhistogram.Histogram{}
	for _, record := range recorded.Records {
		file := ""
		switch {
		case record.Sample != nil:
			file = record.Sample.Hist
		case record.Encapsulation != nil:
			file = record.Encapsulation.Capture
		}
		if file == "" {
			continue
		}
		if named[file] {
			t.Errorf("the journal names %s twice", file)
		}
		named[file] = true
		if s := record.Sample; s != nil {
			h, err := results.Histogram(dir, file)
			if err != nil {
				t.Fatal(err)
			}
			cell := s.Cell
			cell.Topology = results.On(record.Kernel + " " + cell.Topology.String())
			if merged[cell] == nil {
				merged[cell] = h
			} else if merged[cell].Merge(h) > 0 {
				t.Errorf("%s does not fit the others", file)
			}
		} else if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
	if len(merged) == 0 {
		t.Fatal("the journal names no histogram")
	}
	for cell, h := range merged {
		kernel, topology, _ := strings.Cut(cell.Topology.String(), " l2")
		if topology != "" {
			t.Fatalf("%+v", cell)
		}
		want := time.Duration(h.ValueAtPercentile(99)).Seconds()
		if !slices.ContainsFunc(r.Cells, func(c model.Cell) bool {
			m := c.Metric("tcp-rr", "p99")
			return c.Plugin == cell.Plugin && (c.Kernel == kernel || kernel == "" && c.Kernel == r.Host.Kernel) && m != nil && m.Merged != nil && *m.Merged == want
		}) {
			t.Errorf("%s in kernel %q: no p99 of %g s, which its own files give", cell.Plugin, kernel, want)
		}
	}
}

// TestVPCInUML measures plugins on IPvlan and on Open vSwitch in a VPC that drops IP
// in IP, and those that fail there for that reason.
func TestVPCInUML(t *testing.T) {
	needsGuest(t)
	r := measure(t, "--kernel", results.KernelUML, "--plugins", "flannel-ipip,terway-ipvlan,cce-vpc,cce-tunnel", "--topology", "vpc:drop-ipip",
		"--probes", "tcp-rr,encap", "--wire", "none", "--rounds", "1", "--duration", "150ms")
	for plugin, want := range map[string]struct{ status, cause string }{
		"terway-ipvlan": {results.StatusOK, ""}, "cce-vpc": {results.StatusOK, ""}, "cce-tunnel": {results.StatusOK, ""},
		"flannel-ipip": {results.StatusFailed, "the VPC drops IP protocol 4"},
	} {
		c := r.Cell(results.Cell{Plugin: plugin, Topology: results.On("vpc:drop-ipip"), Wire: "none"})
		if c == nil || c.Status != want.status || !strings.Contains(c.Cause.String(), want.cause) || !strings.HasPrefix(c.Kernel, "uml ") {
			t.Errorf("%s: %+v, want %+v", plugin, c, want)
		}
	}
	overhead := map[string]int{"terway-ipvlan": 0, "cce-vpc": 0, "cce-tunnel": 50}
	for _, e := range r.Encapsulation {
		if want, ours := overhead[e.Plugin]; ours {
			delete(overhead, e.Plugin)
			if e.OverheadBytes != want || !e.Agrees || e.Frames == 0 {
				t.Errorf("%+v, want %d bytes", e, want)
			}
		}
	}
	if len(overhead) > 0 {
		t.Errorf("the wire was not inspected for %v", overhead)
	}
}

// TestKernelDiesWithItsRun kills runs while their kernel boots, and while a plugin
// comes up in it.
func TestKernelDiesWithItsRun(t *testing.T) {
	args := append(inUML(t, "flannel-ipip", "tcp-rr"), "--kernel", results.KernelUML)
	moments := []moment{{"", 700 * time.Millisecond}, {"bringing up: flannel-ipip", 500 * time.Millisecond}}
	for _, at := range sample(moments, func(m moment) bool { return m == moments[1] }) {
		t.Run(strings.ReplaceAll(at.line+"+"+at.after.String(), "/", " of "), func(t *testing.T) {
			before := readMachine(t)
			dir := t.TempDir()
			cmd, ended := startAsked(t, dir, at, args...)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-ended
			waitFor(t, "all namespaces of the run to be gone", func() bool {
				return len(runProcesses(dir)) == 0 && len(newNamespaces(before.namespaces)) == 0
			})
			readMachine(t).same(t, before)
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("files outside the run directory: %v, %v", entries, err)
			}
		})
	}
}

// TestKernelIsResumed interrupts a run in its second kernel and resumes it there.
func TestKernelIsResumed(t *testing.T) {
	if testing.Short() {
		t.Skip("part of make test-long")
	}
	args := inUML(t, "flannel-vxlan,flannel-ipip", "tcp-rr")
	dir := t.TempDir()
	cmd, ended := startAsked(t, dir, moment{"bringing up: flannel-ipip on l2 in uml", 0}, args...)
	interrupt(t, cmd, ended)
	if code, _, log := runProgram(t, "run", "--resume", filepath.Join(dir, "run")); code != exitDone {
		t.Fatalf("exit %d: %s", code, log)
	}
	recorded, err := results.Load(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]int{} // of each plugin in each kernel
	again := recorded.Superseded()
	for i, record := range recorded.Records {
		if s := record.Sample; s != nil && !again[i] {
			blocks[s.Plugin+" in "+record.Kernel]++
		}
	}
	for where, n := range blocks {
		if n != 2 {
			t.Errorf("%s has samples of %d blocks", where, n)
		}
	}
	if !recorded.Complete() || len(blocks) < 3 {
		t.Errorf("complete: %v, %v", recorded.Complete(), blocks)
	}
}

// TestPlainPacketsAreCaught forces Calico's IPIP onto a kernel without ipip: its
// agents are ready and its pods reach each other, but nothing is encapsulated, which
// only the packets on the wire show.
func TestPlainPacketsAreCaught(t *testing.T) {
	needs(t, "forced-ipip")
	missing, err := featuresOnce()
	if err != nil {
		t.Fatal(err)
	}
	if missing["ipip"] == "" {
		t.Skip("this machine's kernel has ipip, so nothing goes without")
	}
	r := measure(t, "--plugins", "forced-ipip,calico-ipip", "--kernel", "host", "--probes", "tcp-rr,encap", "--wire", "none", "--rounds", "1", "--duration", "150ms")
	for plugin, status := range map[string]string{"forced-ipip": results.StatusOK, "calico-ipip": results.StatusUnsupported} {
		if c := cellOf(t, r, plugin, "none"); c.Status != status {
			t.Errorf("%s is %s (%s), want %s", plugin, c.Status, c.Cause, status)
		}
	}
	if !slices.ContainsFunc(r.Encapsulation, func(e results.Encapsulation) bool {
		return e.Plugin == "forced-ipip" && e.Configured == "ipip" && e.Effective == "none" && e.Frames > 0 && !e.Agrees
	}) {
		t.Errorf("the wire: %+v", r.Encapsulation)
	}
	if !containsLine(r.Warnings, "forced-ipip on l2 is configured for ipip") {
		t.Errorf("no alarm: %q", r.Warnings)
	}
}
