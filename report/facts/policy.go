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

// policyForms are the ways to say what a deny rule did.
type policyForms struct {
	heldAndGone, held, notBecause words.Message
	not                           words.Text
}

var (
	policySentence = policyForms{words.DenyHeldAndGone, words.DenyHeld, words.DenyDidNotHoldCause, words.DenyDidNotHold}
	policyCell     = policyForms{words.PolicyYesAndGone, words.PolicyYes, words.PolicyNoCause, words.PolicyNo}
)

func (f policyForms) of(p *model.Policy) words.Text {
	switch {
	case p.Enforced && p.LiftedSeconds != nil:
		return f.heldAndGone.With(quantity.Format(p.Seconds, "s"), quantity.Format(*p.LiftedSeconds, "s"))
	case p.Enforced:
		return f.held.With(quantity.Format(p.Seconds, "s"))
	case !p.Cause.Empty():
		return f.notBecause.With(p.Cause)
	}
	return f.not
}

// PolicyText says whether a deny rule took effect, and how soon it did and was gone.
func PolicyText(p *model.Policy) words.Text { return policySentence.of(p) }

// PolicyCell is PolicyText for a table whose heading says what was denied.
func PolicyCell(p *model.Policy) words.Text { return policyCell.of(p) }

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
