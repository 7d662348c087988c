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
	// policyEvery is the gap between two datagrams: short enough to time the
	// effect of a rule, and long enough not to load the path.
	policyEvery = time.Millisecond
	// policyQuiet is how long no datagram must arrive for a rule to count as in
	// force.
	policyQuiet = time.Second
	// policyLimit is how long datagrams may still pass after a rule was given
	// before the rule counts as having no effect.
	policyLimit = 4 * time.Second
	// policyNobody is how long the probe watches if no part of the plugin enforces
	// rules, which is long enough to see that datagrams pass.
	policyNobody = 500 * time.Millisecond
	// policyLift bounds the removal of a rule, which happens even if the probe's
	// time is over.
	policyLift = 3 * time.Second
)

// Policy gives the plugin a rule that denies traffic between the two pods and
// checks whether, and after how long, the traffic stops. Afterwards it checks that
// traffic passes again: otherwise it was not the rule that stopped it.
func Policy() *probes.Probe {
	return &probes.Probe{
		Name: "policy", Title: "whether a rule that denies traffic between two pods takes effect, and how soon",
		Once: true, Placement: probes.Same, Pods: true,
		Roles:   map[string]worker.Role{"receive": trickle.Receive, "send": trickle.Send},
		Measure: measurePolicy, Longest: policyTakes,
	}
}

func measurePolicy(ctx context.Context, s *probes.Site) (m *probes.Measurement, err error) {
	around, err := s.Places(ctx)
	if err != nil {
		return nil, err
	}
	if around.Deny == nil {
		return nil, &probes.NotHereError{Why: words.NoRulesHere}
	}
	begin := time.Now()
	if err := passes(ctx, s, words.WithoutRule); err != nil {
		return nil, err
	}
	receive, send, err := trickle.Start(ctx, "policy", s.Client, s.Server, trickle.Args{Every: policyEvery, Quiet: policyQuiet, Limit: s.Limit(policyLimit)})
	if err != nil {
		return nil, err
	}
	defer receive.Cancel()
	defer send.Cancel()
	given := time.Now()
	lift, err := around.Deny(ctx, s.Client, s.Server)
	nobody := errors.Is(err, probes.ErrNoPolicy)
	switch {
	case nobody:
		time.AfterFunc(policyNobody, receive.Cancel)
	case err != nil:
		return nil, fmt.Errorf("adding a rule that denies traffic: %w", err)
	default:
		defer func() {
			lifting, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Limit(policyLift))
			defer cancel()
			if lifted := lift(lifting); lifted != nil {
				m, err = nil, fmt.Errorf("removing a rule that denies traffic: %w", lifted)
			} else if err == nil && m.Policy.Enforced {
				if err = passes(lifting, s, words.AfterRule); err != nil {
					m = nil
				}
			}
		}()
	}
	var seen trickle.Result
	if err := receive.Wait(ctx, &seen); err != nil {
		return nil, err
	}
	p := judgePolicy(seen, time.Since(given), nobody)
	return &probes.Measurement{Seconds: time.Since(begin).Seconds(), Policy: p}, nil
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

// passes checks that datagrams get from the client's pod to the server's.
func passes(ctx context.Context, s *probes.Site, when words.Text) error {
	got, sent, err := sendUntilArrived(ctx, s.Client, s.Server, s.Delay)
	for deadline := time.Now().Add(s.Limit(policyLift) / 2); err == nil && !got.Source.IsValid() && time.Now().Before(deadline); {
		got, sent, err = sendUntilArrived(ctx, s.Client, s.Server, s.Delay)
	}
	if err == nil && !got.Source.IsValid() {
		err = words.Error(words.NoDatagramPassesForPolicy.With(when, reachCause(nil, sent)))
	}
	return err
}

// policyTakes returns the time limit for four steps: datagrams pass, they stop, the
// rule is removed, and they pass again.
func policyTakes(s *probes.Site) time.Duration {
	passing := s.Limit(policyLimit)/2 + trickle.Longest(s.Delay)
	return 2*passing + s.Limit(policyLimit) + s.Limit(policyLift)
}
