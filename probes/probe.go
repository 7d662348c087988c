// Package probes measures the path between two pods. A probe has two sides: a
// controller, which decides what happens, and roles, which run inside workers,
// processes in the network namespaces of pods and nodes (package worker). This
// package has what all probes share; each of them is a file in load, network or
// encap, and catalogue lists them.
package probes

import (
	"context"
	"time"

	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Placements of the two ends of a sample on a machine's CPUs.
const (
	// Same puts both ends on one CPU: it measures the path and leaves out the
	// wake-up of another CPU. The default for latency.
	Same = "same"
	// Split gives each end a CPU of its own. The default for throughput.
	Split = "split"
	// Unpinned leaves both ends to the scheduler: where the ends are machines of
	// their own, their CPUs are not ours to choose.
	Unpinned = "unpinned"
)

// Probe is one way to measure a path.
type Probe struct {
	Name  string // as the user names it
	Title string // one line for people
	// Metrics are the keys of [Measurement.Values]. Empty for a fact.
	Metrics []results.Metric
	// Params are what may follow the name, see [Parse].
	Params []Param
	// Once marks a fact about a network, taken once; other probes are samples,
	// repeated in each block.
	Once bool
	// SeeksLoss marks a search for the rate at which loss begins.
	SeeksLoss bool
	// Unreached marks a fact that is also taken of a network whose pods cannot
	// reach each other: it helps to say why.
	Unreached bool
	// Placement is the default, Same or Split.
	Placement string
	// Pods marks a probe of what a plugin does to pods; the baseline, which has
	// none, is left out.
	Pods bool
	// Roles run inside workers; a request names one as "probe/role".
	Roles map[string]worker.Role
	// takes is what Takes returns; nil for one sample with a server and a client.
	Longest func(s *Site) time.Duration
	// Measure drives the roles on the site's workers. An error says why there
	// is no figure.
	Measure func(ctx context.Context, s *Site) (*Measurement, error)
}

// Finding is something about a network that a person should know and can act
// upon.
type Finding struct {
	Name string     // short and stable, such as pod-mtu-too-large
	Text words.Text // a sentence
}

// Measurement is what one sample yielded.
type Measurement struct {
	Values  map[string]float64 // by metric name, in the metric's unit
	Seconds float64            // the window that Values speak of
	CPU     *results.CPU       // spent meanwhile by all machines that took part
	// Hist holds round-trip times in ns, in HDR's V2 compressed encoding as the
	// worker gave it; it can be decoded.
	Hist []byte
	// Warnings are sentences about this sample that a reader must know.
	Warnings []words.Text
	// Findings hold for the network, whenever they were seen.
	Findings []Finding
	// Absent says, a sentence each, what of a fact could not be looked at because
	// it is not there.
	Absent []words.Text
	// Params are the sample's parameters as they came out, defaults included.
	Params        map[string]string
	Encapsulation *results.Encapsulation
	Adjacency     []results.Adjacency
	Reachability  []results.Reachability
	Policy        *results.Policy
	Hops          *results.Hops
}

// Dropped from the start of every sample: TCP's slow start, the growth of
// socket buffers, neighbour resolution and cold caches are no property of the
// path. A tenth costs little precision; slow start towards a full buffer took
// up to 50 ms on the slowest path seen.
const (
	warmUpShare = 10 // one part in
	warmUpLeast = 50 * time.Millisecond
)

// MinDuration is the shortest sample: half of it is warm-up.
const MinDuration = 2 * warmUpLeast

// WarmUp is the part of a sample of length d that is dropped.
func WarmUp(d time.Duration) time.Duration { return max(d/warmUpShare, warmUpLeast) }

// SampleGrace is how much longer than its duration a sample may take: the
// ends connect and report within milliseconds, and a lost segment is sent
// again after 200 ms (TCP_RTO_MIN) to 1 s (RFC 6298, the first SYN).
const SampleGrace = 2 * time.Second
