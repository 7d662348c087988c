package network

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/trickle"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

const (
	// policyEvery is the gap between two datagrams: short enough to time the effect of
	// a rule, and long enough that flows of one datagram each, which connection
	// tracking remembers for 30 s (nf_conntrack_udp_timeout), stay far below the
	// 131072 entries that kube-proxy keeps room for (conntrack.min).
	policyEvery = 2 * time.Millisecond
	// policyQuiet is how long no datagram must arrive for a rule to count as in
	// force.
	policyQuiet = time.Second
	// policyLimit is the default number of seconds during which datagrams may still
	// pass after a rule was given before the rule counts as having no effect.
	// Kubernetes sets no limit: "it may take some time for a network plugin to handle
	// the new object" (concepts/services-networking/network-policies).
	policyLimit = 10
	// policyNobody is how long the probe watches if no part of the plugin enforces
	// rules, which is long enough to see that datagrams pass.
	policyNobody = 500 * time.Millisecond
	// policyGive bounds the request that creates a rule.
	policyGive = 5 * time.Second
	// policyLift bounds the request that removes a rule, which is made even if the
	// probe's time is over.
	policyLift = 3 * time.Second
)

// policyDirections lists the rules that are tried, one after the other.
var policyDirections = []results.PolicyDirection{results.PolicyIngress, results.PolicyEgress}

// Policy gives the plugin a rule that denies traffic from one pod to the other,
// first at the receiver and then at the sender, and checks whether, and after how
// long, the traffic stops. Afterwards it removes the rule and checks that traffic
// passes again: otherwise it was not the rule that stopped it.
func Policy() *probes.Probe {
	return &probes.Probe{
		Name: "policy", Title: "whether rules that deny traffic between two pods, at the receiver and at the sender, take effect, and how soon",
		Params: []probes.Param{
			{Name: "limit", Title: "seconds until a rule without effect counts as not enforced", Default: fmt.Sprint(policyLimit), Min: 1, Max: 600},
		},
		Once: true, Placement: probes.Same, Pods: true, Creates: "networkpolicies",
		Roles:   map[string]worker.Role{"receive": trickle.Receive, "send": trickle.Send},
		Measure: measurePolicy, Longest: policyTakes,
	}
}

func measurePolicy(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	around, err := s.Places(ctx)
	if err != nil {
		return nil, err
	}
	if around.Deny == nil {
		return nil, &probes.NotHereError{Why: words.NoRulesHere}
	}
	begin := time.Now()
	if err := passes(ctx, s); err != nil {
		return nil, err
	}
	m := &probes.Measurement{}
	for _, at := range policyDirections {
		p, err := tryRule(ctx, s, at, around.Deny)
		if err != nil {
			return nil, err
		}
		p.Direction, p.From, p.To = at, s.Client.NodeName, s.Server.NodeName
		m.Policy = append(m.Policy, *p)
	}
	m.Seconds = time.Since(begin).Seconds()
	return m, nil
}

// tryRule sends datagrams from the client's pod to the server's, each in a flow of
// its own because plugins let established flows pass, and denies them meanwhile.
func tryRule(ctx context.Context, s *probes.Site, at results.PolicyDirection,
	deny func(context.Context, results.PolicyDirection, probes.End, probes.End) (probes.Lift, error)) (*results.Policy, error) {
	limit := effectWithin(s)
	receive, send, err := trickle.Start(ctx, "policy", s.Client, s.Server,
		trickle.Args{Every: policyEvery, Quiet: policyQuiet, Limit: s.Limit(policyGive) + limit, NewFlows: true})
	if err != nil {
		return nil, err
	}
	defer receive.Cancel()
	defer send.Cancel()
	given := time.Now()
	giving, cancel := context.WithTimeout(ctx, s.Limit(policyGive))
	defer cancel()
	lift, err := deny(giving, at, s.Client, s.Server)
	nobody := errors.Is(err, probes.ErrNoPolicy)
	if err != nil && !nobody {
		return nil, fmt.Errorf("adding an %s rule that denies traffic: %w", at, err)
	}
	if nobody {
		limit = policyNobody
	}
	defer time.AfterFunc(limit, receive.Cancel).Stop()
	var seen trickle.Result
	err = receive.Wait(ctx, &seen)
	p := judgePolicy(seen, time.Since(given), nobody)
	send.Cancel()
	if lift != nil {
		err = errors.Join(err, liftRule(ctx, s, p, lift))
	}
	return p, err
}

// judgePolicy interprets a trickle that began before a rule was given. since is the
// time since the rule was given.
func judgePolicy(seen trickle.Result, since time.Duration, nobody bool) *results.Policy {
	switch {
	case seen.Ago >= policyQuiet:
		return &results.Policy{Enforced: true, Seconds: max(since-seen.Ago, 0).Seconds()}
	case nobody:
		return &results.Policy{Cause: words.OfError(probes.ErrNoPolicy)}
	}
	return &results.Policy{Cause: words.DenyPacketsPassed.With((since - seen.Ago).Round(time.Millisecond))}
}

// liftRule removes a rule, even if the context has ended. If the rule was in force,
// it waits until a datagram passes again and says how long that took.
func liftRule(ctx context.Context, s *probes.Site, p *results.Policy, lift probes.Lift) error {
	lifting, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Limit(policyLift))
	defer cancel()
	if !p.Enforced || ctx.Err() != nil {
		return lifted(lift(lifting))
	}
	limit := s.Limit(policyLift) + effectWithin(s)
	receive, send, err := trickle.Start(ctx, "policy", s.Client, s.Server, trickle.Args{Every: policyEvery, Limit: limit, Arrivals: 1, NewFlows: true})
	if err != nil {
		return errors.Join(err, lifted(lift(lifting)))
	}
	defer receive.Cancel()
	defer send.Cancel()
	begin := time.Now()
	if err := lifted(lift(lifting)); err != nil {
		return err
	}
	var got, sent trickle.Result
	if err := receive.Wait(ctx, &got); err != nil {
		return err
	}
	after := (time.Since(begin) - got.Ago).Seconds()
	send.Cancel()
	if err := send.Wait(ctx, &sent); err != nil {
		return err
	}
	return judgeLift(p, got, sent, after)
}

// judgeLift interprets a trickle that began before a rule was removed. after is the
// time from the removal to the first datagram, in seconds. A datagram before that
// passed although the rule stood.
func judgeLift(p *results.Policy, got, sent trickle.Result, after float64) error {
	switch {
	case got.Count == 0:
		return words.Error(words.NoDatagramPassesForPolicy.With(words.AfterRule, reachCause(nil, sent)))
	case after < 0:
		p.Enforced, p.Seconds, p.Cause = false, 0, words.DenyPassedAgain
	default:
		p.LiftedSeconds = &after
	}
	return nil
}

// lifted explains the error of the removal of a rule.
func lifted(err error) error {
	if err != nil {
		return fmt.Errorf("removing a rule that denies traffic: %w", err)
	}
	return nil
}

// passes checks that datagrams get from the client's pod to the server's without a
// rule.
func passes(ctx context.Context, s *probes.Site) error {
	got, sent, err := sendUntilArrived(ctx, s.Client, s.Server, s.Delay)
	if err == nil && !got.Source.IsValid() {
		err = words.Error(words.NoDatagramPassesForPolicy.With(words.WithoutRule, reachCause(nil, sent)))
	}
	return err
}

// effectWithin returns how long a rule, or its removal, may take to have an effect.
func effectWithin(s *probes.Site) time.Duration {
	seconds, err := s.Number("limit", policyLimit)
	if err != nil { // catalogue.Parse has checked it
		seconds = policyLimit
	}
	return s.Limit(time.Duration(seconds) * time.Second)
}

// policyTakes returns the time limit for five steps, the last four of them for each
// rule: datagrams pass, the rule is given, they stop, the rule is removed, and they
// pass again.
func policyTakes(s *probes.Site) time.Duration {
	each := s.Limit(policyGive) + effectWithin(s) + s.Limit(policyLift) + effectWithin(s)
	return trickle.Longest(s.Delay) + time.Duration(len(policyDirections))*each
}
