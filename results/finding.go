package results

// Names of the findings that probes report. They are stable: scripts, the
// advice and acceptance specs use them.
const (
	FindingPodMTUTooLarge      = "pod-mtu-too-large"      // pods may send more than the path carries
	FindingPodMTUTooSmall      = "pod-mtu-too-small"      // the path carries more than pods may send
	FindingPodMTUDiffers       = "pod-mtu-differs"        // between the two pods
	FindingMTUAsymmetric       = "mtu-asymmetric"         // one direction carries larger packets
	FindingPMTUBlackHole       = "pmtu-black-hole"        // too large packets vanish without a message
	FindingPMTUWrong           = "pmtu-wrong"             // the message names another size than passes
	FindingUnderlayFragments   = "underlay-fragments"     // outer packets are fragmented
	FindingUnderlayMTUDiffers  = "underlay-mtu-differs"   // between the two nodes' NICs
	FindingUnderlayMTUTooLarge = "underlay-mtu-too-large" // a NIC sends more than the nodes' path carries
	FindingPodSourceNAT        = "pod-source-nat"         // pods see another source address than the pod's
	FindingNodeSourceNAT       = "node-source-nat"        // nodes see another source address than the node's
	FindingTCPDoesNotPass      = "tcp-does-not-pass"      // datagrams pass, a TCP stream does not
	FindingOneDirectionSlow    = "one-direction-slow"     // a small part of what the other direction carries
)
