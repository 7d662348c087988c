package report_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/words"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

const guest = "uml 6.1.176"

// inGuest marks a record as made in the other kernel.
func inGuest(r results.Record) results.Record {
	r.Kernel = guest
	if r.Network != nil {
		r.Network.Kernel = guest
	}
	return r
}

// TestTwoKernels reports a run in two kernels whose figures differ greatly: that must not
// affect the ratios.
func TestTwoKernels(t *testing.T) {
	lacks := network("flannel-ipip", results.StatusUnsupported, "kernel lacks ipip", 0)
	lacks.Network.Lacks = "ipip"
	records := []results.Record{network("host", results.StatusOK, "", 1500), network("flannel-vxlan", results.StatusOK, "", 1450), lacks}
	for block := range 7 {
		records = append(records, goodput("host", block, 9e9), goodput("flannel-vxlan", block, 6e9))
	}
	records = append(records, results.Record{Event: &results.Event{Name: results.EventNextKernel}},
		inGuest(network("host", results.StatusOK, "", 1500)), inGuest(network("flannel-ipip", results.StatusOK, "", 1480)))
	for block := range 7 {
		records = append(records, inGuest(goodput("host", block, 2e8)), inGuest(goodput("flannel-ipip", block, 1e8)))
	}
	r := build(t, record(records...))
	if len(r.Cells) != 4 {
		t.Fatalf("%d cells: %+v", len(r.Cells), r.Cells)
	}
	var text bytes.Buffer
	if err := machine.JSON(&text, r); err != nil {
		t.Fatal(err)
	}
	var said model.Report
	if err := json.Unmarshal(text.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	for plugin, want := range map[string]struct {
		kernel string
		ratio  float64
	}{"flannel-vxlan": {"", 6. / 9}, "flannel-ipip": {guest, 0.5}} {
		i := slices.IndexFunc(said.Cells, func(c model.Cell) bool { return c.Plugin == plugin })
		c := said.Cells[i]
		if m := c.Metric("tcp-stream", "goodput"); c.Topology.Name != "l2" || c.Kernel != want.kernel && want.kernel != "" || m == nil || m.VsHost == nil ||
			m.VsHost.Ratio < want.ratio*0.999 || m.VsHost.Ratio > want.ratio*1.001 {
			t.Errorf("%s: %+v", plugin, c)
		}
	}
	for _, c := range said.Comparisons {
		if (c.A == "flannel-ipip" || c.B == "flannel-ipip") != (c.Kernel == guest) || c.Topology.Name != "l2" {
			t.Errorf("compared: %s and %s on %s in %q", c.A, c.B, c.Topology, c.Kernel)
		}
	}
	if len(said.Comparisons) != 2 || len(said.Recommendation) != 1 {
		t.Fatalf("%d comparisons, %d recommendations", len(said.Comparisons), len(said.Recommendation))
	}
	advice := said.Recommendation[0]
	if advice.Topology.Name != "l2" || advice.Plugin != "flannel-vxlan" || advice.Kernel != "" ||
		!strings.Contains(advice.Summary.String(), "the speed of flannel-ipip was measured in another kernel (uml 6.1.176) and cannot be compared") {
		t.Errorf("%s in %q: %s", advice.Plugin, advice.Kernel, advice.Summary)
	}
	if !slices.ContainsFunc(r.Warnings, func(w words.Text) bool { return strings.HasPrefix(w.String(), "flannel-ipip ran in "+guest) }) {
		t.Errorf("no warning says what may be compared: %q", r.Warnings)
	}
}

// TestNeitherKernel checks that a network that no kernel supports stays on the topology
// for which it was requested.
func TestNeitherKernel(t *testing.T) {
	lacks := func(cause string) results.Record {
		n := network("flannel-wireguard", results.StatusUnsupported, cause, 0)
		n.Network.Lacks = "wireguard"
		return n
	}
	r := build(t, record(lacks("kernel lacks wireguard"), results.Record{Event: &results.Event{Name: results.EventNextKernel}},
		inGuest(lacks("kernel lacks wireguard; "+guest+": kernel lacks wireguard"))))
	i := slices.IndexFunc(r.Cells, func(c model.Cell) bool { return c.Plugin == "flannel-wireguard" })
	if i < 0 || r.Cells[i].Topology.Name != "l2" || r.Cells[i].Status != results.StatusUnsupported || !strings.Contains(r.Cells[i].Cause.String(), guest) {
		t.Errorf("%+v", r.Cells)
	}
}
