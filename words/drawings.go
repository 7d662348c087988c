package words

// The drawings on the page.
var (
	AdjacencyLegend   = text("drawings.adjacency-legend", "Line: frames for foreign addresses arrive; dashed: the neighbour answers, and they do not; crossed out: no answer.")
	ReachLegend       = text("drawings.reach-legend", "Frames are nodes. Arrow: packets arrive; dashed: some do; crossed out: none does; no arrow: not measured.")
	AdjacencyMapLabel = message("drawings.adjacency-map-label", "adjacency of nodes on %s")
	ReachMapLabel     = message("drawings.reach-map-label", "who reaches whom: %s")
	Pod               = text("drawings.pod", "pod")
	OutsideBox        = text("drawings.outside-box", "outside")
	NothingArrived    = text("drawings.nothing-arrived", "nothing arrived")
	OnSendersNode     = text("drawings.on-senders-node", "on the sender's node")
	OnReceiversNode   = text("drawings.on-receivers-node", "on the receiver's node")
	Packets           = message("drawings.packets", "%d packets")
	WireNotLookedAt   = text("drawings.wire-not-looked-at", "the wire was not captured")
	PathIntro         = text("drawings.path-intro", "The devices whose counters moved while known packets passed from one pod to another, and the headers that a capture showed between the nodes; those that the plugin put there are marked.")
)
