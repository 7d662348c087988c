// Package accept checks a recorded run against thresholds. It decides on the bounds of
// intervals, never on estimates: a threshold that the samples do not settle is
// inconclusive, neither passed nor failed.
package accept

import (
	_ "embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/spec"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
)

// Spec lists the limits that a network must meet.
type Spec struct {
	Title string `json:"title,omitempty"`
	// Run is the run to make if no recorded run is given.
	Run *results.Asked `json:"run,omitempty"`
	// Against is the directory of the earlier run that thresholds compare with.
	Against    string      `json:"against,omitempty"`
	Thresholds []Threshold `json:"thresholds"`
}

// Threshold limits one figure or fact of every network that it names. Exactly one of
// Metric, Fact and Setup is set.
type Threshold struct {
	Name     string `json:"name,omitempty"`
	Plugin   string `json:"plugin,omitempty"`   // name, alias or glob; "": all except the baseline
	Topology string `json:"topology,omitempty"` // "": all
	Wire     string `json:"wire,omitempty"`     // "": all; only for metrics
	Metric   string `json:"metric,omitempty"`   // probe and name, "tcp-stream goodput"
	Fact     string `json:"fact,omitempty"`     // see factsKnown
	Setup    string `json:"setup,omitempty"`    // network_ready_ms, cni_add_ms, agent_rss_bytes
	// Of selects the value of a metric: value, host or earlier.
	Of      string `json:"of,omitempty"`
	AtLeast *Bound `json:"at_least,omitempty"`
	AtMost  *Bound `json:"at_most,omitempty"`
	Is      *Word  `json:"is,omitempty"`
}

// Values of Threshold.Of.
const (
	ofValue   = "value"   // the figure itself, in its unit
	ofHost    = "host"    // its ratio to the baseline in the same blocks
	ofEarlier = "earlier" // its ratio to an earlier run
)

//go:embed explain.yaml
var explanation string

// Explain describes the spec file for people.
func Explain() string {
	var b strings.Builder
	b.WriteString(explanation + "# Facts:\n")
	for _, f := range factsKnown {
		values := strings.Join(f.words, ", ")
		if f.number {
			values = "number in " + f.unit
		}
		fmt.Fprintf(&b, "#   %-34s %s (%s)\n", f.name, f.title, values)
	}
	return b.String()
}

// Parse reads a spec file strictly. defaults are the values for keys that the run
// section leaves out. An error is one line that names the line of the file or the number
// of the threshold, and suggests the nearest name for a misspelt one.
func Parse(text []byte, defaults results.Asked) (*Spec, error) {
	s := &Spec{Run: &defaults}
	if _, err := spec.Read(text, s); err != nil {
		return nil, err
	}
	if len(s.Thresholds) == 0 {
		return nil, errors.New("the spec has no thresholds")
	}
	for i := range s.Thresholds {
		if err := s.Thresholds[i].check(); err != nil {
			return nil, fmt.Errorf("threshold %d: %w", i+1, err)
		}
	}
	return s, nil
}

// MeasuresItself reports whether the spec says what to run. On a cluster it does so
// without plugins, because the cluster already has one.
func (s *Spec) MeasuresItself() bool {
	return s.Run != nil && (len(s.Run.Plugins) > 0 || s.Run.Testbed == "cluster" || s.Run.Apart())
}

// NeedsEarlier reports whether a threshold compares with an earlier run.
func (s *Spec) NeedsEarlier() bool {
	return slices.ContainsFunc(s.Thresholds, func(t Threshold) bool { return t.Of == ofEarlier })
}

// check completes a threshold and refuses an invalid one.
func (t *Threshold) check() error {
	set := 0
	for _, what := range []string{t.Metric, t.Fact, t.Setup} {
		if what != "" {
			set++
		}
	}
	if set != 1 {
		return errors.New("exactly one of metric, fact and setup must be set")
	}
	for _, pattern := range []string{t.Plugin, t.Topology, t.Wire} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("the pattern %q: %w", pattern, err)
		}
	}
	if t.Of != "" && t.Metric == "" {
		return errors.New("of applies only to a metric")
	}
	if t.Wire != "" && t.Metric == "" {
		return errors.New("wire applies only to a metric: facts and setup figures do not depend on the rate limit")
	}
	if t.AtLeast != nil && t.AtMost != nil && t.AtLeast.value > t.AtMost.value && t.AtLeast.unit == t.AtMost.unit {
		return errors.New("at_least is above at_most")
	}
	if t.Name == "" {
		t.Name = t.described()
	}
	switch {
	case t.Metric != "":
		return t.checkMetric()
	case t.Fact != "":
		return t.checkFact()
	}
	return t.checkSetup()
}

func (t *Threshold) checkMetric() error {
	if len(strings.Fields(t.Metric)) != 2 {
		return fmt.Errorf("the metric %q is not a probe and a metric, such as \"tcp-stream goodput\"", t.Metric)
	}
	if t.Of == "" {
		t.Of = ofValue
	}
	if err := catalogue.OneOf("value of of", t.Of, []string{ofValue, ofHost, ofEarlier}); err != nil {
		return err
	}
	if t.Of == ofValue {
		return t.needsBounds("")
	}
	return t.needsBounds(unitRatio)
}

func (t *Threshold) checkFact() error {
	var names []string
	for _, f := range factsKnown {
		if f.name == t.Fact {
			if f.number {
				return t.needsBounds(f.unit)
			}
			return t.needsIs(f.words)
		}
		names = append(names, f.name)
	}
	return catalogue.OneOf("fact", t.Fact, names)
}

func (t *Threshold) checkSetup() error {
	var names []string
	for _, s := range setups {
		if s.name == t.Setup {
			return t.needsBounds(s.unit)
		}
		names = append(names, s.name)
	}
	return catalogue.OneOf("setup figure", t.Setup, names)
}

// needsBounds checks that there is a bound and that its unit can be converted to unit.
// unit is "" for a metric, whose unit is known only from the run.
func (t *Threshold) needsBounds(unit string) error {
	if t.Is != nil {
		return errors.New("is applies only to facts whose value is a word; this one is a number and takes at_least or at_most")
	}
	if t.AtLeast == nil && t.AtMost == nil {
		return errors.New("at_least or at_most is missing")
	}
	for _, b := range []*Bound{t.AtLeast, t.AtMost} {
		if b == nil || unit == "" {
			continue
		}
		if _, err := b.in(unit); err != nil {
			return err
		}
	}
	return nil
}

func (t *Threshold) needsIs(words []string) error {
	if t.AtLeast != nil || t.AtMost != nil {
		return errors.New("at_least and at_most apply only to numbers; this fact takes is")
	}
	if t.Is == nil {
		return errors.New("the key is is missing")
	}
	return catalogue.OneOf("value of this fact", string(*t.Is), words)
}

// described returns a name for a threshold that has none.
func (t *Threshold) described() string {
	parts := []string{t.Metric + t.Fact + t.Setup}
	if t.Of == ofHost || t.Of == ofEarlier {
		parts = append(parts, "of", t.Of)
	}
	if t.AtLeast != nil {
		parts = append(parts, "at least", t.AtLeast.text)
	}
	if t.AtMost != nil {
		parts = append(parts, "at most", t.AtMost.text)
	}
	if t.Is != nil {
		parts = append(parts, "is", string(*t.Is))
	}
	for _, where := range []string{t.Plugin, t.Topology, t.Wire} {
		if where != "" {
			parts = append(parts, where)
		}
	}
	return strings.Join(parts, " ")
}
