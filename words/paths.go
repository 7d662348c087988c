package words

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
