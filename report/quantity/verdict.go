package quantity

import (
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// VerdictText names a verdict.
func VerdictText(v stats.Verdict) words.Text {
	switch v {
	case stats.Faster:
		return words.Faster
	case stats.Slower:
		return words.Slower
	case stats.Equivalent:
		return words.Equivalent
	case stats.Inconclusive:
		return words.Inconclusive
	}
	return words.Quote(string(v))
}
