// Package report says what a recorded run means: it turns samples into
// medians, intervals and ratios, sets them beside what arithmetic expects, and
// arranges the whole for the renderings (packages text, html, markdown and
// machine). It reads the record and never starts anything.
package model

import (
	"slices"
	"time"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Schema names the version of report.json; machine/schema.json describes it.
const Schema = "cnibench.report/v1"

// Report is the content of report.json. Times are in seconds, rates in 1/s,
// sizes in bytes or bits as the unit says.
type Report struct {
	Schema        string                  `json:"schema"`
	Run           Run                     `json:"run"`
	Host          results.Host            `json:"host"`
	Warnings      []words.Text            `json:"warnings"` // of the run as a whole
	Cells         []Cell                  `json:"cells"`
	Comparisons   []Comparison            `json:"comparisons"`
	Sensitivity   Sensitivity             `json:"sensitivity"`
	Implausible   []Implausible           `json:"implausible"`
	Encapsulation []results.Encapsulation `json:"encapsulation"`
	Adjacency     []results.Adjacency     `json:"adjacency"`
	Reachability  []results.Reachability  `json:"reachability"`
	Policy        []results.Policy        `json:"policy"`
	Hops          []results.Hops          `json:"hops"`
	Findings      []results.Finding       `json:"findings"`
	NotMeasured   []NotMeasured           `json:"not_measured"`
	Setup         []Setup                 `json:"setup"`
	// Recommendation holds the advice for each topology.
	Recommendation Recommendations `json:"recommendation"`
	Claims         []advice.Claim  `json:"claims"`
}

// NotMeasured is something that was asked for and is no part of what ran.
type NotMeasured struct {
	Text   words.Text   `json:"text"`   // what, and why
	Places []words.Text `json:"places"` // "plugin on topology"
}

// Run is when and how the run was made.
type Run struct {
	ID       string     `json:"id"`
	Started  time.Time  `json:"started"`
	Finished *time.Time `json:"finished"` // null: it was cut off
	Seed     uint64     `json:"seed"`
	Testbed  string     `json:"testbed"`
	Rounds   int        `json:"rounds"` // blocks measured to their end
	// Took is for how long the run was under way, in seconds, without the time
	// between an interruption and the moment at which it was resumed.
	Took     float64       `json:"took_seconds"`
	Complete bool          `json:"complete"` // all that was asked for was done
	Asked    results.Asked `json:"asked"`
	// CongestionControl is what the probes set on their TCP sockets.
	CongestionControl string            `json:"congestion_control"`
	Versions          map[string]string `json:"versions"`
	// Clusters are those that were measured; empty for the lab.
	Clusters []results.Cluster `json:"clusters,omitempty"`
}

// Cell is one plugin on one topology over one wire.
type Cell struct {
	results.Cell
	Status string     `json:"status"` // ok, failed, unsupported, broke
	Cause  words.Text `json:"cause,omitzero"`
	// BrokeRound and BrokeAt say when a cell that broke stopped working: in
	// which round, counted from 1, and at what time.
	BrokeRound int `json:"broke_round,omitempty"`
	// Rounds counts the blocks in which a sample of the cell succeeded, and
	// WorkedRounds those of them that came before it broke.
	Rounds       int               `json:"rounds"`
	WorkedRounds int               `json:"worked_rounds,omitempty"`
	BrokeAt      time.Time         `json:"broke_at,omitzero"`
	Fidelity     string            `json:"fidelity"`
	Path         words.Text        `json:"path,omitzero"` // the way of a packet from pod to pod, as the catalogue knows it
	Kernel       string            `json:"kernel"`
	Versions     map[string]string `json:"versions"`
	PodMTU       int               `json:"pod_mtu,omitempty"`
	Metrics      []Metric          `json:"metrics"`
	Loss         *Loss             `json:"loss,omitempty"`
	// AgentCPU is the processor time of the network's agents while a TCP
	// stream passed, in CPUs (median); nil if none was recorded.
	AgentCPU *float64 `json:"agent_cpu,omitempty"`
	// Failures are the probes of which samples failed, also those without a figure.
	Failures []Failure `json:"failures,omitempty"`
}

// Metric is one figure of a cell over all its samples.
type Metric struct {
	Probe      string      `json:"probe"`
	Name       string      `json:"name"`
	Unit       string      `json:"unit"`
	Better     string      `json:"better,omitempty"`   // higher or lower
	Evidence   bool        `json:"evidence,omitempty"` // it explains other figures
	Placement  string      `json:"placement"`          // CPUs of the two ends: same, split or unpinned
	N          int         `json:"n"`
	Median     float64     `json:"median"`
	CI         *[2]float64 `json:"ci"` // null: too few samples, see warnings
	Confidence float64     `json:"confidence"`
	// Merged is the percentile of all samples' histograms merged; only
	// latency percentiles have it.
	Merged *float64 `json:"merged,omitempty"`
	// MergedCI is its interval over the blocks.
	MergedCI *[2]float64 `json:"merged_ci,omitempty"`
	Tail     []TailPoint `json:"-"` // of the same histograms
	// VsHost is the ratio to the baseline, paired within blocks; null for the
	// baseline itself.
	VsHost *VsHost `json:"vs_host"`
	// Expected is what arithmetic allows at most; null if it says nothing.
	Expected *float64     `json:"expected"`
	Warnings []words.Text `json:"warnings"`
	// Samples are the values by block, in the order of the blocks.
	Samples []float64 `json:"samples"`
}

// VsHost is a ratio to the baseline.
type VsHost struct {
	N     int         `json:"n"` // blocks that have both
	Ratio float64     `json:"ratio"`
	CI    *[2]float64 `json:"ci"` // null: fewer blocks than an interval needs
	// Blocks are the ratios by block, for comparisons with other runs.
	Blocks []float64 `json:"-"`
}

// String writes the ratio and its interval; "" for no ratio.
func (v *VsHost) String() string {
	if v == nil {
		return ""
	}
	return quantity.Ratio(v.Ratio, v.CI)
}

// Loss splits what a plugin's goodput loses against the baseline into the
// share of its headers, which is arithmetic, and the rest, which is CPU time,
// offloads and MTU. All are shares of the baseline's goodput.
type Loss struct {
	Total  float64 `json:"total"`
	Header float64 `json:"header"`
	Rest   float64 `json:"rest"`
	// Causes are what the evidence of the samples says about the rest.
	Causes []words.Text `json:"causes,omitempty"`
}

// Setup is what it took to bring a network up.
type Setup struct {
	Plugin         string           `json:"plugin"`
	Topology       results.Topology `json:"topology"`
	Kernel         string           `json:"kernel,omitempty"` // "" for the machine's own
	NetworkReadyMS float64          `json:"network_ready_ms"` // start of the first agent to the first packet between pods
	CNIAddMS       float64          `json:"cni_add_ms"`       // median of the ADDs; 0 for the baseline, which has none
	CNIAdds        []float64        `json:"cni_adds_ms"`
	AgentRSSBytes  int64            `json:"agent_rss_bytes"` // of all agents on all nodes
	Agents         int              `json:"agents"`
}

// Path is the way of a packet through a plugin's network, "" if it is not known.
func (r *Report) Path(plugin string) words.Text {
	for _, c := range r.Cells {
		if c.Plugin == plugin {
			return c.Path
		}
	}
	return words.Text{}
}

// Metric returns a cell's figure, nil if it has none.
func (c *Cell) Metric(probe, name string) *Metric {
	for i := range c.Metrics {
		if m := &c.Metrics[i]; m.Probe == probe && m.Name == name {
			return m
		}
	}
	return nil
}

// Cell returns a cell, nil if the run has none of that name.
func (r *Report) Cell(name results.Cell) *Cell {
	for i := range r.Cells {
		if r.Cells[i].Cell == name {
			return &r.Cells[i]
		}
	}
	return nil
}

// WireName names links by their rate in a sentence.
func WireName(wire string) words.Text {
	if wire == results.WireNone {
		return words.LinksWithoutRateLimit
	}
	return words.Quote(wire)
}

// TestbedCluster is a real cluster, of which the calling machine is no part.
const TestbedCluster = "cluster"

// OnCluster reports whether the run was made on a real cluster and not in the
// lab.
func (r *Report) OnCluster() bool { return r.Run.Testbed == TestbedCluster }

// Topologies lists those that something is reported of, in their order.
func (r *Report) Topologies() []results.Topology {
	var all []results.Topology
	for _, c := range r.Cells {
		if !slices.Contains(all, c.Topology) {
			all = append(all, c.Topology)
		}
	}
	return all
}

// cells are those of a plugin on a topology, one for each wire.
func (r *Report) CellsOf(plugin string, topology results.Topology) []*Cell {
	var all []*Cell
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Plugin == plugin && c.Topology == topology {
			all = append(all, c)
		}
	}
	return all
}

// WireText says over which links something was measured.
func WireText(wire string) words.Text {
	if wire == results.WireNone {
		return words.Unshaped
	}
	return words.OverRate.With(wire)
}

// TailPoint says which share of all round trips took longer than a time.
type TailPoint struct {
	Seconds float64
	Beyond  float64 // more than 0, at most 1
}

// Captured is the last capture of a network, nil if nobody looked.
func (r *Report) Captured(plugin string, topology results.Topology) *results.Encapsulation {
	for i := len(r.Encapsulation) - 1; i >= 0; i-- {
		if e := &r.Encapsulation[i]; e.Plugin == plugin && e.Topology == topology {
			return e
		}
	}
	return nil
}

// Value is the figure as tables beside the headline show it: of a latency's
// percentile, that of all blocks together.
func (m *Metric) Value() float64 {
	if m.Merged != nil {
		return *m.Merged
	}
	return m.Median
}
