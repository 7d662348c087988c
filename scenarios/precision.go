package scenarios

import (
	"fmt"
	"math"
	"slices"

	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// figureOf names one figure of one cell.
type figureOf struct {
	results.Cell
	probe, metric string
}

// seen holds every figure measured so far, by block.
type seen map[figureOf]map[int]float64

// add records a sample's figures.
func (s seen) add(sample *results.Sample) {
	for name, v := range sample.Values {
		f := figureOf{sample.Cell, sample.Probe, name}
		if s[f] == nil {
			s[f] = map[int]float64{}
		}
		s[f][sample.Block] = v
	}
}

// reached describes the progress of the intervals that the verdicts depend on: those of the
// ratios of every pair, for every probe's headline figure.
type reached struct {
	// widest is the full width of the widest interval as a share of its ratio; 0 while there is
	// none.
	widest float64
	of     string // the pair and probe that it belongs to
	// rounds is the minimum number of blocks with which every family of verdicts can reach one.
	rounds int
	// open counts ratios that have no interval yet.
	open int
}

// precise reports whether measuring may stop after this many blocks. Only the width decides,
// never whether a difference shows: stopping as soon as a difference shows would find too many.
func (r reached) precise(precision float64, blocks int) bool {
	return blocks >= r.rounds && r.open == 0 && r.widest <= precision
}

// reached evaluates what was measured so far on the networks that still work.
func (s seen) reached(alive []string) reached {
	r := reached{rounds: stats.MinSamples}
	families := map[figureOf][]string{}
	for f := range s {
		if f.metric == headline(f.probe) && slices.Contains(alive, f.Plugin+" "+f.Topology.Name) {
			question := f
			question.Plugin = ""
			families[question] = append(families[question], f.Plugin)
		}
	}
	for question, instances := range families {
		slices.Sort(instances) // so that each pair has one name
		pairs := results.Pairs(instances)
		r.rounds = max(r.rounds, stats.MinRounds(len(pairs)))
		for _, pair := range pairs {
			a, b := question, question
			a.Plugin, b.Plugin = pair[0], pair[1]
			ratio := stats.Paired(s[a], s[b])
			if ratio.CI == nil {
				r.open++
				continue
			}
			name := fmt.Sprintf("%s against %s by %s over %s", a.Plugin, b.Plugin, question.probe, question.Wire)
			if w := ratio.CI.RelativeWidth(ratio.Ratio); w > r.widest || w == r.widest && name < r.of {
				r.widest, r.of = w, name
			}
		}
	}
	return r
}

// headline returns the main figure of a probe, its first one, or "" if its figures do not vary.
func headline(spec string) string {
	p, _, err := catalogue.Parse(spec)
	if err != nil || len(p.Metrics) == 0 || !varies(p) {
		return ""
	}
	return p.Metrics[0].Name
}

// pace decides how many blocks a run measures.
type pace struct {
	asked   results.Asked
	seen    seen
	reached reached // after the last block
}

// enough reports whether the blocks measured so far suffice for the requested precision. blocks
// counts those of the phase. With several deployments, the widths are those to expect after the
// last one if all take as many blocks as those so far: they shrink with the root of the number of
// blocks.
func (p *pace) enough(deployment, blocks int, alive []string) bool {
	if p.asked.Rounds > 0 || blocks == 0 {
		return false
	}
	n := p.asked.Deployments()
	p.reached = p.seen.reached(alive)
	p.reached.rounds = share(max(p.reached.rounds, p.needed()), n, deployment)
	p.reached.widest *= math.Sqrt(float64(deployment+1) / float64(n))
	return p.reached.precise(p.asked.Precision, blocks)
}

// most returns the maximum number of blocks: of the run, or of every plugin that is measured apart.
func (p *pace) most() int {
	if p.asked.Rounds > 0 {
		return p.asked.Rounds
	}
	return p.asked.MaxRounds
}

// rounds returns the maximum number of blocks of a phase in a deployment.
func (p *pace) rounds(deployment int) int {
	return share(p.most(), p.asked.Deployments(), deployment)
}

// precision describes how wide the widest interval still is.
func (p *pace) precision() string {
	if p.reached.widest == 0 {
		return ""
	}
	return fmt.Sprintf("widest interval %.1f %%, target %.1f %%: %s", 100*p.reached.widest, 100*p.asked.Precision, p.reached.of)
}

// needed returns the minimum number of blocks in each phase with which verdicts among all
// networks of the run are possible; a single phase has fewer networks.
func (p *pace) needed() int {
	if !p.asked.Apart() {
		return 0
	}
	return stats.MinRounds(len(results.Pairs(instances(p.asked))))
}
