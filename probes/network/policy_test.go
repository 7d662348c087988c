package network

import (
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes/trickle"
)

func TestJudgePolicy(t *testing.T) {
	tests := []struct {
		name     string
		seen     trickle.Result
		since    time.Duration
		nobody   bool
		enforced bool
		seconds  float64
	}{
		{"enforced after a while", trickle.Result{Count: 90, Ago: policyQuiet}, policyQuiet + 250*time.Millisecond, false, true, 0.25},
		{"enforced at once", trickle.Result{Count: 3, Ago: policyQuiet + time.Millisecond}, policyQuiet, false, true, 0},
		{"passes all the time", trickle.Result{Count: 4000, Ago: time.Millisecond}, policyLimit, false, false, 0},
		{"no part of the plugin enforces rules", trickle.Result{Count: 500, Ago: time.Millisecond}, policyNobody, true, false, 0},
		{"a pause that is too short", trickle.Result{Count: 500, Ago: policyQuiet - time.Millisecond}, policyLimit, false, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := judgePolicy(tt.seen, tt.since, tt.nobody)
			if p.Enforced != tt.enforced || p.Seconds != tt.seconds || p.Enforced == (!p.Cause.Empty()) {
				t.Errorf("%+v", p)
			}
		})
	}
}
