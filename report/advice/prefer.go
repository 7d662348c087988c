package advice

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/words"
)

// preference is a rule that decides which of two plugins is better if speed does not. Preferences apply
// in order: together they form a lexicographic order, which is transitive because each of them is an
// order.
type preference struct {
	rule         string
	text, source words.Text
	// known is the reason to give if only the preferred plugin's key is known.
	known words.Text
	// key returns the value by which plugins are ordered, smallest first. Plugins with an unknown key
	// come last.
	key func(*subject) (value int64, known bool)
	// figures returns the evidence for two plugins whose keys are both known.
	figures func(a, b *subject) words.Text
}

var preferences = []preference{
	{rule: "fewer-bytes", text: words.PrefersFewerBytes, source: words.SourceCaptures,
		known: words.OnlyOneSeenOnWire,
		key: func(s *subject) (int64, bool) {
			if s.plugin.Overhead == nil {
				return 0, false
			}
			return int64(*s.plugin.Overhead), true
		},
		figures: func(a, b *subject) words.Text {
			return words.BytesAgainstOther.With(*a.plugin.Overhead, *b.plugin.Overhead, b.plugin.Name)
		}},
	{rule: "agents-ran", text: words.PrefersOwnAgents, source: words.SourceDataPath,
		key: func(s *subject) (int64, bool) {
			if s.plugin.Fidelity == DataPath {
				return 1, true
			}
			return 0, true
		}},
	{rule: "fewer-moving-parts", text: words.PrefersFewerParts, source: words.Quote("modes.yaml, 2026-11-23"),
		known: words.OnlyOneDocumented,
		key:   func(s *subject) (int64, bool) { return int64(s.mode.Agents), s.mode.Agents > 0 },
		figures: func(a, b *subject) words.Text {
			return words.PartsAgainstOther.With(a.mode.Agents, b.mode.Agents, b.plugin.Name)
		}},
	{rule: "less-memory", text: words.PrefersLessMemory, source: words.SourceMemory,
		known: words.OnlyOneMemoryMeasured,
		key:   func(s *subject) (int64, bool) { return s.plugin.Memory, s.plugin.Memory > 0 },
		figures: func(a, b *subject) words.Text {
			return words.MemoryAgainstOther.With(a.plugin.Memory>>20, b.plugin.Memory>>20, b.plugin.Name)
		}},
}

// byName decides if nothing else does.
var byName = preference{rule: "by-name", text: words.FirstByName, source: words.SourceName}

// compare returns a negative number if a is better and a positive one if b is, with the reason to give
// and its evidence.
func (p *preference) compare(a, b *subject) (c int, settled preference, evidence words.Text) {
	x, xKnown := p.key(a)
	y, yKnown := p.key(b)
	settled = *p
	switch {
	case xKnown != yKnown:
		settled.text = p.known
		return cmp.Compare(answer(yKnown), answer(xKnown)), settled, words.Text{}
	case xKnown && p.figures != nil:
		evidence = p.figures(a, b)
	}
	return cmp.Compare(x, y), settled, evidence
}

// prefer applies the preferences in order and returns the one that decides. c is negative if a is
// better.
func prefer(a, b *subject) (p preference, c int, evidence words.Text) {
	for i := range preferences {
		if c, settled, evidence := preferences[i].compare(a, b); c != 0 {
			return settled, c, evidence
		}
	}
	return byName, strings.Compare(a.plugin.Name, b.plugin.Name), words.Text{}
}

// rank returns the place of a preference in the order.
func (p *preference) rank() int {
	i := slices.IndexFunc(preferences, func(q preference) bool { return q.rule == p.rule })
	if i < 0 {
		return len(preferences) // by name
	}
	return i
}
