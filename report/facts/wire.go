package facts

import (
	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// wireFacts adds the facts from captures.
func wireFacts(r *model.Report, p *advice.Plugin, topology results.Topology) {
	for _, e := range r.Encapsulation {
		if e.Plugin != p.Name || e.Topology != topology || e.Effective == "unseen" {
			continue
		}
		evidence := words.WireEvidence.With(Form(e.Effective, e.Port, e.OverheadBytes), e.Frames, e.Sent)
		encapsulates := map[string]string{"none": "no", "mixed": "partly"}[e.Effective]
		if encapsulates == "" {
			encapsulates = "yes"
		}
		overhead := e.OverheadBytes
		p.Overhead = &overhead
		p.Facts[advice.Encapsulates] = advice.Fact{Value: encapsulates, Evidence: evidence}
		p.Facts[advice.Encrypts] = advice.Fact{Value: YesNo(e.Effective == "wireguard"), Evidence: evidence}
		p.Facts[advice.WireAgrees] = advice.Fact{Value: YesNo(e.Agrees), Evidence: evidence}
	}
}

// Missed reports whether packets were sent and arrived, but those of one direction or
// both were not captured. A capture covers one NIC, which both directions pass.
func Missed(e *results.Encapsulation) bool { return e.Sent > 0 && 2*e.Frames <= e.Sent }

// Looked reports whether a capture was taken at all. One that failed shows nothing,
// neither for a network nor against it.
func Looked(e *results.Encapsulation) bool { return e.Sent > 0 || e.Effective != "unseen" }

// AgreesText says whether a capture showed what the plugin is configured for.
func AgreesText(e *results.Encapsulation) words.Text {
	switch {
	case e.Agrees:
		return words.Yes
	case !Looked(e):
		return words.NotMeasured
	}
	return words.DisagreesNo
}

// SeenOnWire returns whether a network's packets were captured: yes, no, or "" if
// there was no capture, or if the nodes' own packets were not captured either, which
// means that the capture was on another link.
func SeenOnWire(r *model.Report, plugin string, topology results.Topology) advice.Fact {
	e := r.Captured(plugin, topology)
	if e == nil || e.Sent == 0 {
		return advice.Fact{}
	}
	evidence := words.FewSeenThoughArrived.With(e.Frames, e.Sent)
	if !Missed(e) {
		return advice.Fact{Value: "yes", Evidence: words.SeenOfSent.With(e.Frames, e.Sent)}
	}
	if host := r.Captured(results.HostPlugin, topology); plugin != results.HostPlugin && host != nil && Missed(host) {
		return advice.Fact{Evidence: words.HostUnseenToo.With(evidence)}
	}
	return advice.Fact{Value: "no", Evidence: evidence}
}

// ApartOnWire returns which of two networks took another path than the other, or "" if
// there is no evidence that one did. If the nodes' own packets were not captured, the
// only evidence is that one of the two was and the other was not.
func ApartOnWire(r *model.Report, a, b string, topology results.Topology) string {
	one, other := r.Captured(a, topology), r.Captured(b, topology)
	oneAway, otherAway := one != nil && Missed(one), other != nil && Missed(other)
	host := r.Captured(results.HostPlugin, topology)
	switch watched := host == nil || !Missed(host); {
	case topology.Name == results.SameNode:
	case !watched && (oneAway == otherAway || one == nil || other == nil || one.Sent == 0 || other.Sent == 0):
	case oneAway:
		return a
	case otherAway:
		return b
	}
	return ""
}

// Form describes an encapsulation.
func Form(kind string, port, overhead int) words.Text {
	switch {
	case kind == "none" && overhead == 0:
		return words.NoEncapsulation
	case port != 0:
		return words.FormPortBytes.With(KindText(kind), port, overhead)
	case overhead == 0:
		return KindText(kind)
	}
	return words.FormBytes.With(KindText(kind), overhead)
}

var kinds = map[string]words.Text{"none": words.None, "mixed": words.Mixed, "unseen": words.Unseen}

// KindText names a form of encapsulation.
func KindText(kind string) words.Text { return words.Named(kinds, kind) }
