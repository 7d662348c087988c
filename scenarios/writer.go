package scenarios

import (
	"fmt"
	"slices"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// writer writes a run's results into its journal.
type writer struct {
	journal *results.Journal
	kernel  string // kernel that the nodes run on, "" for the machine's own
	part    string // of the run; see [partOf]
	earlier earlier
}

func (w writer) append(rec results.Record) error {
	if rec.Time.IsZero() {
		rec.Time = time.Now()
	}
	rec.Kernel = w.kernel
	if err := w.journal.Append(rec); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

// event journals an event. If the journal cannot be written, it returns the error again at the
// next sample and at the end of the run.
func (w writer) event(e results.Event) { _ = w.append(results.Record{Event: &e}) }

// findings journals the findings of a sample, each only once per network.
func (w writer) findings(s step, found []probes.Finding) error {
	for _, f := range found {
		if s.network.found[f] {
			continue
		}
		s.network.found[f] = true
		err := w.append(results.Record{Finding: &results.Finding{Plugin: s.Plugin, Topology: s.Topology, Wire: s.Wire,
			Probe: s.probe, Name: f.Name, Text: f.Text}})
		if err != nil {
			return err
		}
	}
	return nil
}

// notHere journals that what a probe needs is not there.
func (w writer) notHere(n *upNetwork, probe string, why words.Text) {
	w.event(results.Event{Name: results.EventNotHere, Plugin: n.instance, Topology: n.topology, Text: words.Of(words.Quote(probe), why)})
}

// facts journals the facts that a probe returned.
func (w writer) facts(n *upNetwork, measured *probes.Measurement) error {
	var records []results.Record
	for _, a := range measured.Adjacency {
		a.Plugin, a.Topology = n.instance, n.topology
		records = append(records, results.Record{Adjacency: &a})
	}
	for _, reached := range measured.Reachability {
		reached.Plugin, reached.Topology = n.instance, n.topology
		records = append(records, results.Record{Reachability: &reached})
	}
	for _, p := range measured.Policy {
		p.Plugin, p.Topology = n.instance, n.topology
		records = append(records, results.Record{Policy: &p})
	}
	if h := measured.Hops; h != nil {
		h.Plugin, h.Topology = n.instance, n.topology
		records = append(records, results.Record{Hops: h})
	}
	for _, part := range surveyParts(measured.Survey) {
		part.Plugin, part.Topology = n.instance, n.topology
		records = append(records, results.Record{Survey: &part})
	}
	for _, record := range records {
		if err := w.append(record); err != nil {
			return err
		}
	}
	return nil
}

// fileParts returns the parts of the name of a file (see [results.FileName]): of, and what
// distinguishes the file from one of the same name in another kernel, in another part of the run,
// and before an interruption, since an interrupted block is measured again.
func (w writer) fileParts(of ...string) []string {
	parts := slices.Clone(of)
	if w.kernel != "" {
		parts = append(parts, "kernel="+w.kernel)
	}
	if w.part != "" {
		parts = append(parts, w.part)
	}
	if n := w.earlier.interruptions(); n > 0 {
		parts = append(parts, fmt.Sprintf("resumed=%d", n))
	}
	return parts
}

// surveyPairs is how many pairs one record of a survey holds.
const surveyPairs = 256

// surveyParts divides a survey into records of a limited size. The first names the nodes.
func surveyParts(s *results.Survey) []results.Survey {
	if s == nil {
		return nil
	}
	parts := []results.Survey{{Nodes: s.Nodes}}
	for pairs := range slices.Chunk(s.Pairs, surveyPairs) {
		parts = append(parts, results.Survey{Pairs: pairs})
	}
	return parts
}
