// Package probes measures the path between two pods. A probe has two sides: a
// controller, which decides what happens, and roles, which run inside workers:
// processes in the network namespaces of pods and nodes (package worker). This
// package contains what all probes share. Each probe is a file in load, network
// or encap; package catalogue lists them.
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
	// Same puts both ends on one CPU, which measures the path without the wake-up
	// of another CPU. It is the default for latency.
	Same = "same"
	// Split gives each end a CPU of its own. It is the default for throughput.
	Split = "split"
	// Unpinned leaves both ends to the scheduler. It is for ends on separate
	// machines, whose CPUs are not ours to choose.
	Unpinned = "unpinned"
)

// Span says between which pairs of pods a probe measures.
type Span int

const (
	Anywhere Span = iota
	AcrossNodes
	OnOneNode
)

// Covers reports whether a probe of this span measures on a topology.
func (s Span) Covers(topology string) bool {
	return s == Anywhere || (s == OnOneNode) == (topology == results.SameNode)
}

// Probe is one way to measure a path.
type Probe struct {
	Name  string // as the user names it
	Title string // one line for people
	// Metrics are the keys of [Measurement.Values]. They are empty for a fact.
	Metrics []results.Metric
	// Params are the parameters that may follow the name.
	Params []Param
	// Once marks a fact about a network, which is taken once. Other probes are
	// samples, which are repeated in each block.
	Once bool
	// Changed returns what a person should know if the values of two samples differ. It is
	// nil except for a probe whose figures are facts ([results.Metric.Fact]), which is sampled
	// only at the start and at the end of a run.
	Changed func(before, after map[string]float64) []Finding
	// SeeksLoss marks a search for the rate at which loss begins.
	SeeksLoss bool
	// Unreached marks a fact that is taken even if the pods cannot reach each
	// other, because it helps to explain why.
	Unreached bool
	// Creates names the resource of the Kubernetes API of which the probe creates objects
	// on a cluster, such as "services": it takes a permission of its own. It is "" if the
	// probe creates none.
	Creates string
	// Placement is the default placement, Same or Split.
	Placement string
	// Pods marks a probe of what a plugin does to pods. It does not apply to the
	// baseline, which has no pods.
	Pods bool
	// Parts is the number of measurements that one sample takes in sequence, each for an
	// equal part of the sample's duration. 0 means 1.
	Parts int
	// Span limits the probe to pairs of pods on one node, or on different nodes.
	Span Span
	// Roles run inside workers; a request names one as "probe/role".
	Roles map[string]worker.Role
	// Longest computes what Takes returns. It is nil for a probe that takes one
	// sample with a server and a client.
	Longest func(s *Site) time.Duration
	// Measure runs the roles on the site's workers. Its error says why there is
	// no result.
	Measure func(ctx context.Context, s *Site) (*Measurement, error)
}

// Finding is something about a network that a person should know and can act on.
type Finding struct {
	Name string     // short and stable, such as pod-mtu-too-large
	Text words.Text // a sentence
}

// Measurement is the result of one sample.
type Measurement struct {
	Values  map[string]float64 // by metric name, in the metric's unit
	Seconds float64            // length of the window that Values cover
	CPU     *results.CPU       // time spent in the window by all machines involved
	// Hist holds round-trip times in ns, in HDR's V2 compressed encoding as the
	// worker returned it. It can be decoded.
	Hist []byte
	// Warnings are sentences about this sample that a reader must know.
	Warnings []words.Text
	// Findings are about the network as a whole, not only about this sample.
	Findings []Finding
	// Absent says, in one sentence each, which parts of a fact could not be checked
	// because what they check does not exist here.
	Absent []words.Text
	// Params are the sample's effective parameters, including defaults.
	Params        map[string]string
	Encapsulation *results.Encapsulation
	Adjacency     []results.Adjacency
	Reachability  []results.Reachability
	Policy        []results.Policy
	Hops          *results.Hops
	Survey        *results.Survey
}

// What happens first in a sample is not counted, because TCP's slow start, the growth
// of socket buffers, neighbour resolution and cold caches are not properties of the
// path. A tenth more costs little; slow start towards a full buffer took up to 50 ms
// on the slowest path seen. A stream also waits until it is steady.
const (
	warmUpShare = 10 // one part in ten
	warmUpLeast = 50 * time.Millisecond
)

// MinDuration is the shortest counted part of a sample: ten ticks of the kernel's
// processor times (hot.MachineTime).
const MinDuration = 100 * time.Millisecond

// WarmUp returns how much of a sample passes at least before the part that is
// counted, whose length is d.
func WarmUp(d time.Duration) time.Duration { return max(d/warmUpShare, warmUpLeast) }

// A stream is measured at the latest after steadyWithin and, as slow start doubles
// the rate once a round trip, steadyRoundTrips: from ten segments (RFC 6928) to a
// window of 128 MB takes 13 of them, and to see that the rate no longer grows, 8.
const (
	steadyWithin     = time.Second
	steadyRoundTrips = 21
)

// SampleGrace is how much longer than its duration a sample may take. The ends
// connect and report within milliseconds, and a lost segment is retransmitted
// after 200 ms (TCP_RTO_MIN) to 1 s (RFC 6298, the first SYN).
const SampleGrace = 2 * time.Second
