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
	begin      int       // block from which progress is counted
	first      int       // first block of the phase that this process measures
	started    time.Time // of that block
	upTook     time.Duration
}

// newMeter returns the meter of the current phase. Deployments of a run are one course, plugins that
// are measured apart are one each. upTook is how long it took to bring the networks up.
func newMeter(r *run, begin int, upTook time.Duration) meter {
	m := meter{asked: r.Asked, rounds: r.pace.most(), deployment: r.phase.Deployment, first: max(begin, r.first), started: time.Now(), upTook: upTook}
	if r.Asked.Apart() {
		m.begin = begin
	}
	return m
}

// at describes the step that is about to start. inBlock is the number of steps of a block.
func (m meter) at(number, position, inBlock int, s step, precision string) Progress {
	each := m.asked.Duration.Duration() + betweenSamples
	if now := (number-m.first)*inBlock + position; now >= inBlock {
		each = time.Since(m.started) / time.Duration(now)
	}
	deployments, phase := m.asked.Deployments(), fmt.Sprintf("round %d/%d", number-m.begin+1, m.rounds)
	if deployments > 1 {
		phase = fmt.Sprintf("deployment %d/%d, %s", m.deployment+1, deployments, phase)
	}
	done, total := (number-m.begin)*inBlock+position, m.rounds*inBlock
	return Progress{Phase: phase, Now: fmt.Sprintf("%s %s, wire %s", s.Plugin, s.probe, s.Wire), Done: done, Total: total,
		Left: time.Duration(total-done)*each + time.Duration(deployments-1-m.deployment)*m.upTook, Precision: precision}
}
