package words

// Limits of plugins, and what firewalls must let through.
var (
	VPCRoutes                = text("limits.vpc-routes", "VPC routes")
	Nodes                    = text("limits.nodes", "nodes")
	VPCRouteQuotaUnknown     = text("limits.vpc-route-quota-unknown", "one VPC route for each node; the table's quota is not known: ask the cloud, and set limits.vpc_routes")
	VPCRouteOnRequest        = message("limits.vpc-route-on-request", "one VPC route for each node; up to %d on request")
	NodesOfMesh              = text("limits.nodes-of-mesh", "nodes of a full BGP mesh")
	MeshGrows                = text("limits.mesh-grows", "sessions grow with the square of the nodes; use route reflectors above")
	MeshSessions             = message("limits.mesh-sessions", "%d sessions at %d nodes; use route reflectors above %d nodes")
	NodesOfCluster           = text("limits.nodes-of-cluster", "nodes of one cluster")
	NodesOfPodNetwork        = text("limits.nodes-of-pod-network", "nodes that the pod network has room for")
	KubesprayNetworkTooSmall = message("limits.kubespray-network-too-small", "Kubespray's %s is too small: choose a pod network of at least /%d")
	NetworkInParts           = message("limits.network-in-parts", "%s in parts of /%d")
	Wanted                   = message("limits.wanted", "wanted: %d")
	AddressPerPod            = message("limits.address-per-pod", "one address of the node's part for each pod (%s, %s)")
	PodPerAdapter            = text("limits.pod-per-adapter", "one pod for each adapter but the first (Alibaba Cloud ACK documentation, Terway)")
	AddressesOfAdapters      = text("limits.addresses-of-adapters", "the addresses of all adapters but the first (Alibaba Cloud ACK documentation, Terway)")
	AWSPods                  = text("limits.aws-pods", "adapters × (addresses − 1) + 2 (amazon-vpc-cni-k8s README)")
	SubENIPerPod             = text("limits.sub-eni-per-pod", "one sub-ENI for each pod (Huawei Cloud CCE documentation, Cloud Native Network 2.0)")
	VPCRoutePerNode          = text("limits.vpc-route-per-node", "one VPC route for each node")
	PodsOnNode               = text("limits.pods-on-node", "pods on a node")
)
