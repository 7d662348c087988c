package quantity

import (
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

var verdicts = map[stats.Verdict]words.Text{stats.Faster: words.Faster, stats.Slower: words.Slower,
	stats.Equivalent: words.Equivalent, stats.Inconclusive: words.Inconclusive}

// VerdictText returns the word for a verdict.
func VerdictText(v stats.Verdict) words.Text { return words.Named(verdicts, v) }
