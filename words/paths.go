package words

// The paths that applications use, by probe.
var (
	AppPathsTitle   = text("paths.app-title", "paths that applications use, against the straight path from pod to pod")
	AppPathsHeading = text("paths.app-heading", "The paths that applications use")
	AppPathsIntro   = text("paths.app-intro", "The straight path leads from pod to pod by the pod's own address, for hairpin from another pod on the same node. Both are measured in the same sample, one directly after the other, in an order that is drawn.")
	ToClusterIP     = text("paths.to-cluster-ip", "pod to a Service's ClusterIP")
	ToNodePort      = text("paths.to-node-port", "pod to a NodePort of the server's node")
	ToOwnNodePort   = text("paths.to-own-node-port", "pod to a NodePort of its own node")
	ToHost          = text("paths.to-host", "pod to the other node")
	FromHost        = text("paths.from-host", "node to a pod on the other node")
	ToItself        = text("paths.to-itself", "pod through its own Service to itself")
)

// The path of a packet, as the catalogue of plugins describes it.
var (
	ProcessOnNode        = text("paths.process-on-node", "process on the node")
	PolicyRouting        = text("paths.policy-routing", "policy routing")
	RouteViaOtherNode    = text("paths.route-via-other-node", "route via the other node")
	OnSameSubnetRoute    = message("paths.on-same-subnet-route", "on the same subnet: route via the other node, else %s")
	OnSameSubnetRouteVia = message("paths.on-same-subnet-route-via", "on the same subnet: route via the other node (BGP), else %s")
	NICThatOwnsPods      = text("paths.nic-that-owns-pods", "NIC that owns the pod's address")
	ENIThatOwnsPods      = text("paths.eni-that-owns-pods", "ENI that owns the pod's address")
	VLANTrunkENI         = text("paths.vlan-trunk-eni", "VLAN of the trunk ENI")
	ENIItself            = text("paths.eni-itself", "the ENI itself")
	TrunkENI             = text("paths.trunk-eni", "trunk ENI")
	VPCRouteTable        = text("paths.vpc-route-table", "VPC route table")
	UserSpace            = text("paths.user-space", "user space")
	UDPSocket            = text("paths.udp-socket", "UDP socket")
)
