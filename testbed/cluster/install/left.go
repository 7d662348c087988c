package install

import (
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Left is what is left in one place after a plugin was removed, and was not there
// before.
type Left struct {
	Plugin string
	Node   string // "" for the cluster's objects
	Items  []string
	// Unseen says what could not be looked at there.
	Unseen []string
	// Conf lists the CNI configurations among the items: the nodes' container runtimes
	// would use them for the next plugin's pods.
	Conf []string
}

// mostNamed is how many items a sentence names.
const mostNamed = 20

// Words says what is left, and what could not be looked at.
func (l Left) Words() []words.Text {
	var all []words.Text
	switch {
	case len(l.Items) > 0 && l.Node == "":
		all = append(all, words.LeftInCluster.With(l.Plugin, named(l.Items)))
	case len(l.Items) > 0:
		all = append(all, words.LeftOnNode.With(l.Plugin, l.Node, named(l.Items)))
	}
	if len(l.Unseen) > 0 {
		all = append(all, words.NotLookedAt.With(l.Plugin, l.Node, named(l.Unseen)))
	}
	return all
}

func named(items []string) words.Text {
	var all []words.Text
	for k, item := range items {
		if k == mostNamed {
			all = append(all, words.AndMore.With(len(items)-mostNamed))
			break
		}
		all = append(all, words.Quote(results.Printable(item)))
	}
	return words.List(all...)
}
