// Package calico deploys Calico on nodes without Kubernetes, with an etcd datastore.
// It runs calico-node's own start-up, Felix and, for BGP, confd with BIRD. Calico's
// CNI plugin and IPAM connect the pods.
package calico

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/etcd"
	"github.com/cnibench/cnibench/words"
)

// Programs of Calico, and the BGP daemon.
const (
	nodeBinary = "calico-node"
	cniBinary  = "calico"
	ipamBinary = "calico-ipam" // the same program under another name
	birdBinary = "bird"
)

var (
	overlay = plugins.Source{What: "Calico v3.28 documentation, networking/configuring/vxlan-ipip", Date: "2026-11-23"}
	bgp     = plugins.Source{What: "Calico v3.28 documentation, networking/configuring/bgp", Date: "2026-11-23"}
)

// Modes returns the ways in which Calico forwards pods' packets between nodes.
func Modes() []*plugins.Plugin {
	return []*plugins.Plugin{
		mode("calico-bgp", "Calico, plain routes distributed by BGP", plugins.None,
			plugins.Path("pod eth0", "veth cali…", words.Aside(words.RouteViaOtherNode, words.Quote("BGP")), "NIC"), nil,
			"calico"),
		mode("calico-vxlan", "Calico, VXLAN in the kernel", plugins.IANAVXLAN,
			plugins.Path("pod eth0", "veth cali…", "vxlan.calico (VXLAN)", "NIC"), []string{"vxlan"}),
		mode("calico-vxlan-crosssubnet", "Calico, VXLAN between subnets and plain routes inside one", plugins.IANAVXLAN.BetweenSubnets(),
			plugins.Path("pod eth0", "veth cali…", words.OnSameSubnetRoute.With("vxlan.calico (VXLAN)"), "NIC"), []string{"vxlan"}),
		mode("calico-ipip", "Calico, IP in IP, routes distributed by BGP", plugins.IPIP,
			plugins.Path("pod eth0", "veth cali…", "tunl0 (IP in IP)", "NIC"), []string{"ipip"}),
		mode("calico-ipip-crosssubnet", "Calico, IP in IP between subnets and plain routes inside one", plugins.IPIP.BetweenSubnets(),
			plugins.Path("pod eth0", "veth cali…", words.OnSameSubnetRouteVia.With("tunl0 (IP in IP)"), "NIC"), []string{"ipip"}),
	}
}

// pools holds the settings of each mode.
var pools = map[string]pool{
	"calico-bgp":               {ipip: "Never", vxlan: "Never", bird: true, source: bgp},
	"calico-vxlan":             {ipip: "Never", vxlan: "Always", source: overlay},
	"calico-vxlan-crosssubnet": {ipip: "Never", vxlan: "CrossSubnet", source: overlay},
	"calico-ipip":              {ipip: "Always", vxlan: "Never", bird: true, source: overlay},
	"calico-ipip-crosssubnet":  {ipip: "CrossSubnet", vxlan: "Never", bird: true, source: overlay},
}

// PoolSpec returns what a mode, given its name in the catalogue, sets in the spec of
// the IPPool of a Kubernetes cluster, and calico-node's networking backend (Calico
// documentation, reference/resources/ippool and reference/configure-calico-node).
// The backend "bird" distributes the routes by BGP.
func PoolSpec(mode string) (spec map[string]string, backend string, err error) {
	p, ok := pools[mode]
	if !ok {
		return nil, "", fmt.Errorf("%s is not a mode of Calico", mode)
	}
	return map[string]string{"ipipMode": p.ipip, "vxlanMode": p.vxlan}, p.backend(), nil
}

// pool holds the differences between Calico's modes: the encapsulation of the IP
// pool, and whether BIRD distributes the routes.
type pool struct {
	ipip, vxlan string // Never, Always or CrossSubnet
	bird        bool
	source      plugins.Source
}

func (p pool) backend() string {
	if p.bird {
		return "bird"
	}
	return "vxlan"
}

func mode(name, title string, e plugins.Encapsulation, path words.Text, features []string, aliases ...string) *plugins.Plugin {
	p := pools[name]
	system := []string{"iptables", "ipset"}
	if p.bird {
		system = append(system, birdBinary)
	}
	return &plugins.Plugin{
		Name: name, Aliases: aliases, Title: title, Path: path,
		Encapsulation: e, Fidelity: plugins.Agent,
		Binaries: []string{nodeBinary, cniBinary, ipamBinary, etcd.Binary},
		System:   system,
		Features: append([]string{"veth"}, features...),
		Sources:  []plugins.Source{p.source},
		Deploy: func(ctx context.Context, n plugins.Network) (*plugins.Deployment, error) {
			return deploy(ctx, n, p)
		},
	}
}

// deploy starts etcd, and then on each node the programs that the calico/node
// container runs. Start-up creates the IP pool, so Felix knows the encapsulation
// from the beginning and need not restart because of it.
func deploy(ctx context.Context, n plugins.Network, p pool) (*plugins.Deployment, error) {
	store, err := etcd.Start(ctx, n.Control)
	if err != nil {
		return nil, err
	}
	tables, err := backend(ctx, n.Nodes[0])
	if err != nil {
		return nil, err
	}
	register := func(node plugins.Node) error {
		return register(ctx, node, environment(node, n, store, p, tables), p)
	}
	// The first node creates the objects of the whole cluster (the pool, the cluster's
	// identity). Several nodes would race for them, wait a second and try again.
	if err := plugins.OnAll(n.Nodes[:1], register); err != nil {
		return nil, err
	}
	if err := plugins.OnAll(n.Nodes[1:], register); err != nil {
		return nil, err
	}
	err = plugins.OnAll(n.Nodes, func(node plugins.Node) error {
		return startAgents(ctx, node, environment(node, n, store, p, tables), p)
	})
	if err != nil {
		return nil, err
	}
	return &plugins.Deployment{
		ConfList: func(node plugins.Node) ([]byte, error) { return confList(node, store) },
		Deny: func(ctx context.Context, d plugins.Denied) (func(context.Context) error, error) {
			return deny(ctx, store, d)
		},
	}, nil
}

// backend returns the kind of tables that Felix is to use, which is that of the
// node's iptables. Felix's own detection checks which tables have rules, and chooses
// the legacy ones on a fresh node.
func backend(ctx context.Context, node plugins.Node) (kind string, err error) {
	err = node.Do(func() error {
		said, err := exec.CommandContext(ctx, "iptables", "--version").Output()
		if err != nil {
			return fmt.Errorf("asking iptables on %s for its version: %w", node.Name(), err)
		}
		if kind = "Legacy"; strings.Contains(string(said), "nf_tables") {
			kind = "NFT"
		}
		return nil
	})
	return kind, err
}

// environment returns the environment variables that configure all of calico-node's
// programs (Calico documentation, reference/configure-calico-node and
// reference/felix/configuration).
func environment(node plugins.Node, n plugins.Network, store *etcd.Store, p pool, tables string) []string {
	return []string{
		"NODENAME=" + node.Name(),
		"IP=" + node.Addr().String(),
		"IP6=none",
		"DATASTORE_TYPE=etcdv3",
		"ETCD_ENDPOINTS=" + store.Endpoint,
		"CALICO_NETWORKING_BACKEND=" + p.backend(),
		"CALICO_IPV4POOL_CIDR=" + n.PodCIDR.String(),
		"CALICO_IPV4POOL_IPIP=" + p.ipip,
		"CALICO_IPV4POOL_VXLAN=" + p.vxlan,
		"CALICO_IPV4POOL_NAT_OUTGOING=false",
		"CALICO_MANAGE_CNI=false",
		"FELIX_DATASTORETYPE=etcdv3",
		"FELIX_ETCDENDPOINTS=" + store.Endpoint,
		"FELIX_FELIXHOSTNAME=" + node.Name(),
		"FELIX_LOGFILEPATH=none",
		"FELIX_LOGSEVERITYFILE=none",
		"FELIX_LOGSEVERITYSYS=none",
		"FELIX_LOGSEVERITYSCREEN=warning",
		"FELIX_USAGEREPORTINGENABLED=false",
		"FELIX_IPV6SUPPORT=false",
		"FELIX_XDPENABLED=false",
		"FELIX_BPFENABLED=false",
		"FELIX_IPTABLESBACKEND=" + tables,
		"FELIX_DEFAULTENDPOINTTOHOSTACTION=ACCEPT",
		"FELIX_AWSSRCDSTCHECK=DoNothing",
		"FELIX_HEALTHENABLED=true",
		"FELIX_HEALTHHOST=127.0.0.1",
	}
}

// register registers the node with Calico, with a tunnel address if the mode needs
// one.
func register(ctx context.Context, node plugins.Node, env []string, p pool) error {
	err := node.Do(func() error {
		for _, dir := range []string{"/run/calico", "/var/lib/calico", "/var/log/calico"} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("creating Calico's directories on %s: %w", node.Name(), err)
	}
	if err := node.Run(ctx, process(node, "startup", env, "-startup")); err != nil {
		return err
	}
	if p.vxlan == "Never" && p.ipip == "Never" {
		return nil
	}
	return node.Run(ctx, process(node, "tunnel-address", env, "-allocate-tunnel-addrs", "-allocate-tunnel-addrs-run-once"))
}

// startAgents starts the long-lived programs and waits until they are ready.
func startAgents(ctx context.Context, node plugins.Node, env []string, p pool) error {
	if err := node.Start(process(node, "felix", env, "-felix")); err != nil {
		return err
	}
	if p.bird {
		if err := startBGP(ctx, node, env); err != nil {
			return err
		}
	}
	client := plugins.HTTP(node)
	return plugins.Poll(ctx, "Felix on "+node.Name(), func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:9099/readiness", nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
}

func process(node plugins.Node, name string, env []string, args ...string) plugins.Process {
	return plugins.Process{Name: name, Path: node.Bin(nodeBinary), Args: args, Env: env}
}

// confList returns Calico's CNI configuration (Calico documentation,
// reference/configure-cni-plugins). Pods get the MTU that Felix determines.
func confList(node plugins.Node, store *etcd.Store) ([]byte, error) {
	list, err := json.Marshal(map[string]any{
		"cniVersion": "1.0.0",
		"name":       "k8s-pod-network",
		"plugins": []any{map[string]any{
			"type":           cniBinary,
			"datastore_type": "etcdv3",
			"etcd_endpoints": store.Endpoint,
			"nodename":       node.Name(),
			"log_level":      "warning",
			"log_file_path":  "/var/log/calico/cni.log",
			"ipam_lock_file": "/run/calico/ipam.lock",
			"ipam":           map[string]string{"type": ipamBinary},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the CNI configuration: %w", err)
	}
	return list, nil
}
