// Package gather groups the records of a run by network and cell.
package gather

import (
	"slices"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Run groups the records of a run by network and cell.
type Run struct {
	Recorded  *results.Recorded
	catalogue catalogue.Catalogue
	Report    *model.Report
	Networks  map[Place]results.Network // the last record counts
	Order     []Place
	Samples   map[results.Cell][]results.Sample
	Exits     map[Place][]agentExit
	Surveys   map[Place]*results.Survey // the last one of a network counts
	// PairSpeeds holds the streams between pairs of nodes.
	PairSpeeds map[Place][]results.PairSpeed
	// Deployments is how many deployments of the networks the run measured, at least 1.
	Deployments int
	setups      map[Place][]results.Setup // one for each deployment
}

// Place is a network: a plugin on a topology.
type Place struct {
	Plugin   string
	Topology results.Topology
}

// New groups a recorded run. Samples that were measured again are left out.
func New(recorded *results.Recorded, c catalogue.Catalogue) *Run {
	run := recorded.Run
	b := &Run{Recorded: recorded, catalogue: c,
		Report: &model.Report{
			Schema: model.Schema, Host: run.Host, Warnings: []words.Text{},
			Run: model.Run{ID: run.ID, Started: run.Started, Seed: run.Asked.Seed, Testbed: run.Asked.Testbed, Asked: run.Asked, Clusters: run.Clusters,
				CongestionControl: run.CongestionControl, Versions: run.Versions},
			Cells: []model.Cell{}, Comparisons: []model.Comparison{}, Implausible: []model.Implausible{}, Encapsulation: []results.Encapsulation{},
			Adjacency: []results.Adjacency{}, Reachability: []results.Reachability{}, Policy: []model.Policy{},
			Hops: []results.Hops{}, NotMeasured: []model.NotMeasured{}, Findings: []results.Finding{}, Setup: []model.Setup{},
		},
		Networks: map[Place]results.Network{}, Samples: map[results.Cell][]results.Sample{}, Exits: map[Place][]agentExit{},
		Surveys: map[Place]*results.Survey{}, PairSpeeds: map[Place][]results.PairSpeed{},
		setups: map[Place][]results.Setup{}, Deployments: 1,
	}
	b.Report.Warnings = append(b.Report.Warnings, recorded.Warnings...)
	b.Report.Run.Took = underWay(run, recorded.Records).Seconds()
	again := recorded.Superseded()
	redone := 0
	for i, record := range recorded.Records {
		switch {
		case !again[i]:
			b.read(record)
		case record.Sample != nil:
			redone++
		}
	}
	if redone > 0 {
		b.Report.Warnings = append(b.Report.Warnings, words.Plural(redone, words.SampleRedone, words.SamplesRedone).With(redone))
	}
	return b
}

// read adds one record. Results of one topology in two kernels are kept apart, so
// that nothing is compared across kernels.
func (b *Run) read(record results.Record) {
	in := func(t *results.Topology) string {
		*t = t.In(record.Kernel)
		return record.Kernel
	}
	switch {
	case record.Network != nil:
		b.network(*record.Network, record.Kernel)
	case record.Sample != nil:
		s := *record.Sample
		in(&s.Topology)
		b.Deployments = max(b.Deployments, s.Deployment+1)
		b.Samples[s.Cell] = append(b.Samples[s.Cell], s)
	case record.Setup != nil:
		b.setup(*record.Setup, record.Kernel)
	case record.Encapsulation != nil:
		e := *record.Encapsulation
		e.Kernel = in(&e.Topology)
		if e.Layers == nil {
			e.Layers = []string{}
		}
		b.Report.Encapsulation = append(b.Report.Encapsulation, e)
	case record.Finding != nil:
		f := *record.Finding
		f.Kernel = in(&f.Topology)
		b.Report.Findings = append(b.Report.Findings, f)
	case record.Adjacency != nil:
		a := *record.Adjacency
		a.Kernel = in(&a.Topology)
		b.Report.Adjacency = append(b.Report.Adjacency, a)
	case record.Reachability != nil:
		r := *record.Reachability
		r.Kernel = in(&r.Topology)
		b.Report.Reachability = append(b.Report.Reachability, r)
	case record.Policy != nil:
		p := *record.Policy
		p.Kernel = in(&p.Topology)
		documented, source := advice.DocumentedPolicy(results.Original(p.Plugin))
		b.Report.Policy = append(b.Report.Policy, model.Policy{Policy: p, Documented: documented, Source: source})
	case record.Hops != nil:
		h := *record.Hops
		h.Kernel = in(&h.Topology)
		b.Report.Hops = append(b.Report.Hops, h)
	case record.Survey != nil:
		s := *record.Survey
		in(&s.Topology)
		b.survey(s)
	case record.PairSpeed != nil:
		s := *record.PairSpeed
		in(&s.Topology)
		p := Place{s.Plugin, s.Topology}
		b.PairSpeeds[p] = append(b.PairSpeeds[p], s)
	case record.Event != nil:
		e := *record.Event
		in(&e.Topology)
		b.event(e, record.Time)
	}
}

// network adds the state of a network. A network that the machine's own kernel does
// not support is reported for the other kernel if that supports it, and otherwise
// where it was asked for.
func (b *Run) network(n results.Network, kernel string) {
	own, p := Place{n.Plugin, n.Topology}, Place{n.Plugin, n.Topology.In(kernel)}
	if left, is := b.Networks[own]; is && kernel != "" && left.Lacks != "" {
		if n.Lacks != "" {
			n.Kernel, p = left.Kernel, own
		} else {
			delete(b.Networks, own)
			b.Order = slices.DeleteFunc(b.Order, func(p Place) bool { return p == own })
		}
	}
	was, known := b.Networks[p]
	if was.Status == results.StatusBroke && n.Status == results.StatusOK {
		b.cameBack(p, was)
	}
	if !known {
		b.Order = append(b.Order, p)
	}
	b.Networks[p] = n
}

func (b *Run) event(e results.Event, at time.Time) {
	run := &b.Report.Run
	switch e.Name {
	case results.EventBlockEnd:
		run.Rounds = max(run.Rounds, e.Block+1)
	case results.EventFinished:
		run.Complete = e.Complete
		run.Finished = &at
	case results.EventStopped:
		run.Finished = &at
	case results.EventResumed:
		if len(b.Samples) == 0 { // it starts over
			clear(b.PairSpeeds)
		}
		run.Finished, run.Complete = nil, false
		b.Report.Warnings = append(b.Report.Warnings, e.Text)
	case results.EventAgentExit:
		p := Place{e.Plugin, e.Topology}
		b.Exits[p] = append(b.Exits[p], agentExit{at, e.Text})
	case results.EventLeftOut, results.EventLeftovers:
		b.Report.Warnings = append(b.Report.Warnings, e.Text)
	case results.EventNotHere:
		notMeasured(b.Report, Place{e.Plugin, e.Topology}, e.Text)
	case results.EventCNIDel, results.EventFactFailed, results.EventRestored, results.EventDetected, results.EventAltered:
		b.Report.Warnings = append(b.Report.Warnings, words.Of(words.On.With(e.Plugin, e.Topology), e.Text))
	}
}

// survey adds a part of a survey. The part that names the nodes is the first.
func (b *Run) survey(part results.Survey) {
	p := Place{part.Plugin, part.Topology}
	if len(part.Nodes) > 0 || b.Surveys[p] == nil {
		b.Surveys[p] = &results.Survey{Plugin: p.Plugin, Topology: p.Topology, Nodes: part.Nodes}
	}
	for _, pair := range part.Pairs { // an incomplete record may lack nodes
		for _, name := range []string{pair.From, pair.To} {
			if !slices.ContainsFunc(b.Surveys[p].Nodes, func(n results.SurveyNode) bool { return n.Name == name }) {
				b.Surveys[p].Nodes = append(b.Surveys[p].Nodes, results.SurveyNode{Name: name})
			}
		}
	}
	b.Surveys[p].Pairs = append(b.Surveys[p].Pairs, part.Pairs...)
}

// Plugin returns a network's plugin from the catalogue, or nil if this version does
// not know the plugin that the record names.
func (b *Run) Plugin(instance string) *plugins.Plugin {
	return b.catalogue.Get(results.Original(instance))
}

// Topologies lists the measured topologies, in the order of the record.
func (b *Run) Topologies() []results.Topology {
	var all []results.Topology
	for _, p := range b.Order {
		if !slices.Contains(all, p.Topology) {
			all = append(all, p.Topology)
		}
	}
	return all
}

// cameBack warns that a network that broke worked again after the run was resumed.
func (b *Run) cameBack(p Place, was results.Network) {
	b.Report.Warnings = append(b.Report.Warnings, words.BrokeAndCameBack.With(p.Plugin, p.Topology, was.BrokeRound, model.Clock(was.BrokeAt), was.Cause))
}

func notMeasured(r *model.Report, p Place, text words.Text) {
	where := words.On.With(p.Plugin, p.Topology)
	for i := range r.NotMeasured {
		if n := &r.NotMeasured[i]; n.Text == text {
			n.Places = append(n.Places, where)
			return
		}
	}
	r.NotMeasured = append(r.NotMeasured, model.NotMeasured{Text: text, Places: []words.Text{where}})
}

// agentExit is the end of an agent, and how it ended.
type agentExit struct {
	At   time.Time
	Text words.Text
}

// RoundsOf returns the first and the last round of a plugin, counted from 1, or 0 if
// it has no sample.
func (b *Run) RoundsOf(plugin string) (first, last int) {
	for cell, samples := range b.Samples {
		if cell.Plugin != plugin {
			continue
		}
		for _, s := range samples {
			last = max(last, s.Block+1)
			if first == 0 || s.Block+1 < first {
				first = s.Block + 1
			}
		}
	}
	return first, last
}

// RecordedOf reports whether there is a record of a network in any kernel.
func (b *Run) RecordedOf(plugin, topology string) bool {
	return slices.ContainsFunc(b.Order, func(p Place) bool {
		return p.Plugin == plugin && p.Topology.Name == topology
	})
}
