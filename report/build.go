// Package report builds a report from a recorded run. It reads the record and never
// starts anything.
package report

import (
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/figures"
	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/judge"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// Build makes the report of a recorded run. It fails only if it cannot read a file that
// the journal refers to.
func Build(recorded *results.Recorded, c catalogue.Catalogue) (*model.Report, error) {
	b := gather.New(recorded, c)
	if err := figures.Cells(b); err != nil {
		return nil, err
	}
	figures.ShareFailures(b)
	figures.CompareWithHost(b)
	figures.Surveys(b)
	figures.PairSpeeds(b)
	judge.Compare(b)
	warnKernels(b)
	warn(b)
	facts.Advise(b.Report, recorded.Run.Asked.Needs)
	return b.Report, nil
}
