package scenarios

import (
	"fmt"
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

// LeastRounds is the minimum number of blocks of a run that stops by the width of its intervals.
// Looking again after every block costs coverage, most of it early: a single pair's interval
// covers 92.7 to 93.7 % if a run may stop after six blocks, and 94.0 to 95.2 % from twelve on.
const LeastRounds = 12

// reached describes the progress of the intervals that the verdicts depend on: those of the
// ratios of every pair, for every probe's headline figure.
type reached struct {
	// width is the full width of the interval that is furthest from its target, as a share of its
	// ratio; 0 while there is none.
	width, target float64
	of            string // the pair and probe that it belongs to
	// rounds is the minimum number of blocks.
	rounds int
	// open counts ratios that have no interval yet.
	open int
}

// precise reports whether measuring may stop after this many blocks. Only the width decides,
// never whether a difference shows: stopping as soon as a difference shows would find too many.
func (r reached) precise(blocks int) bool {
	return blocks >= r.rounds && r.open == 0 && r.width <= r.target
}

// reached evaluates what was measured so far on the networks that still work.
func (s seen) reached(alive []string, precision float64) reached {
	r := reached{rounds: LeastRounds}
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
		ratios := make([]stats.Ratio, len(pairs))
		for i, pair := range pairs {
			a, b := question, question
			a.Plugin, b.Plugin = pair[0], pair[1]
			ratios[i] = stats.Paired(s[a], s[b])
		}
		for i, ratio := range stats.Together(ratios) {
			if ratio.CI == nil {
				r.open++
				continue
			}
			one := reached{width: ratio.CI.RelativeWidth(ratio.Ratio), target: stats.TargetWidth(precision, ratio.Ratio),
				of: fmt.Sprintf("%s against %s by %s over %s", pairs[i][0], pairs[i][1], question.probe, question.Wire)}
			if one.furtherThan(r) {
				r.width, r.target, r.of = one.width, one.target, one.of
			}
		}
	}
	return r
}

// furtherThan reports whether an interval is further from its target than another.
func (r reached) furtherThan(other reached) bool {
	mine, its := r.width*other.target, other.width*r.target
	return other.of == "" || mine > its || mine == its && r.of < other.of
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
// counts those of the phase.
func (p *pace) enough(blocks int, alive []string) bool {
	if p.asked.Rounds > 0 || blocks == 0 {
		return false
	}
	p.reached = p.seen.reached(alive, p.asked.Precision)
	p.reached.rounds = max(p.reached.rounds, p.needed())
	return p.reached.precise(blocks)
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

// precision describes the interval that is furthest from its target.
func (p *pace) precision() string {
	if p.reached.of == "" {
		return ""
	}
	return fmt.Sprintf("widest interval %.1f %%, target %.1f %%: %s", 100*p.reached.width, 100*p.reached.target, p.reached.of)
}

// needed returns the minimum number of blocks in each phase with which verdicts among all
// networks of the run are possible; a single phase has fewer networks.
func (p *pace) needed() int {
	if !p.asked.Apart() {
		return 0
	}
	return stats.MinRounds(len(results.Pairs(instances(p.asked))))
}
