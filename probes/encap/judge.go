package encap

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/frames"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// These are the values of [results.Encapsulation.Effective] besides the kinds.
const (
	effectiveMixed  = "mixed"  // not all packets travelled in the same form
	effectiveUnseen = "unseen" // no packet was seen in a known form
)

// judge compares a capture with what the site expects. sent is the number of known
// packets in both directions together.
func judge(wire frames.Captured, t frames.Token, sent int, s *probes.Site) *results.Encapsulation {
	e := &results.Encapsulation{
		From: s.Client.NodeName, To: s.Server.NodeName,
		Configured: cmp.Or(s.Expect.Kind, "none"), ConfiguredPort: s.Expect.Port, ExpectedBytes: s.Expect.Overhead,
		Sent: sent, Layers: []string{},
	}
	forms, repeated, strange := sortFrames(wire.Frames, t)
	byCount := slices.SortedFunc(maps.Keys(forms), func(a, b frames.Form) int {
		return cmp.Or(cmp.Compare(forms[b], forms[a]), cmp.Compare(a.Layers, b.Layers), cmp.Compare(a.Port, b.Port))
	})
	for _, n := range forms {
		e.Frames += n
	}
	switch len(byCount) {
	case 0:
		e.Effective = effectiveUnseen
		e.Warnings = append(e.Warnings, words.NoneSeen.With(sent, s.Client.NIC, e.From, s.Client.NIC, e.To))
	case 1:
		e.Effective = byCount[0].Kind
	default:
		e.Effective = effectiveMixed
		e.Warnings = append(e.Warnings, words.FormsDiffer.With(countForms(byCount, forms)))
	}
	if len(byCount) > 0 {
		most := byCount[0]
		e.Port, e.OverheadBytes, e.Layers = most.Port, most.Overhead, strings.Split(most.Layers, frames.LayerSeparator)
	}
	undeclared := e.Configured == probes.Undeclared
	if len(byCount) == 1 && !undeclared {
		e.Warnings = append(e.Warnings, disagreements(e, byCount[0])...)
	}
	e.Warnings = append(e.Warnings, captureFaults(wire, e, repeated, strange)...)
	same := e.Effective == e.Configured && e.Port == e.ConfiguredPort && e.OverheadBytes == e.ExpectedBytes
	e.Agrees = (same || undeclared && len(byCount) == 1) && e.Frames == sent
	return e
}

// sortFrames counts known packets by form. repeated counts frames whose packet was
// already seen, strange those that contain the token in an unknown form.
func sortFrames(captured []frames.Frame, t frames.Token) (forms map[frames.Form]int, repeated, strange int) {
	forms = map[frames.Form]int{}
	seen := map[frames.OnWire]bool{}
	for _, f := range captured {
		found, ok := frames.DecodeFrame(f.Data, t)
		switch {
		case !ok:
			strange++
		case seen[found]:
			repeated++
		default:
			seen[found] = true
			forms[found.Form]++
		}
	}
	return forms, repeated, strange
}

func countForms(order []frames.Form, forms map[frames.Form]int) words.Text {
	var parts []words.Text
	for _, f := range order {
		parts = append(parts, words.CountInForm.With(forms[f], f.Text(), f.Layers))
	}
	return words.Clauses(parts...)
}

// disagreements says how the form that was seen differs from the configured one.
func disagreements(e *results.Encapsulation, seen frames.Form) []words.Text {
	expected := frames.Form{Kind: e.Configured, Port: e.ConfiguredPort, Overhead: e.ExpectedBytes}
	var all []words.Text
	switch {
	case seen.Kind != expected.Kind:
		all = append(all, words.FormDisagrees.With(expected.Text(), seen.Text()))
	case seen.Port != expected.Port:
		all = append(all, words.PortDisagrees.With(expected.Port, seen.Port))
	}
	if seen.Kind == expected.Kind && seen.Overhead != expected.Overhead {
		all = append(all, words.OverheadDisagrees.With(expected.Overhead, seen.Overhead))
	}
	return all
}

// captureFaults says why the capture may be incomplete or ambiguous.
func captureFaults(wire frames.Captured, e *results.Encapsulation, repeated, strange int) []words.Text {
	var all []words.Text
	if e.Frames > 0 && e.Frames < e.Sent {
		all = append(all, words.OnlySomeSeen.With(e.Frames, e.Sent))
	}
	if e.Frames > e.Sent {
		all = append(all, words.MoreSeenThanSent.With(e.Frames, e.Sent))
	}
	if repeated > 0 {
		all = append(all, words.PacketsRepeated.With(repeated))
	}
	if strange > 0 {
		all = append(all, words.FramesUnknown.With(strange))
	}
	if wire.Omitted > 0 {
		all = append(all, words.FramesOmitted.With(wire.Omitted))
	}
	if wire.Dropped > 0 {
		all = append(all, words.FramesDropped.With(wire.Dropped))
	}
	return all
}
