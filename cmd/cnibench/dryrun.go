package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

// printPlan prints what a run would do, without doing it.
func printPlan(w io.Writer, asked results.Asked) {
	plan := scenarios.PlanOf(asked)
	say := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	say("plan only, nothing is started")
	say("networks: %d", len(plan.Networks))
	for _, n := range plan.Networks {
		say("  %s on %s", n.Plugin, n.Topology)
	}
	say("cells: %d", len(plan.Cells))
	for _, c := range plan.Cells {
		say("  %s on %s over %s", c.Plugin, c.Topology, c.Wire)
	}
	if asked.Link != (results.Link{}) {
		say("link: %s each way while samples are taken (netem)", asked.Link)
	}
	if len(plan.Facts) > 0 {
		say("once for each network: %s", strings.Join(plan.Facts, ", "))
	}
	blocks := fmt.Sprint(plan.Most)
	if plan.Least != plan.Most {
		blocks = fmt.Sprintf("%d to %d, until every interval is at most %g %% wide", plan.Least, plan.Most, 100*asked.Precision)
	}
	if plan.Phases > 1 {
		say("one plugin after the other: %d times, each with its own blocks", plan.Phases)
	}
	say("blocks: %s, of %d samples each, seed %d", blocks, len(plan.Order), asked.Seed)
	if short := plan.Short(); short != "" {
		say("warning: %s", short)
	}
	say("order of the first block:")
	for i, s := range plan.Order {
		say("  %3d  %s", i+1, s)
	}
	expected := (time.Duration(plan.Phases*plan.Least) * plan.Block).Round(time.Second).String()
	if plan.Least != plan.Most {
		expected += " to " + (time.Duration(plan.Phases*plan.Most) * plan.Block).Round(time.Second).String()
	}
	say("expected time: %s for the samples, plus the time to bring up %d networks", expected, len(plan.Networks))
	say("to repeat this order: --seed %d", asked.Seed)
}
