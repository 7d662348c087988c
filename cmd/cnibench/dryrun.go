package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

// printPlan prints what a run would do, without starting anything.
func printPlan(w io.Writer, asked results.Asked) {
	plan := scenarios.PlanOf(asked)
	say := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	say("this is the plan; nothing is started")
	say("networks: %d", len(plan.Networks))
	for _, n := range plan.Networks {
		say("  %s on %s", n.Plugin, n.Topology)
	}
	say("cells: %d", len(plan.Cells))
	for _, c := range plan.Cells {
		say("  %s on %s over %s", c.Plugin, c.Topology, c.Wire)
	}
	if asked.Link != (results.Link{}) {
		say("link: %s in each direction while samples are taken, by netem", asked.Link)
	}
	if len(plan.Facts) > 0 {
		say("once for each network: %s", strings.Join(plan.Facts, ", "))
	}
	if plan.Streams > 0 {
		say("pairs of nodes: %d streams on each network, one at a time, %d partners for each of %d nodes: %s; then %d comparisons for each node that seems slow",
			plan.Streams, plan.Partners, asked.Nodes, plan.PairsTake.Round(time.Second), scenarios.Rechecks)
	}
	if len(plan.AtEnds) > 0 {
		say("at the start and at the end: %s", strings.Join(plan.AtEnds, ", "))
	}
	blocks := fmt.Sprint(plan.Most)
	if plan.Least != plan.Most {
		blocks = fmt.Sprintf("%d to %d, until every interval is within %g %% or half of the difference", plan.Least, plan.Most, 100*asked.Precision)
	}
	if plan.Phases > 1 {
		say("one plugin after the other: %d times, each with its own blocks", plan.Phases)
	}
	say("blocks: %s, of %d samples each, seed %d", blocks, plan.Samples, asked.Seed)
	again := ""
	if plan.Deployments > 1 {
		say("%s", deploymentsOf(plan))
		again = fmt.Sprintf(" %d times", plan.Deployments)
	}
	if short := plan.Short(); short != "" {
		say("warning: %s", short)
	}
	say("order of the first block:")
	for i, s := range plan.Order {
		say("  %3d  %s", i+1, s)
	}
	expected := (time.Duration(plan.Phases*plan.Least)*plan.Block + plan.PairsTake).Round(time.Second).String()
	if plan.Least != plan.Most {
		expected += " to " + (time.Duration(plan.Phases*plan.Most)*plan.Block + plan.PairsTake).Round(time.Second).String()
	}
	what := "the samples"
	if plan.PairsTake > 0 {
		what += " and the pairs of nodes"
	}
	say("expected time: %s for %s, plus the time to bring up %d networks%s", expected, what, len(plan.Networks), again)
	say("to repeat this order: --seed %d", asked.Seed)
}

// deploymentsOf says how the rounds are divided among the deployments of a run.
func deploymentsOf(plan scenarios.Plan) string {
	rounds := fmt.Sprint(plan.MostEach)
	if plan.LeastEach != plan.MostEach {
		rounds = fmt.Sprintf("%d or %d", plan.LeastEach, plan.MostEach)
	}
	return fmt.Sprintf("%d deployments of %s rounds: every network is taken down and brought up again between them", plan.Deployments, rounds)
}
