package figures

import (
	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Limits that a figure must exceed to be named as a cause of lost goodput. The figures
// of real plugins are an order of magnitude apart, so the exact values do not matter.
const (
	// lossWorthACause is the smallest unexplained loss that needs a cause.
	lossWorthACause = 0.01
	// copiedSwitches is the multiple of the baseline's context switches per GB that
	// indicates a program handling each packet (flannel's udp backend has about 50
	// times as many).
	copiedSwitches = 4
	// agentTime is the agents' CPU time in s/GB that must come with it: a data path in
	// the kernel needs none.
	agentTime = 0.1
	// wholeSegments is the share of captured packets that may reach the pod one by one
	// while receive coalescing (GRO) works; it merges up to 44.
	wholeSegments = 0.5
	// dearer is the ratio to the baseline's CPU time per GB.
	dearer = 1.05
	// morePackets is the ratio of packets per GB to what headers explain.
	morePackets = 1.02
)

// causes returns the evidence for the part of the loss that headers do not explain. It
// is empty if there is nothing to explain.
func causes(b *gather.Run, c, host *model.Cell, l *model.Loss) []words.Text {
	if l.Rest < lossWorthACause {
		return nil
	}
	median := func(c *model.Cell, name string) float64 {
		if m := c.Metric("tcp-stream", name); m != nil {
			return m.Median
		}
		return 0
	}
	var all []words.Text
	say := func(m words.Message, args ...any) { all = append(all, m.With(args...)) }
	switches, hostSwitches, agents := median(c, "switches"), median(host, "switches"), median(c, "agents")
	if switches > copiedSwitches*hostSwitches && agents > agentTime {
		say(words.CauseProgram, switches, hostSwitches, agents)
	}
	packets, segments := median(c, "packets"), median(c, "segments")
	if packets > 0 && segments > wholeSegments*packets {
		say(words.CauseSegments, segments, packets)
	}
	if hostPackets := median(host, "packets"); hostPackets > 0 && packets*(1-l.Header) > morePackets*hostPackets {
		say(words.CausePackets, packets, hostPackets)
	}
	if cpu, hostCPU := median(c, "cpu"), median(host, "cpu"); hostCPU > 0 && cpu > dearer*hostCPU {
		say(words.CauseCPU, cpu, hostCPU)
	}
	if drops := median(c, "drops"); drops > median(host, "drops") {
		say(words.CauseDrops, drops)
	}
	if again := median(c, "retransmits"); again > max(10, 2*median(host, "retransmits")) {
		say(words.CauseRetransmits, again, median(host, "retransmits"))
	}
	for _, f := range b.Report.Findings {
		if f.Plugin == c.Plugin && f.Topology == c.Topology {
			all = append(all, words.Of(words.Quote(f.Name), f.Text))
		}
	}
	if len(all) == 0 {
		all = append(all, words.CauseUnknown)
	}
	return all
}

// hostBeside returns the baseline's cell for another cell.
func hostBeside(b *gather.Run, c *model.Cell) *model.Cell {
	return b.Report.Cell(results.Cell{Plugin: results.HostPlugin, Topology: c.Topology, Wire: c.Wire})
}
