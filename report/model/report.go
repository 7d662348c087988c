// Package model defines what a report contains: medians, intervals, ratios and
// verdicts of a recorded run, with the advice that follows from them. The packages
// text, html, markdown and machine render it.
package model

import (
	"slices"
	"time"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Schema names the version of report.json; machine/schema.json describes it.
const Schema = "cnibench.report/v1"

// Report is the content of report.json. Times are in seconds and rates per second;
// sizes are in the unit that is given with them.
type Report struct {
	Schema        string                  `json:"schema"`
	Run           Run                     `json:"run"`
	Host          results.Host            `json:"host"`
	Warnings      []words.Text            `json:"warnings"` // of the run as a whole
	Cells         []Cell                  `json:"cells"`
	Comparisons   []Comparison            `json:"comparisons"`
	RunWide       RunWide                 `json:"run_wide"`
	Sensitivity   Sensitivity             `json:"sensitivity"`
	Implausible   []Implausible           `json:"implausible"`
	Encapsulation []results.Encapsulation `json:"encapsulation"`
	Adjacency     []results.Adjacency     `json:"adjacency"`
	Reachability  []results.Reachability  `json:"reachability"`
	Policy        []Policy                `json:"policy"`
	Hops          []results.Hops          `json:"hops"`
	Findings      []results.Finding       `json:"findings"`
	// Survey, Nodes and Pairs are of runs that survey all pairs of nodes.
	Survey      []Survey      `json:"survey,omitempty"`
	Nodes       []Node        `json:"nodes,omitempty"`
	PairSpeeds  []PairSpeeds  `json:"pair_speeds,omitempty"` // of runs that measure speed over pairs
	Pairs       []NodePair    `json:"pairs,omitempty"`
	NotMeasured []NotMeasured `json:"not_measured"`
	Setup       []Setup       `json:"setup"`
	// Recommendation holds the advice for each topology.
	Recommendation Recommendations `json:"recommendation"`
	Claims         []advice.Claim  `json:"claims"`
}

// Policy is whether a rule took effect, beside what is documented of the plugin.
type Policy struct {
	results.Policy
	Documented string `json:"documented,omitempty"` // whether the plugin enforces NetworkPolicy: yes, no, "" if nothing is known
	Source     string `json:"source,omitempty"`     // of Documented
}

// Contradicted reports whether the rule's effect is not the documented one.
func (p *Policy) Contradicted() bool {
	return p.Documented == "yes" && !p.Enforced || p.Documented == "no" && p.Enforced
}

// NotMeasured is something that was asked for but could not be measured.
type NotMeasured struct {
	Text   words.Text   `json:"text"`   // what, and why
	Places []words.Text `json:"places"` // "plugin on topology"
}

// Run describes when and how the run was made.
type Run struct {
	ID       string     `json:"id"`
	Started  time.Time  `json:"started"`
	Finished *time.Time `json:"finished"` // null if it was cut off
	Seed     uint64     `json:"seed"`
	Testbed  string     `json:"testbed"`
	Rounds   int        `json:"rounds"` // completed blocks
	// Took is how long the run took, in seconds, without the time between an
	// interruption and its resumption.
	Took     float64       `json:"took_seconds"`
	Complete bool          `json:"complete"` // all that was asked for was done
	Asked    results.Asked `json:"asked"`
	// CongestionControl is what the probes set on their TCP sockets.
	CongestionControl string            `json:"congestion_control"`
	Versions          map[string]string `json:"versions"`
	// Clusters lists the measured clusters; it is empty for the lab.
	Clusters []results.Cluster `json:"clusters,omitempty"`
}

// Cell is one plugin on one topology at one rate limit.
type Cell struct {
	results.Cell
	Status string     `json:"status"` // ok, failed, unsupported, broke
	Cause  words.Text `json:"cause,omitzero"`
	// BrokeRound and BrokeAt are the round, counted from 1, and the time at which
	// a cell that broke stopped working.
	BrokeRound int `json:"broke_round,omitempty"`
	// Rounds counts the blocks in which a sample of the cell succeeded, and
	// WorkedRounds those before it broke.
	Rounds       int               `json:"rounds"`
	WorkedRounds int               `json:"worked_rounds,omitempty"`
	BrokeAt      time.Time         `json:"broke_at,omitzero"`
	Fidelity     string            `json:"fidelity"`
	Path         words.Text        `json:"path,omitzero"` // the path of a packet from pod to pod, from the catalogue
	Kernel       string            `json:"kernel"`
	Versions     map[string]string `json:"versions"`
	PodMTU       int               `json:"pod_mtu,omitempty"`
	// Configured is what a cluster's settings say about the wire; nil if the
	// catalogue's values hold.
	Configured *results.Configured `json:"configured,omitempty"`
	// Contradicted says what pods or nodes show that the plugin does not do.
	Contradicted words.Text `json:"contradicted,omitzero"`
	Metrics      []Metric   `json:"metrics"`
	Loss         *Loss      `json:"loss,omitempty"`
	// AgentCPU is the median CPU time of the network's agents during a TCP stream,
	// in CPUs; nil if none was recorded.
	AgentCPU *float64 `json:"agent_cpu,omitempty"`
	// Failures lists the probes with failed samples, including those without a figure.
	Failures []Failure `json:"failures,omitempty"`
}

// Metric summarizes one figure of a cell over all its samples.
type Metric struct {
	Probe     string  `json:"probe"`
	Name      string  `json:"name"`
	Unit      string  `json:"unit"`
	Better    string  `json:"better,omitempty"`   // higher or lower
	Evidence  bool    `json:"evidence,omitempty"` // it explains other figures
	Fact      bool    `json:"fact,omitempty"`     // it does not vary: CI is the range of all samples, and Median the last one
	Placement string  `json:"placement"`          // CPUs of the two ends: same, split or unpinned
	N         int     `json:"n"`
	Median    float64 `json:"median"`
	// CI is where the median of the run's rounds lies, null if there are too few samples, see
	// Warnings. It would cover the network's level with Confidence if rounds were independent; for
	// other times than these minutes, see LevelCI.
	CI         *[2]float64 `json:"ci"`
	Confidence float64     `json:"confidence"`
	// LevelCI covers the level of the network on this machine at other times too
	// ([stats.LocationOf]).
	LevelCI *[2]float64 `json:"level_ci"`
	// Location is what LevelCI belongs to, for comparisons with other runs.
	Location stats.Location `json:"-"`
	// Merged is the percentile of the merged histograms of all samples. Only
	// latency percentiles have it.
	Merged *float64 `json:"merged,omitempty"`
	// MergedCI is its interval over the blocks.
	MergedCI *[2]float64 `json:"merged_ci,omitempty"`
	Tail     []TailPoint `json:"-"` // of the same histograms
	// VsHost is the ratio to the baseline, paired within blocks; null for the
	// baseline.
	VsHost *VsHost `json:"vs_host"`
	// VsStraight is the ratio to the figure of the straight path, paired within samples; nil
	// for a figure without one.
	VsStraight *VsStraight `json:"vs_straight,omitempty"`
	// Expected is the arithmetic maximum; null if there is none.
	Expected *float64     `json:"expected"`
	Warnings []words.Text `json:"warnings"`
	// Samples holds the values in the order of the blocks.
	Samples []float64 `json:"samples"`
}

// VsHost is a ratio to the baseline.
type VsHost struct {
	N     int         `json:"n"` // blocks that have both
	Ratio float64     `json:"ratio"`
	CI    *[2]float64 `json:"ci"` // null: fewer blocks than an interval needs
	// Judged is the same ratio, for comparisons with other runs.
	Judged stats.Ratio `json:"-"`
}

// String formats the ratio and its interval; it is "" if v is nil.
func (v *VsHost) String() string {
	if v == nil {
		return ""
	}
	return quantity.Ratio(v.Ratio, v.CI)
}

// VsStraight is a ratio to the straight path, from pod to pod by the pod's own address.
type VsStraight struct {
	Name  string      `json:"name"` // of the straight path's figure, of the same probe
	N     int         `json:"n"`    // samples that have both
	Ratio float64     `json:"ratio"`
	CI    *[2]float64 `json:"ci"` // null: fewer samples than an interval needs
}

// Loss splits the goodput that a plugin loses against the baseline into the share
// of its headers, which is arithmetic, and the rest: CPU time, offloads and MTU.
// All are shares of the baseline's goodput.
type Loss struct {
	Total  float64 `json:"total"`
	Header float64 `json:"header"`
	Rest   float64 `json:"rest"`
	// Causes explain the rest, by the evidence of the samples.
	Causes []words.Text `json:"causes,omitempty"`
}

// Setup is the cost of bringing a network up.
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

// Path returns the path of a packet through a plugin's network; it is empty if the
// path is not known.
func (r *Report) Path(plugin string) words.Text {
	for _, c := range r.Cells {
		if c.Plugin == plugin {
			return c.Path
		}
	}
	return words.Text{}
}

// Metric returns a figure of the cell, or nil if it has none of that name.
func (c *Cell) Metric(probe, name string) *Metric {
	for i := range c.Metrics {
		if m := &c.Metrics[i]; m.Probe == probe && m.Name == name {
			return m
		}
	}
	return nil
}

// Cell returns a cell of the run, or nil if there is none of that name.
func (r *Report) Cell(name results.Cell) *Cell {
	for i := range r.Cells {
		if r.Cells[i].Cell == name {
			return &r.Cells[i]
		}
	}
	return nil
}

// WireName names the links by their rate limit, for sentences.
func WireName(wire string) words.Text {
	if wire == results.WireNone {
		return words.LinksWithoutRateLimit
	}
	return words.Quote(wire)
}

// TestbedCluster is the testbed of a real cluster. The calling machine is not part
// of it.
const TestbedCluster = "cluster"

// OnCluster reports whether the run was made on a real cluster.
func (r *Report) OnCluster() bool { return r.Run.Testbed == TestbedCluster }

// Topologies lists the topologies of all cells, in their order.
func (r *Report) Topologies() []results.Topology {
	var all []results.Topology
	for _, c := range r.Cells {
		if !slices.Contains(all, c.Topology) {
			all = append(all, c.Topology)
		}
	}
	return all
}

// CellsOf returns the cells of a plugin on a topology, one for each rate limit.
func (r *Report) CellsOf(plugin string, topology results.Topology) []*Cell {
	var all []*Cell
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Plugin == plugin && c.Topology == topology {
			all = append(all, c)
		}
	}
	return all
}

// WireText names the rate limit that something was measured at.
func WireText(wire string) words.Text {
	if wire == results.WireNone {
		return words.Unshaped
	}
	return words.OverRate.With(wire)
}

// TailPoint is the share of all round trips that took longer than a time.
type TailPoint struct {
	Seconds float64
	Beyond  float64 // more than 0, at most 1
}

// Captured returns the last capture of a network, or nil if there is none.
func (r *Report) Captured(plugin string, topology results.Topology) *results.Encapsulation {
	for i := len(r.Encapsulation) - 1; i >= 0; i-- {
		if e := &r.Encapsulation[i]; e.Plugin == plugin && e.Topology == topology {
			return e
		}
	}
	return nil
}

// Value returns the figure for tables: the merged value of a latency percentile,
// otherwise the median.
func (m *Metric) Value() float64 {
	if m.Merged != nil {
		return *m.Merged
	}
	return m.Median
}
