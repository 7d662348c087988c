package judge

import (
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// sentenceOf returns the verdict as a sentence.
func sentenceOf(c *model.Comparison) words.Text {
	figure := words.FigureOverRate.With(words.Quote(c.Probe+" "+c.Metric), model.WireName(c.Wire))
	switch c.Verdict {
	case stats.Faster, stats.Slower:
		return scope(c, words.VerdictSentence.With(c.A, quantity.VerdictText(c.Verdict), c.B, figure, difference(*c.Ratio, *c.CI)))
	case stats.Equivalent:
		return scope(c, words.EquivalentSentence.With(c.A, c.B, figure, quantity.Percent(c.Margin), quantity.Share(c.CI[0]-1), quantity.Share(c.CI[1]-1)))
	}
	return words.NoVerdictSentence.With(c.A, c.B, figure, undecided(c))
}

// scope says that a sentence holds for what was deployed, unless there were enough deployments for
// a verdict on the plugins.
func scope(c *model.Comparison, sentence words.Text) words.Text {
	switch {
	case c.Deployments >= stats.MinDeployments:
		return sentence
	case c.Deployments > 1:
		return words.VerdictInDeployments.With(c.Deployments, sentence)
	}
	return words.VerdictInDeployment.With(sentence)
}

// undecided says why there is no verdict and how to get one.
func undecided(c *model.Comparison) words.Text {
	needed := stats.MinRounds(c.Family)
	switch {
	case c.Away != "":
		return words.PacketsUnseen.With(c.Away)
	case c.Common == 0:
		return words.NoCommonRound
	case c.N < c.Common:
		return words.RoundsWithoutRatio.With(c.Common-c.N, c.Common)
	case c.CI == nil && c.Judged.Logs == nil && !c.ThroughHost:
		return words.DeploymentsTooFew.With(c.Deployments, stats.LeastDeployments)
	case c.CI == nil:
		return words.Plural(c.N, words.RoundTooFew, words.RoundsTooFew).With(c.N, needed)
	case c.N < needed && c.Judged.Logs != nil: // the other tests need fewer
		return words.ComparisonsNeedRounds.With(c.Family, c.N, needed)
	}
	text := words.DifferenceBetween.With(quantity.Share(c.CI[0]-1), quantity.Share(c.CI[1]-1))
	if n := c.Judged.DeploymentsToDetect(c.Margin, c.Family); n > c.Deployments {
		return words.Clauses(text, words.DeploymentsWouldShow.With(n, quantity.Percent(c.Margin)))
	}
	if n := c.Judged.RoundsToDetect(c.Margin, c.Family); n > c.N && c.Spread == nil {
		text = words.Clauses(text, words.RoundsWouldShow.With(n, quantity.Percent(c.Margin)))
	}
	return text
}

// difference describes a ratio away from 1 and its interval.
func difference(ratio float64, ci [2]float64) words.Text {
	switch {
	case ratio >= 2:
		return words.TimesAsHigh.With(quantity.Figure(ratio), quantity.Figure(ci[0]), quantity.Figure(ci[1]))
	case ratio > 1:
		return words.HigherBy.With(quantity.Percent(ratio-1), quantity.Percent(ci[0]-1), quantity.Percent(ci[1]-1))
	}
	return words.LowerBy.With(quantity.Percent(1-ratio), quantity.Percent(1-ci[1]), quantity.Percent(1-ci[0]))
}
