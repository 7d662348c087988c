package change

import (
	"github.com/cnibench/cnibench/report/figures"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Side is one of two runs.
type Side struct {
	Run    results.Run
	Report *model.Report
}

// Comparison compares a later run with an earlier one.
type Comparison struct {
	Schema string `json:"schema"`
	Old    string `json:"old"` // ID
	New    string `json:"new"`
	// Environment lists the differences other than the measured figures.
	Environment []string `json:"environment"`
	// SameMachine says whether host's own figures are judged too. All others are judged by their
	// ratios to host.
	SameMachine bool `json:"same_machine"`
	// Deployments is the smaller number of deployments of the two runs' plugins. Below
	// [stats.MinDeployments], the intervals contain an assumption about how much deployments differ.
	Deployments int     `json:"deployments"`
	Margin      float64 `json:"margin"`
	Cells       []Cell  `json:"cells"`

	later *model.Report
}

// Schema names the version of the comparison in JSON.
const Schema = "cnibench.compare/v1"

// Cell is the headline of one probe in one cell.
type Cell struct {
	results.Cell
	Probe   string        `json:"probe"`
	Metric  string        `json:"metric"`
	Unit    string        `json:"unit"` // of Old and New: the figure's unit, or "ratio" for ratios to host
	Old     *float64      `json:"old"`
	New     *float64      `json:"new"`
	Ratio   *float64      `json:"ratio"` // of the later figure to the earlier one
	CI      *[2]float64   `json:"ci"`
	P       *float64      `json:"p_adjusted"`
	Verdict stats.Verdict `json:"verdict"`
	Cause   string        `json:"cause,omitempty"` // why there is no ratio

	better string
}

// Between compares two runs by the ratios to host of each run, because the speed of the machine at
// the time cancels out of them. If both runs come from one machine, it compares the figures of host
// too, and gives no verdict on a figure by which host itself moved.
func Between(old, now Side, margin float64) *Comparison {
	c := &Comparison{Schema: Schema, Old: old.Run.ID, New: now.Run.ID, Margin: margin,
		Environment: append([]string{}, Environment(old.Run, now.Run)...), SameMachine: len(Machine(old.Run, now.Run)) == 0, Deployments: min(deploymentsOf(old.Report), deploymentsOf(now.Report)),
		Cells: []Cell{}, later: now.Report}
	families := map[string][]int{} // by probe: its headline in all cells
	var ratios []stats.Ratio
	for i := range now.Report.Cells {
		cell := &now.Report.Cells[i]
		if !c.SameMachine && cell.Plugin == results.HostPlugin {
			continue
		}
		for _, m := range headlines(cell) {
			one, r := c.cell(old.Report, cell, m)
			if m.Fact && one.Cause == "" {
				one.exact()
			} else {
				families[m.Probe] = append(families[m.Probe], len(c.Cells))
			}
			c.Cells, ratios = append(c.Cells, one), append(ratios, r)
		}
	}
	c.addGone(old.Report, now.Report)
	for _, members := range families {
		c.judge(members, ratios)
	}
	return c
}

// judge sets the verdicts of the members of a family.
func (c *Comparison) judge(members []int, ratios []stats.Ratio) {
	var family []stats.Ratio
	var of []int
	for _, i := range members {
		if c.Cells[i].Cause == "" {
			family, of = append(family, ratios[i]), append(of, i)
		}
	}
	if len(of) == 0 {
		return
	}
	higher := c.Cells[of[0]].better == "higher"
	for i, judged := range stats.Judge(family, higher, c.Margin) {
		one := &c.Cells[of[i]]
		one.Verdict, one.P = judged.Verdict, &judged.PAdjusted
	}
}

// headlines returns the first figure of each probe of a cell.
func headlines(c *model.Cell) []*model.Metric {
	var all []*model.Metric
	told := map[string]bool{}
	for i := range c.Metrics {
		if m := &c.Metrics[i]; !told[m.Probe] {
			told[m.Probe] = true
			all = append(all, m)
		}
	}
	return all
}

// cell compares one headline.
func (c *Comparison) cell(old *model.Report, now *model.Cell, m *model.Metric) (Cell, stats.Ratio) {
	one := Cell{Cell: now.Cell, Probe: m.Probe, Metric: m.Name, Unit: m.Unit, Verdict: stats.Inconclusive, New: &m.Median, better: m.Better}
	before := old.Cell(now.Cell)
	var was *model.Metric
	if before != nil {
		was = before.Metric(m.Probe, m.Name)
	}
	switch {
	case now.Status == results.StatusBroke:
		one.Cause = "in the later run it " + now.Outcome().String()
	case was == nil:
		one.Cause = "the earlier run does not have it"
	case m.Better == "":
		one.Cause = "neither high nor low values of the figure are better"
	default:
		one.Cause = placed(was, m)
	}
	if one.Cause != "" {
		return one, stats.Ratio{}
	}
	one.Old = &was.Median
	if m.Fact {
		if was.Median == 0 {
			one.Cause = noRatio
		}
		return one, stats.Ratio{}
	}
	if now.Plugin != results.HostPlugin {
		one.Unit, one.Old, one.New = "ratio", nil, nil
		if m.VsHost != nil && was.VsHost != nil {
			one.Old, one.New = &was.VsHost.Ratio, &m.VsHost.Ratio
		}
	}
	r, why := ratioOf(now.Plugin, m, was)
	if one.Cause = why; why != "" {
		return one, r
	}
	one.Ratio, one.CI = &r.Ratio, figures.Bounds(r.CI)
	if c.SameMachine {
		one.Cause = hostMoved(old, c.later, now.Cell, m, c.Margin)
	}
	return one, r
}

// addGone adds the figures of the earlier run that the later one does not have.
func (c *Comparison) addGone(old, now *model.Report) {
	for i := range old.Cells {
		before := &old.Cells[i]
		if !c.SameMachine && before.Plugin == results.HostPlugin {
			continue
		}
		after := now.Cell(before.Cell)
		for _, m := range headlines(before) {
			if after != nil && after.Metric(m.Probe, m.Name) != nil {
				continue
			}
			cause := "the later run does not have it"
			if after != nil && after.Status == results.StatusBroke {
				cause = "in the later run it " + after.Outcome().String()
			} else if after != nil && !after.Cause.Empty() {
				cause = "its status in the later run is " + after.Outcome().String()
			} else if after != nil && after.Failure(m.Probe) != nil {
				cause = "in the later run " + after.Failure(m.Probe).Text().String()
			}
			one := Cell{Cell: before.Cell, Probe: m.Probe, Metric: m.Name, Unit: m.Unit, Old: &m.Median, Verdict: stats.Inconclusive, Cause: cause}
			if before.Plugin != results.HostPlugin {
				one.Unit, one.Old = "ratio", nil
			}
			c.Cells = append(c.Cells, one)
		}
	}
}
