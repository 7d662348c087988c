package accept

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/change"
	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Verdict is the result of a threshold.
type Verdict string

// The verdicts.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Outcome is the result of checking a run against a spec.
type Outcome struct {
	Schema     string       `json:"schema"`
	Title      string       `json:"title,omitempty"`
	Run        string       `json:"run"`
	Verdict    Verdict      `json:"verdict"`
	Warnings   []words.Text `json:"warnings"` // of the run
	Thresholds []Result     `json:"thresholds"`

	report *model.Report
}

// Schema names the version of the outcome in JSON.
const Schema = "cnibench.accept/v1"

// Result is the result of one threshold, with the part of each network.
type Result struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"`
	Of      []Part  `json:"of"`
}

// Part is the result of a threshold for one network.
type Part struct {
	Where   string      `json:"where"`
	Verdict Verdict     `json:"verdict"`
	Reason  string      `json:"reason"`
	Bounds  *[2]float64 `json:"bounds,omitempty"` // interval that the verdict is based on
	Unit    string      `json:"unit,omitempty"`
}

// Judge checks a run against a spec. earlier may be nil; thresholds that compare with
// an earlier run are then inconclusive.
func Judge(s *Spec, r, earlier *model.Report, c catalogue.Catalogue) *Outcome {
	o := &Outcome{Schema: Schema, Title: s.Title, Run: r.Run.ID, Verdict: Pass, Warnings: r.Warnings, report: r}
	for i := range s.Thresholds {
		result := (&judge{&s.Thresholds[i], r, earlier, c}).result()
		o.Verdict = worse(o.Verdict, result.Verdict)
		o.Thresholds = append(o.Thresholds, result)
	}
	return o
}

// worse combines two verdicts: a failure outweighs everything else, and an inconclusive
// verdict outweighs a pass.
func worse(a, b Verdict) Verdict {
	for _, v := range []Verdict{Fail, Inconclusive} {
		if a == v || b == v {
			return v
		}
	}
	return Pass
}

// judge checks one threshold against a run.
type judge struct {
	*Threshold
	run, earlier *model.Report
	catalogue    catalogue.Catalogue
}

func (j *judge) result() Result {
	result := Result{Name: j.Name, Verdict: Pass, Of: []Part{}}
	for _, s := range j.look() {
		p := j.decide(s)
		result.Of = append(result.Of, p)
		result.Verdict = worse(result.Verdict, p.Verdict)
	}
	var reasons []string
	for _, p := range result.Of {
		if p.Verdict == result.Verdict {
			reasons = append(reasons, p.Where+": "+p.Reason)
		}
	}
	result.Reason = strings.Join(reasons, "; ")
	return result
}

// decide compares the bounds of an interval with a threshold's limits.
func (j *judge) decide(s seen) Part {
	p := Part{Where: s.where, Verdict: Inconclusive, Unit: s.unit}
	switch {
	case s.broken != "":
		p.Verdict, p.Reason = Fail, s.broken
		return p
	case s.missing != "":
		p.Reason = s.missing
		return p
	case j.Is != nil:
		p.Verdict, p.Reason = Fail, fmt.Sprintf("it is %s, not %s", s.word, *j.Is)
		if s.word == string(*j.Is) {
			p.Verdict, p.Reason = Pass, "it is "+s.word
		}
		return p
	case !s.known:
		p.Reason = s.shown + " has no interval"
		return p
	}
	p.Bounds = &[2]float64{s.low, s.high}
	p.Verdict = Pass
	var reasons []string
	for _, l := range []struct {
		bound *Bound
		least bool
	}{{j.AtLeast, true}, {j.AtMost, false}} {
		if l.bound == nil {
			continue
		}
		limit, err := l.bound.in(s.unit)
		if err != nil {
			return Part{Where: s.where, Verdict: Inconclusive, Reason: err.Error(), Unit: s.unit}
		}
		v := against(s.low, s.high, limit, l.least)
		p.Verdict = worse(p.Verdict, v)
		reasons = append(reasons, says(v, l.least)+" "+l.bound.text)
	}
	p.Reason = s.shown + ": " + strings.Join(reasons, ", ")
	return p
}

// against compares the bounds of an interval with a limit. It is inconclusive if a
// bound is NaN.
func against(low, high, limit float64, least bool) Verdict {
	if !least {
		low, high, limit = -high, -low, -limit
	}
	switch {
	case low >= limit && high >= low:
		return Pass
	case high < limit && low <= high:
		return Fail
	}
	return Inconclusive
}

// says describes a verdict on a limit.
func says(v Verdict, least bool) string {
	side := map[bool]string{true: "at least", false: "at most"}[least]
	switch v {
	case Pass:
		return "is " + side
	case Fail:
		return "is not " + side
	}
	return "the interval leaves open whether it is " + side
}

// look returns the figure or facts of every network that the threshold names.
func (j *judge) look() []seen {
	var all []seen
	var places []place
	for i := range j.run.Cells {
		c := &j.run.Cells[i]
		if !j.names(c) {
			continue
		}
		if j.Metric != "" {
			all = append(all, j.metric(c))
			continue
		}
		if p := (place{c.Plugin, c.Topology}); !slices.Contains(places, p) {
			places = append(places, p)
			all = append(all, j.fact(c, p)...)
		}
	}
	if len(all) == 0 {
		return []seen{{where: "the run", missing: "it has nothing that matches the threshold (" + strings.TrimSpace(j.Plugin+" "+j.Topology+" "+j.Wire) + ")"}}
	}
	return all
}

// names reports whether a threshold covers a cell. The baseline and an A/A copy are
// covered only if they are named.
func (j *judge) names(c *model.Cell) bool {
	match := func(pattern, name string) bool {
		ok, _ := path.Match(pattern, name)
		return pattern == "" || ok
	}
	if !match(j.Topology, c.Topology.Name) || !match(j.Wire, c.Wire) {
		return false
	}
	if p := j.catalogue.Get(j.Plugin); p != nil {
		return p.Name == c.Plugin
	}
	if c.Plugin == results.HostPlugin || strings.Contains(c.Plugin, "+") {
		return j.Plugin == c.Plugin
	}
	return match(j.Plugin, c.Plugin)
}

// without says why a cell has nothing to judge: it does not work, or it was not
// measured. The result is empty if the cell is sound.
func without(r *model.Report, c *model.Cell) seen {
	if shared := facts.Underlay(r, c); !shared.Empty() && c.Status != results.StatusOK && c.Status != results.StatusUnsupported {
		return seen{missing: shared.String()}
	}
	switch {
	case c.Status == results.StatusBroke:
		return seen{broken: "it " + c.Outcome().String()}
	case c.Status == results.StatusFailed && c.Cause != model.CauseNotReached:
		return seen{broken: "it does not work: " + c.Cause.String()}
	case c.Status != results.StatusOK:
		return seen{missing: c.Outcome().String()}
	}
	return seen{}
}

// metric returns a cell's value of the threshold's figure.
func (j *judge) metric(c *model.Cell) seen {
	where := place{c.Plugin, c.Topology}.String() + " over " + c.Wire
	s := without(j.run, c)
	if s.broken == "" && s.missing == "" {
		probe, name, _ := strings.Cut(strings.Join(strings.Fields(j.Metric), " "), " ")
		if m := c.Metric(probe, name); m != nil {
			s = j.figure(c, m)
			if f := c.Failure(probe); f != nil && !f.Shared && 2*f.Failed > f.Of {
				s = seen{broken: "most samples failed: " + f.Text().String()}
			}
		} else if f := c.Failure(probe); f != nil && f.Shared {
			s.missing = f.Text().String()
		} else if f != nil {
			s.broken = f.Text().String()
		} else {
			s.missing = fmt.Sprintf("the run has no %s %s; it has %s", probe, name, listed(c))
		}
	}
	s.where = where
	return s
}

// figure returns the interval that the threshold compares with its limits.
func (j *judge) figure(c *model.Cell, m *model.Metric) seen {
	notes := ""
	if len(m.Warnings) > 0 {
		notes = " (" + words.Clauses(m.Warnings...).String() + ")"
	}
	switch j.Of {
	case ofHost:
		if m.VsHost == nil {
			return seen{missing: "its ratio to host is not known" + notes}
		}
		shown := quantity.Ratio(m.VsHost.Ratio, m.VsHost.CI) + " of host"
		if m.Location.Deployments < stats.MinDeployments && !m.Fact {
			shown += " in what this run deployed"
		}
		return interval(m.VsHost.CI, unitRatio, shown+notes)
	case ofEarlier:
		if j.earlier == nil {
			return seen{missing: "no earlier run is given: pass --against or add against to the spec"}
		}
		r, why := change.Of(j.earlier, j.run, c, m)
		if why != "" {
			return seen{missing: why}
		}
		return interval(r.CI, unitRatio, quantity.Ratio(r.Ratio, r.CI)+" of the earlier run"+notes)
	}
	shown := quantity.Interval(m.Median, m.LevelCI, m.Unit)
	if m.LevelCI != nil && m.Location.Deployments < stats.MinDeployments && *m.LevelCI != *m.CI {
		shown += ", with an allowance for other times"
		if !j.run.OnCluster() {
			shown += fmt.Sprintf(", which --redeploy %d measures", stats.MinDeployments)
		}
	}
	return interval(m.LevelCI, m.Unit, shown+notes)
}

func interval(ci *[2]float64, unit, shown string) seen {
	s := seen{unit: unit, shown: shown}
	if ci != nil {
		s.low, s.high, s.known = ci[0], ci[1], true
	}
	return s
}

// fact returns a network's values of the threshold's fact or setup figure.
func (j *judge) fact(c *model.Cell, p place) []seen {
	all := []seen{without(j.run, c)}
	if s := all[0]; s.broken == "" && s.missing == "" {
		if all = j.facts(p); len(all) == 0 {
			all = []seen{{missing: j.Fact + j.Setup + " was not measured in this run"}}
		}
	}
	for i := range all {
		all[i].where = p.String() + all[i].where
	}
	return all
}

func (j *judge) facts(p place) []seen {
	for _, f := range factsKnown {
		if f.name == j.Fact {
			return f.of(j.run, p)
		}
	}
	for _, s := range setups {
		if s.name != j.Setup {
			continue
		}
		for _, one := range j.run.Setup {
			if v, ok := s.of(one); ok && one.Plugin == p.plugin && one.Topology == p.topology {
				return []seen{exactly(v, s.unit)}
			}
		}
	}
	return nil
}

// listed names the figures of a cell.
func listed(c *model.Cell) string {
	if len(c.Metrics) == 0 {
		return "no figures"
	}
	var names []string
	for _, m := range c.Metrics {
		names = append(names, m.Probe+" "+m.Name)
	}
	return strings.Join(names, ", ")
}
