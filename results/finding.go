package results

// Names of the findings that probes report. They are stable, because scripts, the advice and
// acceptance specs refer to them.
const (
	FindingPodMTUTooLarge      = "pod-mtu-too-large"       // pods may send larger packets than the path carries
	FindingPodMTUTooSmall      = "pod-mtu-too-small"       // the path carries larger packets than pods may send
	FindingPodMTUDiffers       = "pod-mtu-differs"         // the two pods have different MTUs
	FindingMTUAsymmetric       = "mtu-asymmetric"          // one direction carries larger packets
	FindingMTUChanged          = "mtu-changed"             // the MTU of the path changed during the run
	FindingPMTUBlackHole       = "pmtu-black-hole"         // packets that are too large are dropped without an ICMP message
	FindingPMTUWrong           = "pmtu-wrong"              // the ICMP message gives a size other than the one that passes
	FindingUnderlayFragments   = "underlay-fragments"      // outer packets are fragmented
	FindingUnderlayMTUDiffers  = "underlay-mtu-differs"    // the two nodes' NICs have different MTUs
	FindingUnderlayMTUTooLarge = "underlay-mtu-too-large"  // a NIC sends larger packets than the path between the nodes carries
	FindingPodSourceNAT        = "pod-source-nat"          // pods see a source address other than the pod's
	FindingNodeSourceNAT       = "node-source-nat"         // nodes see a source address other than the node's
	FindingTCPDoesNotPass      = "tcp-does-not-pass"       // datagrams pass, but a TCP stream does not
	FindingOneDirectionSlow    = "one-direction-slow"      // one direction carries a small fraction of what the other carries
	FindingNodeUnreached       = "node-unreached"          // when the network came up, packets did not pass between two nodes
	FindingSurveyUnreached     = "survey-unreached"        // in a report: nodes of a survey that others do not reach, or that do not reach others
	FindingOtherNIC            = "other-nic-than-baseline" // pods' packets go to other addresses of the nodes than the baseline's
	FindingContradicted        = "plugin-contradicted"     // pods or nodes show another plugin than the one that the figures are named after
	FindingPluginSeen          = "plugin-seen"             // nodes show which plugin connects pods, although the cluster does not say it
	FindingLeftover            = "leftover-device"         // a tunnel device of another plugin or mode is still up on a node
	FindingSettingsDiffer      = "settings-differ"         // a tunnel device has other settings than the configuration
)
