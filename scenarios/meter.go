package scenarios

import (
	"fmt"
	"time"

	"github.com/cnibench/cnibench/results"
)

// meter tells how far a phase has come.
type meter struct {
	asked      results.Asked
	rounds     int // maximum number of blocks
	deployment int
	samples    int           // of a block
	atStart    int           // further samples of the first block
	each       time.Duration // that a sample should take, until some have been timed
	begin      int           // block from which progress is counted
	first      int           // first block of the phase that this process measures
	started    time.Time     // of that block
	upTook     time.Duration
}

// newMeter returns the meter of the current phase. Deployments of a run are one course, plugins that
// are measured apart are one each. upTook is how long it took to bring the networks up.
func newMeter(r *run, upTook time.Duration) meter {
	m := meter{asked: r.Asked, rounds: r.pace.most(), deployment: r.phase.Deployment, first: max(r.begin, r.first), started: time.Now(), upTook: upTook,
		samples: len(r.steps(0, varies)), atStart: len(r.steps(0, isFact))}
	if m.samples > 0 {
		m.each = usualTime(r.steps(0, varies), r.Asked.Duration) / time.Duration(m.samples)
	}
	if r.Asked.Apart() {
		m.begin = r.begin
	}
	return m
}

// at describes the step that is about to start.
func (m meter) at(number, position int, s step, precision string) Progress {
	each := m.each
	if now := (number-m.first)*m.samples + position; now > 0 && now >= m.samples {
		each = time.Since(m.started) / time.Duration(now)
	}
	deployments, phase := m.asked.Deployments(), fmt.Sprintf("round %d/%d", number-m.begin+1, m.rounds)
	if deployments > 1 {
		phase = fmt.Sprintf("deployment %d/%d, %s", m.deployment+1, deployments, phase)
	}
	done, total := (number-m.begin)*m.samples+position, m.rounds*m.samples+m.atStart
	if number > m.begin {
		done += m.atStart
	}
	return Progress{Phase: phase, Now: fmt.Sprintf("%s %s, wire %s", s.Plugin, s.probe, s.Wire), Done: done, Total: total,
		Left: time.Duration(total-done)*each + time.Duration(deployments-1-m.deployment)*m.upTook, Precision: precision}
}
