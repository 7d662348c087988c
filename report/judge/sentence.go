package judge

import (
	"fmt"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/stats"
)

// sentenceOf says the verdict in words.
func sentenceOf(c *model.Comparison) string {
	figure := fmt.Sprintf("%s %s over %s", c.Probe, c.Metric, model.WireName(c.Wire))
	switch c.Verdict {
	case stats.Faster, stats.Slower:
		return fmt.Sprintf("%s is %s than %s: its %s is %s.", c.A, c.Verdict, c.B, figure, difference(*c.Ratio, *c.CI))
	case stats.Equivalent:
		return fmt.Sprintf("%s and %s are equivalent: their %s differs by less than %s (%s to %s).", c.A, c.B, figure,
			quantity.Percent(c.Margin), quantity.Share(c.CI[0]-1), quantity.Share(c.CI[1]-1))
	}
	return fmt.Sprintf("No verdict between %s and %s by %s: %s.", c.A, c.B, figure, undecided(c))
}

// undecided says why there is no verdict and what would bring one.
func undecided(c *model.Comparison) string {
	needed := stats.MinRounds(c.Family)
	switch {
	case c.Away != "":
		return fmt.Sprintf("the packets of %s were not seen on the wire, so the two took different paths", c.Away)
	case c.Common == 0:
		return "no round has a sample of both"
	case c.N < c.Common:
		return fmt.Sprintf("in %d of %d rounds one of the two is zero or no number, which gives no ratio", c.Common-c.N, c.Common)
	case c.CI == nil:
		return fmt.Sprintf(quantity.Plural(c.N, "%d round gives no interval, %d are needed", "%d rounds give no interval, %d are needed"), c.N, needed)
	case c.N < needed && !c.ThroughHost: // the other test needs fewer
		return fmt.Sprintf("among %d comparisons no difference can be shown in %d rounds, %d are needed", c.Family, c.N, needed)
	}
	text := fmt.Sprintf("the difference lies between %s and %s", quantity.Share(c.CI[0]-1), quantity.Share(c.CI[1]-1))
	if n := c.Judged.RoundsToDetect(c.Margin, c.Family); n > c.N {
		text += fmt.Sprintf("; about %d rounds would show one of %s", n, quantity.Percent(c.Margin))
	}
	return text
}

// difference describes a ratio away from 1 and its interval.
func difference(ratio float64, ci [2]float64) string {
	switch {
	case ratio >= 2:
		return fmt.Sprintf("%s times as high (%s to %s)", quantity.Figure(ratio), quantity.Figure(ci[0]), quantity.Figure(ci[1]))
	case ratio > 1:
		return fmt.Sprintf("%s higher (%s to %s)", quantity.Percent(ratio-1), quantity.Percent(ci[0]-1), quantity.Percent(ci[1]-1))
	}
	return fmt.Sprintf("%s lower (%s to %s)", quantity.Percent(1-ratio), quantity.Percent(1-ci[1]), quantity.Percent(1-ci[0]))
}
