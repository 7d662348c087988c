// Package probes measures the path between two pods. A probe has two sides: a
// controller, which decides what happens, and roles, which run inside workers.
// A worker is a process in a pod's or a node's network namespace that speaks
// lines of JSON on its standard streams ([Serve], [Connect]); whoever starts
// it hands over its two streams and nothing else.
//
// The hot loops use raw system calls on blocking sockets, on threads of their
// own that are pinned to one CPU, and allocate nothing; see hotloop.go.
package probes

import (
	"context"
	"net/netip"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cnibench/cnibench/results"
)

// CongestionControl is what every TCP socket of a probe is set to, so that
// figures of machines with different defaults compare (tcp(7)).
const CongestionControl = "cubic"

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
	Roles map[string]Role
	// takes is what Takes returns; nil for one sample with a server and a client.
	takes func(s *Site) time.Duration
	// Measure drives the roles on the site's workers. An error says why there
	// is no figure.
	Measure func(ctx context.Context, s *Site) (*Measurement, error)
}

// Role is one end of a probe, run by a worker. It returns what goes back to
// the controller, as JSON. It must end soon after ctx does.
type Role func(ctx context.Context, r *Request) (any, error)

// End is one of the two pods that are measured, and the node that it runs on.
type End struct {
	Worker *Worker    // in the pod's network namespace
	Addr   netip.Addr // the pod's
	CPU    int        // that the end is pinned to, -1 for none
	// Node is a worker in the node's root network namespace; nil if there is
	// none. Only probes that look at the wire need it.
	Node     *Worker
	NodeAddr netip.Addr
	Subnet   netip.Prefix // of NodeAddr
	NIC      string       // the node's underlay interface
	NodeName string
}

// Encapsulation is what a network is configured to put around a packet.
type Encapsulation struct {
	Kind     string // none, vxlan, udp, ipip, wireguard or geneve
	Port     int    // outer UDP destination port, 0 for none
	Overhead int    // bytes taken from the underlay's IP MTU
	// Elsewhere is the same between nodes of different subnets, where the two
	// that are measured need no tunnel: pods leave room for it all the same.
	Elsewhere int
}

// Site is where and how a sample is taken.
type Site struct {
	Client, Server End
	// Spare are the CPUs that ends may be pinned to and neither is.
	Spare []int
	// Duration is the length of the whole sample, the dropped first part
	// included.
	Duration time.Duration
	// Delay is what the underlay is known to add to the way of every packet.
	Delay  time.Duration
	Params map[string]string // as [Parse] returns them
	Expect Encapsulation     // for probes that look at the wire
	// CaptureFile is where a probe that captures keeps its frames (pcapng); ""
	// keeps none.
	CaptureFile string
	// Slower is how many times longer than on a machine of its own things take
	// here, for time limits; 0 means 1.
	Slower int
	// AgentTime is the processor time that the plugin's agents have used so
	// far; nil where the testbed cannot see it.
	AgentTime func() time.Duration
	// AddPods adds pods on the client's node, all at once, waits until each is
	// reached from the server's node, and removes them. Nil where the testbed
	// cannot.
	AddPods func(ctx context.Context, n int) ([]PodTimes, error)
	// Service makes a Service that leads to the server, the first time. Nil where
	// there are none.
	Service func(ctx context.Context) (*Service, error)
	// Around shows the other places of the network. Nil where the testbed
	// cannot.
	Around func(ctx context.Context) (*Surroundings, error)
}

// limit is a time limit as it holds here.
func (s *Site) limit(d time.Duration) time.Duration { return d * time.Duration(max(s.Slower, 1)) }

// Finding is something about a network that a person should know and can act
// upon.
type Finding struct {
	Name string // short and stable, such as pod-mtu-too-large
	Text string // a sentence
}

// Measurement is what one sample yielded.
type Measurement struct {
	Values  map[string]float64 // by metric name, in the metric's unit
	Seconds float64            // the window that Values speak of
	CPU     *results.CPU       // spent meanwhile by all machines that took part
	Hist    *hdrhistogram.Histogram
	// Warnings are sentences about this sample that a reader must know.
	Warnings []string
	// Findings hold for the network, whenever they were seen.
	Findings []Finding
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

// warmUp is the part of a sample of length d that is dropped.
func warmUp(d time.Duration) time.Duration { return max(d/warmUpShare, warmUpLeast) }

// sampleGrace is how much longer than its duration a sample may take: the
// ends connect and report within milliseconds, and a lost segment is sent
// again after 200 ms (TCP_RTO_MIN) to 1 s (RFC 6298, the first SYN).
const sampleGrace = 2 * time.Second

// stealWarning is the share of the machine's time taken by the hypervisor
// above which a sample carries a warning: at 1 % the loss is as large as the
// differences that runs are asked to tell apart.
const stealWarning = 0.01
