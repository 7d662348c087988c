package results

import "github.com/cnibench/cnibench/words"

// Event is something other than a measurement that happened during a run.
type Event struct {
	// Name is one of the Event constants.
	Name     string     `json:"name"`
	Plugin   string     `json:"plugin,omitempty"`
	Topology Topology   `json:"topology,omitzero"`
	Text     words.Text `json:"text,omitzero"`
	Block    int        `json:"block,omitempty"`
	// Deployment is the one that begins with an [EventRedeploy], counted from 0.
	Deployment int  `json:"deployment,omitempty"`
	Complete   bool `json:"complete,omitempty"`
}

// Events.
const (
	EventAgentExit  = "agent-exit"  // an agent exited by itself and was restarted
	EventBlockEnd   = "block-end"   // every sample of the block is in the journal
	EventFinished   = "finished"    // the run ended by itself; Complete: everything requested was done
	EventStopped    = "stopped"     // the run was interrupted
	EventResumed    = "resumed"     // the run was resumed after an interruption, with block number Block; Text says what differs
	EventCNIDel     = "cni-del"     // a CNI DEL failed; Text says how
	EventFactFailed = "fact-failed" // a fact about a network could not be determined; Text says why
	EventNextKernel = "next-kernel" // everything after this is measured in another kernel; Text says what is left for it
	EventDetected   = "detected"    // what a cluster reports about its plugin that is not in the catalogue or contradicts the one named
	EventRestored   = "restored"    // a worker was lost and restarted; Text says why
	EventRedeploy   = "redeploy"    // the networks are taken down and brought up again, and block number Block is the first of the new ones
	EventLeftOut    = "left-out"    // probes of the standard suite that the user has no permission for, or nodes that a survey does not cover; Text says which
	EventAltered    = "altered"     // a cluster changed the run's pods; Text says how
	EventLeftovers  = "leftovers"   // what a removed plugin left on a node or in the cluster; Text lists it
	EventNotHere    = "not-here"    // a fact does not apply to what runs here; Text says why
)
