package network

import (
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// mtuSeen is what is known about the MTUs between two ends, the client's first.
type mtuSeen struct {
	names [2]string  // of the nodes
	nodes bool       // whether the nodes themselves were measured instead of pods
	ways  [2]pathMTU // from each end to the other
	nics  [2]int     // MTU of the nodes' NICs, 0 if unknown
	// underlay is the largest packet that the nodes' own path carries in both
	// directions, 0 if unknown.
	underlay int
	expect   probes.Encapsulation
}

// findings returns what does not fit together.
func (m *mtuSeen) findings() []probes.Finding {
	var all []probes.Finding
	say := func(name string, m words.Message, args ...any) {
		all = append(all, probes.Finding{Name: name, Text: m.With(args...)})
	}
	if m.nics[0] != 0 && m.nics[1] != 0 && m.nics[0] != m.nics[1] {
		say(results.FindingUnderlayMTUDiffers, words.UnderlayMTUDiffers,
			m.names[0], m.nics[0], m.names[1], m.nics[1])
	}
	if !m.nodes && m.ways[0].Interface != m.ways[1].Interface {
		say(results.FindingPodMTUDiffers, words.PodMTUDiffers,
			m.names[0], m.ways[0].Interface, m.names[1], m.ways[1].Interface)
	}
	for i, w := range m.ways {
		if w.Path >= w.Interface {
			continue
		}
		from, to := m.names[i], m.names[1-i]
		if m.nodes {
			say(results.FindingUnderlayMTUTooLarge, words.UnderlayMTUTooLarge, from, w.Interface, w.Path, to)
		} else {
			say(results.FindingPodMTUTooLarge, words.PodMTUTooLarge, from, w.Interface, w.Path, to)
		}
		if w.Told == 0 {
			say(results.FindingPMTUBlackHole, words.PMTUBlackHole, from, to)
		} else if w.Told != w.Path {
			say(results.FindingPMTUWrong, words.PMTUWrong, w.Told, from, to, w.Path)
		}
	}
	if m.ways[0].Path != m.ways[1].Path {
		say(results.FindingMTUAsymmetric, words.MTUAsymmetric, m.ways[0].Path, m.names[0], m.names[1], m.ways[1].Path)
	}
	if m.underlay == 0 || !m.dependsOnUnderlay() {
		return all
	}
	path := m.path()
	if fits, path := m.underlay-m.expect.Overhead, max(m.ways[0].Path, m.ways[1].Path); path > fits {
		say(results.FindingUnderlayFragments, words.UnderlayFragments, path, fits, m.expect.Overhead, m.underlay)
	}
	room := max(m.expect.Overhead, m.expect.Elsewhere)
	if fits := m.underlay - room; path < fits && m.podsDecide() {
		say(results.FindingPodMTUTooSmall, words.PodMTUTooSmall, path, fits, room, m.underlay)
	}
	return all
}

// path returns the largest packet that passes in both directions.
func (m *mtuSeen) path() int { return min(m.ways[0].Path, m.ways[1].Path) }

// podsDecide reports whether only the pods' own MTU limits packets. If something
// on the path limits them, a larger pod MTU would not help.
func (m *mtuSeen) podsDecide() bool {
	return m.ways[0].Path == m.ways[0].Interface && m.ways[1].Path == m.ways[1].Interface
}

// dependsOnUnderlay reports whether there may be findings that depend on the MTU of
// the nodes' own path. There are none if the overhead is not known or if the nodes
// themselves were measured.
func (m *mtuSeen) dependsOnUnderlay() bool {
	if m.nodes || m.expect.Kind == probes.Undeclared {
		return false
	}
	nic := min(m.nics[0], m.nics[1])
	if nic == 0 {
		nic = max(m.nics[0], m.nics[1])
	}
	least, most := nic-max(m.expect.Overhead, m.expect.Elsewhere), nic-m.expect.Overhead
	return max(m.ways[0].Path, m.ways[1].Path) > most || m.path() < least && m.podsDecide()
}

// mtuChanged returns what changed between two samples.
func mtuChanged(before, after map[string]float64) []probes.Finding {
	switch was, is := before["path"], after["path"]; {
	case was != is:
		return []probes.Finding{{Name: results.FindingMTUChanged, Text: words.MTUChanged.With(int(was), int(is))}}
	case before["mss"] != after["mss"]:
		return []probes.Finding{{Name: results.FindingMTUChanged, Text: words.MSSChanged.With(int(before["mss"]), int(after["mss"]))}}
	}
	return nil
}
