package load

import (
	"errors"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// LatencyResult is what the client of a latency probe returns.
type LatencyResult struct {
	Hist       []byte          `json:"hist"` // HDR V2 compressed, ns
	Rounds     int64           `json:"rounds"`
	Seconds    float64         `json:"seconds"`
	Machine    hot.MachineTime `json:"machine"`
	Congestion string          `json:"congestion,omitempty"`
	Warnings   []words.Text    `json:"warnings,omitempty"`
}

// ServerResult is what the server of a latency probe returns.
type ServerResult struct {
	Machine  hot.MachineTime `json:"machine"`
	Warnings []words.Text    `json:"warnings,omitempty"`
}

// latencyMetrics returns the metrics of every probe with a histogram.
func latencyMetrics() []results.Metric {
	var all []results.Metric
	for _, name := range []string{"p50", "p90", "p99", "p999"} {
		all = append(all, results.Metric{Name: name, Unit: "s", Better: "lower"})
	}
	return append(all, results.Metric{Name: "rate", Unit: "1/s", Better: "higher"})
}

// measurement builds a measurement from the results of both ends.
func (r *LatencyResult) measurement(server *ServerResult) (*probes.Measurement, error) {
	h, err := hot.DecodeHistogram(r.Hist)
	if err != nil {
		return nil, err
	}
	if r.Seconds <= 0 {
		return nil, errors.New("the client measured for 0 seconds")
	}
	values := hot.Quantiles(h)
	values["rate"] = float64(r.Rounds) / r.Seconds
	cpu := hot.Together(r.Machine, server.Machine)
	warnings := append(append(r.Warnings, server.Warnings...), hot.Stolen(cpu)...)
	return &probes.Measurement{Values: values, Seconds: r.Seconds, CPU: cpu, Hist: r.Hist, Warnings: warnings}, nil
}
