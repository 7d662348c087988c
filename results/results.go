// Package results holds the record of a run: what was requested (run.json), every raw sample and
// fact in the order in which it was seen (samples.jsonl), and the latency histograms and captures
// beside them. It knows nothing about networks or statistics; it only keeps what was measured so
// that anyone can evaluate it again.
//
// A run directory holds
//
//	run.json       what was asked, the environment, the versions ([Run])
//	samples.jsonl  one [Record] a line, append-only, synced after each block
//	hist/          HDR histograms of latency samples
//	capture/       pcapng files, the proof of the encapsulation
//	log/           the agents' logs, and that of a kernel of the lab's own
package results

import (
	"time"

	"github.com/cnibench/cnibench/words"
)

// RunSchema names the version of run.json and samples.jsonl. A reader rejects a directory with
// any other version.
const RunSchema = "cnibench.run/v1"

// Names of files and subdirectories of a run directory.
const (
	RunFile     = "run.json"
	JournalFile = "samples.jsonl"
	HistDir     = "hist"
	CaptureDir  = "capture"
	LogDir      = "log"
	ReportJSON  = "report.json"
	ReportHTML  = "report.html"
)

// Run is the content of run.json, written before anything is started.
type Run struct {
	Schema  string    `json:"schema"`
	ID      string    `json:"id"`
	Started time.Time `json:"started"`
	Asked   Asked     `json:"asked"`
	Host    Host      `json:"host"`
	// Versions holds the version of every program that takes part, by name
	// ("flanneld": "v0.28.10").
	Versions map[string]string `json:"versions"`
	// Metrics describes every metric that a sample of this run can have, so that the record can
	// be read without knowledge of the probes.
	Metrics []Metric `json:"metrics"`
	// CongestionControl is the algorithm that the TCP probes set on their sockets.
	CongestionControl string `json:"congestion_control"`
	// Clusters are the clusters measured by a run on the cluster testbed, in the order of its
	// contexts; empty for the lab.
	Clusters []Cluster `json:"clusters,omitempty"`
}

// MaxDeployments is the maximum number of deployments of a run.
const MaxDeployments = 100

// Asked is what the user requested, with defaults filled in. The keys are those of the spec file
// and of the flags.
type Asked struct {
	Plugins []string `json:"plugins"`
	// Install names the plugins that the run installs itself, one after the other; empty if they
	// are already installed or are all deployed at once.
	Install []string `json:"install,omitempty"`
	Testbed string   `json:"testbed"`
	Kernel  string   `json:"kernel,omitempty"` // of the lab's nodes: auto, host or uml
	// Contexts are the clusters of a run over several clusters, measured one after the other,
	// each with its plugin ("name=plugin"); empty for a single cluster.
	Contexts  []string `json:"contexts,omitempty"`
	Topology  []string `json:"topology"`
	Wire      []string `json:"wire"`
	Link      Link     `json:"link,omitzero"`
	MTU       int      `json:"mtu"`
	Nodes     int      `json:"nodes"`
	Probes    []string `json:"probes"`
	Rounds    int      `json:"rounds,omitempty"` // 0: until Precision is reached
	Precision float64  `json:"precision"`        // relative full width of an interval, 0.03 = 3 %
	Margin    float64  `json:"margin,omitempty"` // difference below which plugins are equivalent, 0.03 = 3 %
	MaxRounds int      `json:"max_rounds"`
	// Pairs is between how many pairs of nodes the goodput of a stream is measured; 0 for none.
	Pairs int `json:"pairs,omitempty"`
	// Together says that the streams of a round run at the same time once more.
	Together bool `json:"together,omitempty"`
	// Redeploy is how many deployments the rounds are divided among: every network is taken down
	// and brought up again between two of them. 0 and 1 both mean one deployment.
	Redeploy  int     `json:"redeploy,omitempty"`
	Duration  Seconds `json:"duration"`
	Placement string  `json:"placement,omitempty"` // "": same for latency, split for throughput
	Seed      uint64  `json:"seed"`
	Control   string  `json:"control,omitempty"`
	// For a cluster: the labels of the nodes that may be measured, the taints that pods tolerate
	// (key[=value][:effect]), and a pod's resource requests and limits.
	NodeSelector map[string]string `json:"node_selector,omitempty"`
	Tolerations  []string          `json:"tolerations,omitempty"`
	Requests     map[string]string `json:"requests,omitempty"`
	Limits       map[string]string `json:"limits,omitempty"`
	// Also for a cluster: the kubeconfig file ("" for the one that kubectl finds), the user's
	// namespace that pods were created in ("" for one of the run's own), the image of the pods,
	// and whether no pods ran in the nodes' network.
	Kubeconfig   string `json:"kubeconfig,omitempty"`
	Namespace    string `json:"namespace,omitempty"`
	Image        string `json:"image,omitempty"`
	Unprivileged bool   `json:"unprivileged,omitempty"`
	Needs        *Needs `json:"needs,omitempty"` // of the cluster that the advice is for
}

// Apart reports whether the plugins of the run are measured one after the other, each with a
// baseline of its own.
func (a Asked) Apart() bool { return len(a.Install) > 0 || len(a.Contexts) > 0 }

// Deployments returns how many deployments the rounds are divided among, at least 1.
func (a Asked) Deployments() int { return max(a.Redeploy, 1) }

// Seconds is a duration, encoded in JSON as a decimal number of seconds.
type Seconds float64

// Duration converts s to a [time.Duration].
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// Host describes the machine that a run was made on.
type Host struct {
	Kernel            string `json:"kernel"`
	CPU               string `json:"cpu"`
	CPUs              int    `json:"cpus"`
	MemoryBytes       uint64 `json:"memory_bytes,omitempty"`
	CongestionControl string `json:"congestion_control"` // the system's default, not what the probes use
	Virtualization    string `json:"virtualization"`     // "none", or the hypervisor's name as the CPU reports it
	Privilege         string `json:"privilege"`          // "root" or "user namespace"
}

// Metric describes a figure that a probe measures.
type Metric struct {
	Probe string `json:"probe"`
	Name  string `json:"name"`
	Unit  string `json:"unit"` // bit/s, s, 1/s, byte, s/GB, 1/GB, s/kpkt, 1
	// Better is "higher", "lower", or "" for a figure for which neither is better.
	Better string `json:"better,omitempty"`
	// Evidence marks a figure that explains others. Tables for people omit it.
	Evidence bool `json:"evidence,omitempty"`
	// Straight names the figure of the same sample that was taken over the straight path, from
	// pod to pod by the pod's own address. It is "" for a figure without one.
	Straight string `json:"straight,omitempty"`
	// Fact marks a figure that does not vary from sample to sample. It is taken at the start and
	// at the end of a run, and its interval in a report is the range of these values.
	Fact bool `json:"fact,omitempty"`
}

// Cell names what is compared: one plugin on one topology at one rate limit (wire).
type Cell struct {
	Plugin   string   `json:"plugin"`
	Topology Topology `json:"topology"`
	Wire     string   `json:"wire"`
}

// SameNode is the topology that figures between two pods on one node are recorded under, separate
// from those between nodes.
const SameNode = "same-node"

// HostPlugin is the name of the baseline: the nodes' own network, no plugin.
const HostPlugin = "host"

// Placement records the CPUs that the two ends of a sample were pinned to.
type Placement struct {
	Mode   string `json:"mode"` // same or split
	Client int    `json:"client_cpu"`
	Server int    `json:"server_cpu"`
}

// CPU is the processor time that the whole machine spent during a sample, in seconds, from
// /proc/stat (proc_stat(5)); the tick is 1/100 s.
type CPU struct {
	User    float64 `json:"user"` // user and nice
	System  float64 `json:"system"`
	SoftIRQ float64 `json:"softirq"` // irq and softirq
	Steal   float64 `json:"steal"`
	Idle    float64 `json:"idle"` // idle and iowait
	// ContextSwitches counts context switches of the whole machine.
	ContextSwitches uint64 `json:"context_switches"`
}

// Busy returns the time during which the machine worked on this sample.
func (c CPU) Busy() float64 { return c.User + c.System + c.SoftIRQ }

// Sample is one measurement of one probe on one cell, or the reason why there is none. Failed
// samples are kept: Error is set and Values is empty.
type Sample struct {
	Cell
	Probe    string            `json:"probe"`
	Params   map[string]string `json:"params,omitempty"`
	Block    int               `json:"block"`    // from 0
	Position int               `json:"position"` // order within the block, from 0
	// Deployment counts, from 0, how often the network had been brought up before; see
	// [Asked.Redeploy].
	Deployment int                `json:"deployment,omitempty"`
	Placement  Placement          `json:"placement"`
	Start      time.Time          `json:"start"`
	Seconds    float64            `json:"seconds"` // the window that Values cover
	Values     map[string]float64 `json:"values,omitempty"`
	CPU        *CPU               `json:"cpu,omitempty"`
	// AgentSeconds is the processor time that the network's agents used during the sample,
	// including its setup and teardown.
	AgentSeconds float64 `json:"agent_seconds,omitempty"`
	// AgentWindow is the time over which AgentSeconds was measured, in seconds; 0 in old records.
	AgentWindow float64      `json:"agent_window,omitempty"`
	Hist        string       `json:"hist,omitempty"` // file relative to the run directory
	Warnings    []words.Text `json:"warnings,omitempty"`
	Error       words.Text   `json:"error,omitzero"`
}

// Status of a network or a cell.
const (
	StatusOK          = "ok"
	StatusFailed      = "failed"
	StatusUnsupported = "unsupported"
	// StatusBroke is the status of a network that worked and then stopped working during the run:
	// its figures are those of the rounds before.
	StatusBroke = "broke"
)

// Network is the state of one plugin on one topology: whether it came up and, if not, why. The
// last one recorded counts.
type Network struct {
	Plugin   string     `json:"plugin"`
	Topology Topology   `json:"topology"`
	Status   string     `json:"status"`
	Cause    words.Text `json:"cause,omitzero"`
	Fidelity string     `json:"fidelity"` // agent, datapath or cluster
	Kernel   string     `json:"kernel"`
	// Lacks names the kernel feature whose absence makes the network unsupported.
	Lacks    string            `json:"lacks,omitempty"`
	Versions map[string]string `json:"versions,omitempty"`
	PodMTU   int               `json:"pod_mtu,omitempty"`
	// Configured is what a cluster's own settings say about the wire; nil if the catalogue's values
	// hold, and in old records.
	Configured *Configured `json:"configured,omitempty"`
	// Contradicted says what pods or nodes of a cluster show that the named plugin does not do.
	Contradicted words.Text `json:"contradicted,omitzero"`
	// BrokeRound and BrokeAt say when a network with [StatusBroke] stopped working: the round,
	// counted from 1, and the time.
	BrokeRound int       `json:"broke_round,omitempty"`
	BrokeAt    time.Time `json:"broke_at,omitzero"`
}

// Setup is the cost of bringing a network up.
type Setup struct {
	Plugin     string   `json:"plugin"`
	Topology   Topology `json:"topology"`
	Deployment int      `json:"deployment,omitempty"` // as in [Sample]
	// NetworkReadyMS ends with the first packet between the two pods that are measured. In the
	// lab it begins when the first agent is started. On a cluster, where the agents are already
	// running, it begins when the pods are created or, if the run installs the plugin, when the
	// installation starts; pods that already serve an earlier network of the run are not created
	// again.
	NetworkReadyMS float64 `json:"network_ready_ms"`
	// CNIAddMS holds the duration of each CNI ADD, in the order of the nodes.
	CNIAddMS []float64 `json:"cni_add_ms"`
	// AgentRSSBytes is the resident memory of all the network's agents.
	AgentRSSBytes int64 `json:"agent_rss_bytes"`
	// Agents is the number of processes counted in AgentRSSBytes.
	Agents int `json:"agents"`
}

// Encapsulation is what was captured on the underlay while known packets passed between two pods
// on different nodes.
type Encapsulation struct {
	Plugin     string   `json:"plugin"`
	Topology   Topology `json:"topology"`
	Kernel     string   `json:"kernel,omitempty"` // in reports; in a journal it is beside the record
	From       string   `json:"from"`             // node whose underlay NIC was captured
	To         string   `json:"to"`
	Configured string   `json:"configured"` // none, vxlan, udp, ipip, wireguard, geneve
	Effective  string   `json:"effective"`  // the same, or mixed, or unseen
	Port       int      `json:"port"`       // outer UDP destination port seen, 0 if none
	// ConfiguredPort is the port that the plugin's mode should use, 0 if none.
	ConfiguredPort int `json:"configured_port"`
	// OverheadBytes is the length of the outer IP packet minus that of the inner one.
	OverheadBytes int          `json:"overhead_bytes"`
	ExpectedBytes int          `json:"expected_bytes"`
	Frames        int          `json:"frames"` // captured frames that carried the known packets
	Sent          int          `json:"sent"`   // packets sent
	Layers        []string     `json:"layers"` // headers of such a frame, from the outside in
	Agrees        bool         `json:"agrees"`
	Warnings      []words.Text `json:"warnings,omitempty"`
	Capture       string       `json:"capture,omitempty"` // file relative to the run directory
}

// Finding is something about a network, found by a probe, that a user should know and can act
// upon.
type Finding struct {
	Plugin   string     `json:"plugin"`
	Topology Topology   `json:"topology"`
	Kernel   string     `json:"kernel,omitempty"` // in reports; in a journal it is beside the record
	Wire     string     `json:"wire"`             // the rate limit at which it was first seen
	Probe    string     `json:"probe"`
	Name     string     `json:"name"` // short and stable
	Text     words.Text `json:"text"`
}

// Adjacency records whether two nodes share a link layer. It is tested in two stages: whether the
// neighbour's address resolves, and whether a frame for a foreign address that is sent to the
// neighbour's MAC address arrives.
type Adjacency struct {
	Plugin       string       `json:"plugin"`
	Topology     Topology     `json:"topology"`
	Kernel       string       `json:"kernel,omitempty"` // in reports; in a journal it is beside the record
	From         string       `json:"from"`             // node
	To           string       `json:"to"`
	Neighbour    bool         `json:"neighbour"`               // ARP or NDP is answered
	NeighbourMAC string       `json:"neighbour_mac,omitempty"` // that answered
	NodeMAC      string       `json:"node_mac,omitempty"`      // of the other node's NIC
	ProxyARP     bool         `json:"proxy_arp,omitempty"`     // another machine answered
	Forwards     bool         `json:"forwards"`                // frames for foreign addresses arrive
	TTL          int          `json:"ttl,omitempty"`           // of the frame that arrived; it was sent with 64
	Cause        words.Text   `json:"cause,omitzero"`
	Warnings     []words.Text `json:"warnings,omitempty"`
}

// Directions of a [Reachability].
const (
	OutsideToPod = "outside-to-pod"
	PodToOutside = "pod-to-outside"
	PodToPod     = "pod-to-pod" // on different nodes
	PodToNeigh   = "pod-to-pod-same-node"
	// PodToOutsideNAT is PodToOutside with source NAT (masquerading) on the pod's node.
	PodToOutsideNAT = "pod-to-outside-masqueraded"
)

// What happened to the source address.
const (
	SourceKept = "kept"
	SourceSNAT = "snat"
)

// Reachability records whether packets pass in one direction, and with which source address they
// arrive.
type Reachability struct {
	Plugin    string   `json:"plugin"`
	Topology  Topology `json:"topology"`
	Kernel    string   `json:"kernel,omitempty"` // in reports; in a journal it is beside the record
	Direction string   `json:"direction"`
	From      string   `json:"from,omitempty"` // node of the sender, "" in old records
	To        string   `json:"to,omitempty"`   // node of the receiver
	Reachable bool     `json:"reachable"`
	Source    string   `json:"source,omitempty"` // kept or snat; "" if nothing arrived
	Seen      string   `json:"seen,omitempty"`   // source address that arrived
	// LastSeen is the last device on the path whose counters moved, as "node/device", if nothing
	// arrived.
	LastSeen string     `json:"last_seen,omitempty"`
	Cause    words.Text `json:"cause,omitzero"`
}

// Hops is the path of a packet inside the nodes, according to device counters.
type Hops struct {
	Plugin   string   `json:"plugin"`
	Topology Topology `json:"topology"`
	Kernel   string   `json:"kernel,omitempty"` // in reports; in a journal it is beside the record
	Sent     int      `json:"sent"`
	Devices  []string `json:"devices"` // "node/device", in path order
	Arrived  bool     `json:"arrived"`
}

// Record is one line of the journal: a time and exactly one of the kinds.
type Record struct {
	Time time.Time `json:"time"`
	// Kernel is the kernel that the nodes ran on, such as "uml 6.1.176"; "" for the machine's
	// own. Figures of different kernels are never compared.
	Kernel        string         `json:"kernel,omitempty"`
	Sample        *Sample        `json:"sample,omitempty"`
	Network       *Network       `json:"network,omitempty"`
	Setup         *Setup         `json:"setup,omitempty"`
	Encapsulation *Encapsulation `json:"encapsulation,omitempty"`
	Finding       *Finding       `json:"finding,omitempty"`
	Adjacency     *Adjacency     `json:"adjacency,omitempty"`
	Reachability  *Reachability  `json:"reachability,omitempty"`
	Policy        *Policy        `json:"policy,omitempty"`
	Hops          *Hops          `json:"hops,omitempty"`
	Survey        *Survey        `json:"survey,omitempty"`
	PairSpeed     *PairSpeed     `json:"pair_speed,omitempty"`
	Event         *Event         `json:"event,omitempty"`
	// Words are the messages behind the sentences above, for reports in other languages.
	Words words.Forms `json:"words,omitempty"`
}
