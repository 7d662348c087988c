package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// compared are all plugins that the lab's own kernel supports everywhere.
const compared = "flannel-vxlan,flannel-host-gw,flannel-udp,calico,calico-vxlan"

// TestComparison tests the project's main job with real agents: one run that the subtests below
// examine from several sides.
func TestComparison(t *testing.T) {
	needs(t, strings.Split(compared, ",")...)
	duration := "1s"
	if testing.Short() {
		duration = "400ms"
	}
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := runProgram(t, "run", "--duration", duration, "--plugins", compared+",flannel-ipip,flannel-wireguard,calico-ipip",
		"--kernel", "host", "--rounds", "6", "--wire", "none,1gbit", "--probes", "tcp-stream,tcp-rr,encap", "--out", dir)
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, log)
	}
	r := loadReport(t, dir)
	t.Run("all plugins that can run are ok", func(t *testing.T) { allOK(t, r) })
	t.Run("what the kernel lacks is unsupported", func(t *testing.T) { lackingIsUnsupported(t, r) })
	t.Run("the wire tells the truth", func(t *testing.T) { wireTellsTheTruth(t, r) })
	t.Run("goodput over expected at 1gbit", func(t *testing.T) { goodputIsExpected(t, r) })
	t.Run("user space encapsulation is slower", func(t *testing.T) { udpIsSlower(t, r) })
	t.Run("set-up is told", func(t *testing.T) { setupIsTold(t, r) })
	t.Run("the record can be rendered again", func(t *testing.T) { rendersAgain(t, dir, out) })
	t.Run("the run directory is as documented", func(t *testing.T) { directoryIsWhole(t, dir) })
}

func cellOf(t *testing.T, r *model.Report, plugin, wire string) *model.Cell {
	t.Helper()
	c := r.Cell(results.Cell{Plugin: plugin, Topology: "l2", Wire: wire})
	if c == nil {
		t.Fatalf("no cell %s over %s", plugin, wire)
	}
	return c
}

func canonical(t *testing.T) []string {
	t.Helper()
	names := []string{results.HostPlugin}
	for _, name := range strings.Split(compared, ",") {
		names = append(names, testCatalogue.Get(name).Name)
	}
	return names
}

func allOK(t *testing.T, r *model.Report) {
	if !r.Run.Complete || r.Run.Rounds != 6 {
		t.Errorf("run: %+v", r.Run)
	}
	for _, plugin := range canonical(t) {
		for _, wire := range []string{"none", "1gbit"} {
			c := cellOf(t, r, plugin, wire)
			if c.Status != results.StatusOK {
				t.Errorf("%s over %s: %s: %s", plugin, wire, c.Status, c.Cause)
				continue
			}
			for _, m := range c.Metrics {
				if m.N != 6 || m.CI == nil || m.CI[0] > m.Median || m.Median > m.CI[1] {
					t.Errorf("%s over %s: %s %s: %+v", plugin, wire, m.Probe, m.Name, m)
				}
				// Processor time is counted in ticks of 10 ms: a short sample may see none, and
				// zeros have no ratio, as with retransmits.
				mayBeZero := m.Name == "retransmits" || m.Name == "cpu" && testing.Short()
				if !mayBeZero && !m.Evidence && (m.Median <= 0 || (m.VsHost == nil) != (plugin == results.HostPlugin)) {
					t.Errorf("%s over %s: %s %s: %+v", plugin, wire, m.Probe, m.Name, m)
				}
			}
			if plugin != results.HostPlugin && (c.Fidelity != "agent" || len(c.Versions) == 0) {
				t.Errorf("%s: fidelity %q, versions %v", plugin, c.Fidelity, c.Versions)
			}
		}
	}
}

func lackingIsUnsupported(t *testing.T, r *model.Report) {
	missing, err := featuresOnce()
	if err != nil {
		t.Fatal(err)
	}
	for plugin, feature := range map[string]string{"flannel-ipip": "ipip", "calico-ipip": "ipip", "flannel-wireguard": "wireguard"} {
		want := results.StatusOK
		if missing[feature] != "" {
			want = results.StatusUnsupported
		}
		if c := cellOf(t, r, plugin, "none"); c.Status != want || want != results.StatusOK && !strings.Contains(c.Cause.String(), feature) {
			t.Errorf("%s is %s (%q), want %s", plugin, c.Status, c.Cause, want)
		}
	}
}

func wireTellsTheTruth(t *testing.T, r *model.Report) {
	for _, want := range []struct {
		plugin, kind   string
		port, overhead int
	}{
		{"host", "none", 0, 0},
		{"flannel-vxlan", "vxlan", 8472, 50},
		{"flannel-host-gw", "none", 0, 0},
		{"flannel-udp", "udp", 8285, 28},
		{"calico-bgp", "none", 0, 0},
		{"calico-vxlan", "vxlan", 4789, 50},
	} {
		found := false
		for _, e := range r.Encapsulation {
			if e.Plugin != want.plugin {
				continue
			}
			found = true
			if !e.Agrees || e.Effective != want.kind || e.Port != want.port || e.OverheadBytes != want.overhead || e.ExpectedBytes != want.overhead || e.Frames == 0 {
				t.Errorf("want %+v, got %+v", want, e)
			}
		}
		if !found {
			t.Errorf("no encapsulation is reported for %s", want.plugin)
		}
	}
}

func goodputIsExpected(t *testing.T, r *model.Report) {
	for _, plugin := range []string{"host", "flannel-vxlan", "flannel-host-gw", "calico-bgp"} {
		m := cellOf(t, r, plugin, "1gbit").Metric("tcp-stream", "goodput")
		if m.Expected == nil {
			t.Errorf("%s: no expected goodput", plugin)
			continue
		}
		if of := m.Median / *m.Expected; math.Abs(of-1) > 0.01 {
			t.Errorf("%s: goodput is %.4f of the expected (%v of %v)", plugin, of, m.Median, *m.Expected)
		}
	}
}

func udpIsSlower(t *testing.T, r *model.Report) {
	udp := cellOf(t, r, "flannel-udp", "none").Metric("tcp-stream", "goodput").Median
	vxlan := cellOf(t, r, "flannel-vxlan", "none").Metric("tcp-stream", "goodput").Median
	if vxlan/udp < 1.3 {
		t.Errorf("vxlan is %.2f times flannel-udp", vxlan/udp)
	}
}

func setupIsTold(t *testing.T, r *model.Report) {
	for _, s := range r.Setup {
		if s.NetworkReadyMS <= 0 || s.Plugin != "host" && (s.CNIAddMS <= 0 || s.AgentRSSBytes <= 0 || s.Agents == 0) {
			t.Errorf("%+v", s)
		}
	}
	if len(r.Setup) != len(canonical(t)) {
		t.Errorf("%d networks, want %d", len(r.Setup), len(canonical(t)))
	}
}

func rendersAgain(t *testing.T, dir, first string) {
	code, again, log := runProgram(t, "report", dir)
	if code != exitDone || again != first {
		t.Errorf("exit %d, %s; got\n%s\nwant\n%s", code, log, again, first)
	}
	for _, format := range formats {
		if code, out, log := runProgram(t, "report", dir, "--format", format); code != exitDone || out == "" {
			t.Errorf("%s: exit %d: %s", format, code, log)
		}
	}
}

func directoryIsWhole(t *testing.T, dir string) {
	for _, pattern := range []string{"run.json", "samples.jsonl", "report.json", "report.html", "hist/*.hdr", "capture/flannel-vxlan_l2_*.pcapng", "log/flannel-vxlan-l2/*flanneld*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) == 0 {
			t.Errorf("no %s: %v", pattern, err)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, outside := range []string{"<script", "src=\"http", "href=\"http", "url(", "@import"} {
		if strings.Contains(string(page), outside) {
			t.Errorf("the page is not self-contained: it has %q", outside)
		}
	}
}

func TestTwoRunsAtOnce(t *testing.T) {
	needs(t, "flannel-vxlan", "calico")
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			r := measure(t, "--plugins", "flannel-vxlan,calico", "--probes", "tcp-rr,encap", "--rounds", "1", "--wire", "none")
			for _, c := range r.Cells {
				if c.Status != results.StatusOK {
					t.Errorf("%s: %s: %s", c.Plugin, c.Status, c.Cause)
				}
			}
			for _, e := range r.Encapsulation {
				if !e.Agrees {
					t.Errorf("%s: %v", e.Plugin, e.Warnings)
				}
			}
		})
	}
	wg.Wait()
}
