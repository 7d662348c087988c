package report_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/machine"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
)

// BenchmarkScale loads and reports a run of 50 plugins on 3 topologies in 100 blocks at
// 2 rate limits with 3 probes: 90 000 samples with about a million values.
func BenchmarkScale(b *testing.B) {
	dir := b.TempDir()
	writeLargeRun(b, dir)
	for b.Loop() {
		recorded, err := results.Load(dir)
		if err != nil {
			b.Fatal(err)
		}
		r, err := report.Build(recorded, catalogue.All())
		if err != nil {
			b.Fatal(err)
		}
		for name, render := range map[string]func(io.Writer) error{"text": people(astext.Write, r, nil), "json": of(machine.JSON, r), "html": people(ashtml.Write, r, nil)} {
			began := time.Now()
			if err := render(io.Discard); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(began).Seconds(), name+"-s")
		}
		b.ReportMetric(float64(len(recorded.Records)), "records")
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		var kib float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kib); err == nil {
			b.ReportMetric(kib/1024, "peak-MiB")
		}
	}
	runtime.KeepAlive(dir)
}

func writeLargeRun(b *testing.B, dir string) {
	b.Helper()
	run := results.Run{ID: "large", Started: time.Unix(0, 0).UTC(), Host: results.Host{CPUs: 2},
		Asked: results.Asked{Testbed: "lab", Topology: []string{"l2", "routed", "vpc"}, Wire: []string{"none", "1gbit"}, MTU: 1500, Rounds: 100}}
	probes := []string{"tcp-stream", "tcp-rr", "udp-rr"}
	names := []string{"goodput", "cpu", "retransmits", "rtt", "p50", "p90", "p99", "p999", "rate", "jitter", "loss"}
	for _, probe := range probes {
		for _, name := range names {
			run.Metrics = append(run.Metrics, results.Metric{Probe: probe, Name: name, Unit: "s", Better: "lower"})
		}
	}
	j, err := results.Create(dir, run)
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	add := func(r results.Record) {
		if err := j.Append(r); err != nil {
			b.Fatal(err)
		}
	}
	plugin := func(i int) string {
		if i == 0 {
			return results.HostPlugin
		}
		return fmt.Sprintf("plugin-%02d", i)
	}
	for i := range 50 {
		for _, topology := range run.Asked.Topology {
			add(results.Record{Network: &results.Network{Plugin: plugin(i), Topology: results.On(topology), Status: results.StatusOK, Fidelity: "agent", PodMTU: 1450}})
		}
	}
	for block := range 100 {
		for i := range 50 {
			for t, topology := range run.Asked.Topology {
				for w, wire := range run.Asked.Wire {
					for k, probe := range probes {
						values := map[string]float64{}
						for v, name := range names {
							values[name] = 1e-5 * float64(1+i+v) * (1 + 0.001*float64((block*7+i*3+t+w+k)%13))
						}
						add(results.Record{Time: time.Unix(int64(block), 0).UTC(), Sample: &results.Sample{Cell: results.Cell{Plugin: plugin(i), Topology: results.On(topology), Wire: wire},
							Probe: probe, Block: block, Placement: results.Placement{Mode: "same"}, Start: time.Unix(int64(block), 0).UTC(), Seconds: 1, Values: values,
							CPU: &results.CPU{User: 1, System: 1}}})
					}
				}
			}
		}
		add(results.Record{Event: &results.Event{Name: results.EventBlockEnd, Block: block}})
	}
	add(results.Record{Time: time.Unix(1000, 0).UTC(), Event: &results.Event{Name: results.EventFinished, Complete: true}})
	if st, err := os.Stat(filepath.Join(dir, results.JournalFile)); err == nil {
		b.Logf("the journal has %d MiB", st.Size()>>20)
	}
}
