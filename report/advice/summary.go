package advice

import "github.com/cnibench/cnibench/words"

// summary returns the answer in one sentence.
func (o *outcome) summary() words.Text {
	f, s := o.facts, o.winner
	what := words.Aside(words.Quote(s.plugin.Name), s.mode.called())
	if s.plugin.Fidelity == DataPath {
		what = words.DataPathMeasuredOnly.With(what)
	}
	switch {
	case len(f.Plugins) == 1:
		return words.Stop(words.RunOnlyMeasured.With(f.Topology, what))
	case len(o.order) == 1:
		return words.Stop(words.RunOnlyFitting.With(f.Topology, what, len(f.Plugins)))
	}
	return words.RunBestOfFitting.With(f.Topology, what, len(o.order), o.why)
}

// foundOn returns the problems that probes found with the recommended plugin.
func foundOn(p *Plugin) words.Text {
	if len(p.Findings) == 0 {
		return words.Text{}
	}
	var texts []words.Text
	for _, f := range p.Findings {
		texts = append(texts, f.Text)
	}
	return words.Stop(words.ButFound.With(words.Clauses(texts...)))
}

// excluded returns which plugins were excluded from the choice, and why. It mentions plugins that do not
// work only if a single plugin was left.
func excluded(f *Facts, rejected []Rejected, oneLeft bool) words.Text {
	var failing, unknown []string
	var reasons []words.Text
	working := map[words.Text][]string{} // plugins by reason
	for _, other := range rejected {
		switch f.plugin(other.Plugin).Facts[Works].Value {
		case yes:
			why := other.Because[0].Text
			if working[why] == nil {
				reasons = append(reasons, why)
			}
			working[why] = append(working[why], other.Plugin)
		case "":
			unknown = append(unknown, other.Plugin)
		default:
			failing = append(failing, other.Plugin)
		}
	}
	for i, why := range reasons {
		reasons[i] = words.Aside(words.ListNames(working[why]), why)
	}
	var said []words.Text
	if len(reasons) > 0 {
		said = append(said, words.Stop(words.ExcludedThoughWorking.With(words.Clauses(reasons...))))
	}
	if oneLeft && len(failing) > 0 {
		said = append(said, words.Stop(words.NotWorking.With(words.ListNames(failing))))
	}
	if oneLeft && len(unknown) > 0 {
		said = append(said, words.Stop(words.NotShownWorking.With(words.ListNames(unknown))))
	}
	return words.Following(said...)
}
