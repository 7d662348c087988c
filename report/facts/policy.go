package facts

import (
	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// policyOf returns whether rules that deny traffic took effect: partly if only those
// of one direction did.
func policyOf(r *model.Report, plugin string, topology results.Topology) advice.Fact {
	var held, failed int
	var evidence []words.Text
	for i := range r.Policy {
		p := &r.Policy[i]
		if p.Plugin != plugin || p.Topology != topology {
			continue
		}
		if p.Enforced {
			held++
		} else {
			failed++
		}
		text := PolicyText(p)
		if p.Direction != "" {
			text = words.Of(PolicyDirectionText(p.Direction), text)
		}
		evidence = append(evidence, text)
	}
	return advice.Fact{Value: ofAll(held, failed), Evidence: words.Clauses(evidence...)}
}

// PolicyText says whether a deny rule took effect, and how soon it did and was gone.
func PolicyText(p *model.Policy) words.Text {
	switch {
	case p.Enforced && p.LiftedSeconds != nil:
		return words.DenyHeldAndGone.With(quantity.Format(p.Seconds, "s"), quantity.Format(*p.LiftedSeconds, "s"))
	case p.Enforced:
		return words.DenyHeld.With(quantity.Format(p.Seconds, "s"))
	case !p.Cause.Empty():
		return words.DenyDidNotHoldCause.With(p.Cause)
	}
	return words.DenyDidNotHold
}

// PolicyCell is PolicyText for a table whose heading says what was denied.
func PolicyCell(p *model.Policy) words.Text {
	switch {
	case p.Enforced && p.LiftedSeconds != nil:
		return words.PolicyYesAndGone.With(quantity.Format(p.Seconds, "s"), quantity.Format(*p.LiftedSeconds, "s"))
	case p.Enforced:
		return words.PolicyYes.With(quantity.Format(p.Seconds, "s"))
	case !p.Cause.Empty():
		return words.PolicyNoCause.With(p.Cause)
	}
	return words.PolicyNo
}

// PolicyDirectionText names the side of the traffic at which a rule denies it.
func PolicyDirectionText(d results.PolicyDirection) words.Text {
	if d == results.PolicyEgress {
		return words.DeniedAtSender
	}
	return words.DeniedAtReceiver
}

// DocumentedText says what is documented of a plugin and NetworkPolicy; it is empty if
// nothing is known.
func DocumentedText(p *model.Policy) words.Text {
	switch p.Documented {
	case "yes":
		return words.PolicyDocumented
	case "no":
		return words.PolicyNotDocumented
	}
	return words.Text{}
}

// ContradictionText says that a rule's effect is not the documented one, and what may
// explain that; it is empty if it is the documented one.
func ContradictionText(p *model.Policy) words.Text {
	where := words.On.With(p.Plugin, p.Topology)
	switch {
	case !p.Contradicted():
		return words.Text{}
	case p.Enforced:
		return words.EnforcedAgainstDocs.With(where, PolicyDirectionText(p.At()), p.Source)
	}
	return words.NotEnforcedAgainstDocs.With(where, PolicyDirectionText(p.At()), p.Cause, p.Source)
}
