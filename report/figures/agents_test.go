package figures

import (
	"testing"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// TestAgentCPU divides what the agents took by how long they were watched.
func TestAgentCPU(t *testing.T) {
	for _, tt := range []struct {
		name    string
		samples []results.Sample
		want    float64 // negative: not known
	}{
		{"one CPU all the time", []results.Sample{{Probe: "tcp-stream", Seconds: 0.9, AgentSeconds: 1.1, AgentWindow: 1.1}}, 1},
		{"parameters do not matter", []results.Sample{{Probe: "tcp-stream:streams=4", Seconds: 0.9, AgentSeconds: 0.55, AgentWindow: 1.1}}, 0.5},
		{"an old record", []results.Sample{{Probe: "tcp-stream", Seconds: 0.8, AgentSeconds: 0.4}}, 0.5},
		{"other probes and failed samples", []results.Sample{{Probe: "tcp-rr", Seconds: 1, AgentSeconds: 1, AgentWindow: 1},
			{Probe: "tcp-stream", Seconds: 1, AgentSeconds: 1, AgentWindow: 1, Error: words.Quote("no route")}}, -1},
		{"nobody saw the agents", []results.Sample{{Probe: "tcp-stream", Seconds: 1, AgentWindow: 1.1}}, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := agentCPU(tt.samples)
			if tt.want < 0 != (got == nil) || got != nil && *got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
