package words

// Limits of plugins, and what firewalls must let through.
var (
	VPCRoutes               = text("limits.vpc-routes", "VPC routes")
	Nodes                   = text("limits.nodes", "nodes")
	OneVPCRouteForEach      = text("limits.one-vpc-route-for-each", "one VPC route for each node; the table's quota is not known: ask the cloud, and set limits.vpc_routes")
	OneVPCRouteForEachNode  = message("limits.one-vpc-route-for-each-node", "one VPC route for each node; up to %d on request")
	NodesFullBGPMesh        = text("limits.nodes-full-bgp-mesh", "nodes of a full BGP mesh")
	SessionsGrowWithSquare  = text("limits.sessions-grow-with-square", "sessions grow with the square of the nodes; use route reflectors above")
	SessionsAtNodesUse      = message("limits.sessions-at-nodes-use", "%d sessions at %d nodes; use route reflectors above %d nodes")
	NodesOneCluster         = text("limits.nodes-one-cluster", "nodes of one cluster")
	NodesThatPodNetwork     = text("limits.nodes-that-pod-network", "nodes that the pod network has room for")
	KubespraysIsTooSmall    = message("limits.kubesprays-is-too-small", "Kubespray's %s is too small: choose a pod network of at least /%d")
	InParts                 = message("limits.in-parts", "%s in parts of /%d")
	Wanted                  = message("limits.wanted", "wanted: %d")
	OneAddressNodesPart     = message("limits.one-address-nodes-part", "one address of the node's part for each pod (%s, %s)")
	OnePodForEach           = text("limits.one-pod-for-each", "one pod for each adapter but the first (Alibaba Cloud ACK documentation, Terway)")
	AddressesAllAdaptersBut = text("limits.addresses-all-adapters-but", "the addresses of all adapters but the first (Alibaba Cloud ACK documentation, Terway)")
	AdaptersTimesAddresses1 = text("limits.adapters-times-addresses1", "adapters × (addresses − 1) + 2 (amazon-vpc-cni-k8s README)")
	OneSubENIFor            = text("limits.one-sub-eni-for", "one sub-ENI for each pod (Huawei Cloud CCE documentation, Cloud Native Network 2.0)")
	OneVPCRouteOnly         = text("limits.one-vpc-route-only", "one VPC route for each node")
	PodsOnNode              = text("limits.pods-on-node", "pods on a node")
)
