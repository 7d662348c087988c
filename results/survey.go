package results

import "github.com/cnibench/cnibench/words"

// Pair names the nodes that a sample went between, the sender first. It is empty in a run over a
// single pair of nodes and in old records.
type Pair struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// MaxSurveyed is the largest number of nodes of a survey: as many as Kubernetes supports
// (Kubernetes documentation, setup/best-practices/cluster-large). A tournament of them has no more rounds.
const MaxSurveyed = 5000

// Survey is what a survey found of some of the ordered pairs of a network's nodes. The records of
// one network belong together: the first names the nodes, and each holds other pairs.
type Survey struct {
	Plugin   string       `json:"plugin"`
	Topology Topology     `json:"topology"`
	Nodes    []SurveyNode `json:"nodes,omitempty"`
	Pairs    []SurveyPair `json:"pairs,omitempty"`
}

// SurveyNode is a node of the network.
type SurveyNode struct {
	Name string `json:"name"`
	// Pod is the address that the survey used on the node, the node's own for the baseline.
	Pod string `json:"pod,omitempty"`
	// Assigned is the address that the plugin or the cluster says that the pod has, if the pod has
	// another.
	Assigned string `json:"assigned,omitempty"`
	Subnet   string `json:"subnet,omitempty"` // of the node's own address
	Zone     string `json:"zone,omitempty"`   // topology.kubernetes.io/zone
	Type     string `json:"type,omitempty"`   // node.kubernetes.io/instance-type
	// Range is the range that pod addresses of the node come from, "" if it is not known.
	Range string `json:"range,omitempty"`
	// Problem says why the node could not take part. LeftOut says that it was not tried.
	Problem words.Text `json:"problem,omitzero"`
	LeftOut bool       `json:"left_out,omitempty"`
}

// SurveyPair is what happened to known packets from one node's pod to another's. Every count is of
// small UDP packets.
type SurveyPair struct {
	From string `json:"from"`
	To   string `json:"to"`
	Sent int    `json:"sent"`
	// Arrived is the number that the receiver saw, and Answered the number whose answer came back.
	// If many arrive and none is answered, the way back is closed.
	Arrived  int    `json:"arrived"`
	Answered int    `json:"answered"`
	Source   string `json:"source,omitempty"` // kept or snat; "" if nothing arrived
	Seen     string `json:"seen,omitempty"`   // source address that arrived if it is another than the sender's
	// RTT is the median round trip of the answered packets in seconds, 0 if there are none.
	RTT float64 `json:"rtt,omitempty"`
	// Interface is the MTU of the sender's interface, and Largest the size of the largest IP packet
	// that arrived without being fragmented. Largest is 0 if it is not known, because no answer
	// came back.
	Interface int `json:"interface,omitempty"`
	Largest   int `json:"largest,omitempty"`
	// Refused is the last error with which the sender's kernel refused to send.
	Refused string `json:"refused,omitempty"`
	// Problem says why the pair could not be measured; then the counts mean nothing.
	Problem words.Text `json:"problem,omitzero"`
}
