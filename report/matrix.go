package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// matrix says which plugin works on which topology.
type matrix struct {
	Topologies []string
	Rows       []matrixRow
}

type matrixRow struct {
	Plugin string
	Cells  []matrixCell // in the order of the topologies
}

// matrixCell is what became of a plugin on a topology.
type matrixCell struct {
	Mark string // works, "works, but", "hardly works", "worked, then broke", "does not work", "not measured"
	Why  string // what follows it; "" if there is nothing to say
}

func (c matrixCell) text() string {
	if c.Why == "" {
		return c.Mark
	}
	return c.Mark + ": " + c.Why
}

// matrix judges every plugin on every topology of the run.
func (r *Report) matrix() matrix {
	m := matrix{Topologies: r.topologies()}
	var plugins []string
	for _, topology := range m.Topologies {
		for _, p := range r.plugins(topology) {
			if !slices.Contains(plugins, p) {
				plugins = append(plugins, p)
			}
		}
	}
	for _, p := range plugins {
		row := matrixRow{Plugin: p}
		for _, topology := range m.Topologies {
			row.Cells = append(row.Cells, r.matrixCell(p, topology))
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func (r *Report) matrixCell(plugin, topology string) matrixCell {
	works := r.works(plugin, topology)
	switch works.Value {
	case "yes":
	case "partly":
		return matrixCell{"hardly works", works.Evidence}
	case "no":
		for _, c := range r.cells(plugin, topology) {
			if c.Status == results.StatusBroke {
				return matrixCell{"worked, then broke", works.Evidence}
			}
		}
		return matrixCell{"does not work", works.Evidence}
	default:
		return matrixCell{"not measured", works.Evidence}
	}
	if but := r.but(plugin, topology); len(but) > 0 {
		return matrixCell{"works, but", strings.Join(but, "; ")}
	}
	return matrixCell{Mark: "works"}
}

// but is what a person should know of a plugin that works.
func (r *Report) but(plugin, topology string) []string {
	var but []string
	for _, e := range r.Encapsulation {
		switch {
		case e.Plugin != plugin || e.Topology != topology || e.Agrees:
		case missed(&e):
			but = append(but, r.path(plugin, topology).Evidence)
		default:
			but = append(but, fmt.Sprintf("the wire shows %s instead of %s", form(e.Effective, e.Port, e.OverheadBytes),
				form(e.Configured, e.ConfiguredPort, e.ExpectedBytes)))
		}
	}
	for _, c := range r.cells(plugin, topology) {
		if c.Status != "ok" {
			but = append(but, fmt.Sprintf("not over the wire %s: %s", c.Wire, c.Cause))
		}
		for i := range c.Failures {
			but = append(but, c.Failures[i].text())
		}
		if text := r.oneWay(c); text != "" {
			but = append(but, text)
		}
	}
	if same := r.reached(plugin, topology, "pod-to-pod-same-node"); same.Value == "no" || same.Value == "partly" {
		but = append(but, same.Evidence)
	}
	for _, f := range r.Findings {
		if f.Plugin == plugin && f.Topology == topology && !slices.Contains(but, f.Text) {
			but = append(but, f.Text)
		}
	}
	return but
}

// oneSided is how many times as much one way may carry as the other before that
// is worth a word, if the nodes' own network carries the same both ways.
const oneSided = 3

// oneWay says that a cell's streams get much more through one way than the
// other, "" if they do not or the host's do so too.
func (r *Report) oneWay(c *Cell) string {
	host := r.Cell(results.Cell{Plugin: results.HostPlugin, Topology: c.Topology, Wire: c.Wire})
	for i := range c.Metrics {
		m := &c.Metrics[i]
		params := strings.Split(m.Probe, ":")
		at := slices.Index(params, "reverse")
		if params[0] != "tcp-stream" || m.Name != "goodput" || at < 0 {
			continue
		}
		forth := strings.Join(slices.Delete(params, at, at+1), ":")
		there := c.Metric(forth, m.Name)
		if there == nil || !lopsided(there, m) || host != nil && lopsided(host.Metric(forth, m.Name), host.Metric(m.Probe, m.Name)) {
			continue
		}
		return fmt.Sprintf("one way carries much less than the other: %s %s from the first node to the second, %s back",
			quantity(there.Median, m.Unit), wireText(c.Wire), quantity(m.Median, m.Unit))
	}
	return ""
}

// lopsided reports whether two figures differ by more than [oneSided] times.
func lopsided(a, b *Metric) bool {
	return a != nil && b != nil && max(a.Median, b.Median) > oneSided*min(a.Median, b.Median)
}

// adjacency is what several pairs of nodes have in common.
type adjacency struct {
	Topology, Neighbour, Forwards, Note string
	Pairs                               int
}

// adjacent joins the pairs of nodes that showed the same.
func (r *Report) adjacent() []adjacency {
	var all []adjacency
	for _, a := range r.Adjacency {
		line := adjacency{Topology: a.Topology, Neighbour: yesNo(a.Neighbour), Forwards: yesNo(a.Forwards), Note: a.Cause}
		if a.ProxyARP {
			line.Neighbour = "yes, by somebody else's MAC (proxy ARP)"
		}
		if a.Forwards && a.TTL > 0 {
			line.Forwards = fmt.Sprintf("yes, TTL %d of 64", a.TTL)
		}
		i := slices.IndexFunc(all, func(o adjacency) bool { o.Pairs = 0; return o == line })
		if i < 0 {
			i, all = len(all), append(all, line)
		}
		all[i].Pairs++
	}
	return all
}

// directions are the columns of the reachability table.
var directions = []string{"outside-to-pod", "pod-to-outside", "pod-to-outside-masqueraded", "pod-to-pod", "pod-to-pod-same-node"}

// reachLine is what reaches what under one plugin on one topology.
type reachLine struct {
	Plugin, Topology string
	Cells            []string // in the order of directions
}

// reachedLines arranges the reachability, one line for each network.
func (r *Report) reachedLines() []reachLine {
	var all []reachLine
	for _, a := range r.Reachability {
		if slices.ContainsFunc(all, func(l reachLine) bool { return l.Plugin == a.Plugin && l.Topology == a.Topology }) {
			continue
		}
		l := reachLine{a.Plugin, a.Topology, nil}
		for _, direction := range directions {
			l.Cells = append(l.Cells, strings.Join(reachTexts(r.attempts(a.Plugin, a.Topology, direction)), "; "))
		}
		all = append(all, l)
	}
	return all
}
