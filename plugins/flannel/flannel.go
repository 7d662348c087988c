// Package flannel deploys flannel on nodes: flanneld with etcd. The reference bridge
// plugin connects the pods, configured as flannel's own CNI plugin delegates to it.
package flannel

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/etcd"
	"github.com/cnibench/cnibench/words"
)

// SubnetFile is where flanneld writes the subnet of its node by default.
const SubnetFile = "/run/flannel/subnet.env"

const (
	configKey = "/coreos.com/network/config" // flanneld's default prefix

	daemon = "flanneld"
)

var documented = plugins.Source{What: "flannel v0.28.10 Documentation/backends.md", Date: "2026-11-23"}

// Modes returns flannel's backends.
func Modes() []*plugins.Plugin {
	return []*plugins.Plugin{
		mode("flannel-vxlan", "flannel, VXLAN in the kernel", plugins.FlannelVXLAN,
			plugins.Path("pod eth0", "veth", "bridge cni0", "flannel.1 (VXLAN)", "NIC"), []string{"vxlan"}, "flannel"),
		mode("flannel-vxlan-directrouting", "flannel, VXLAN between subnets and plain routes inside one", plugins.FlannelVXLAN.BetweenSubnets(),
			plugins.Path("pod eth0", "veth", "bridge cni0", words.OnSameSubnetRoute.With("flannel.1 (VXLAN)"), "NIC"), []string{"vxlan"}),
		mode("flannel-host-gw", "flannel, plain routes to the other nodes", plugins.None,
			plugins.Path("pod eth0", "veth", "bridge cni0", words.RouteViaOtherNode, "NIC"), nil),
		mode("flannel-udp", "flannel, encapsulation in user space", plugins.FlannelUDP,
			plugins.Path("pod eth0", "veth", "bridge cni0", "TUN flannel0", words.Aside(words.Quote("flanneld"), words.UserSpace), words.UDPSocket, "NIC"), []string{"tun"}),
		mode("flannel-ipip", "flannel, IP in IP", plugins.IPIP,
			plugins.Path("pod eth0", "veth", "bridge cni0", "flannel.ipip (IP in IP)", "NIC"), []string{"ipip"}),
		mode("flannel-wireguard", "flannel, encrypted by WireGuard", plugins.WireGuard,
			plugins.Path("pod eth0", "veth", "bridge cni0", "flannel-wg (WireGuard)", "NIC"), []string{"wireguard"}),
	}
}

// backends maps modes to backends in flannel's network configuration.
var backends = map[string]backend{
	"flannel-vxlan":               {Type: "vxlan"},
	"flannel-vxlan-directrouting": {Type: "vxlan", DirectRouting: true},
	"flannel-host-gw":             {Type: "host-gw"},
	"flannel-udp":                 {Type: "udp"},
	"flannel-ipip":                {Type: "ipip"},
	"flannel-wireguard":           {Type: "wireguard"},
}

// backend is the part of flannel's network configuration that differs between
// modes.
type backend struct {
	Type          string
	DirectRouting bool `json:",omitempty"`
}

func mode(name, title string, e plugins.Encapsulation, path words.Text, features []string, aliases ...string) *plugins.Plugin {
	return &plugins.Plugin{
		Name: name, Aliases: aliases, Title: title, Path: path,
		Encapsulation: e, Fidelity: plugins.Agent,
		Binaries: []string{daemon, etcd.Binary, "bridge", "host-local"},
		System:   []string{"iptables"},
		Features: append([]string{"bridge", "veth"}, features...),
		Sources:  []plugins.Source{documented},
		Deploy: func(ctx context.Context, n plugins.Network) (*plugins.Deployment, error) {
			return deploy(ctx, n, backends[name])
		},
	}
}

// deploy starts etcd and a flanneld on each node, and waits until each has
// its subnet.
func deploy(ctx context.Context, n plugins.Network, b backend) (*plugins.Deployment, error) {
	store, err := etcd.Start(ctx, n.Control)
	if err != nil {
		return nil, err
	}
	config, err := netConf(n.PodCIDR, 24, b)
	if err != nil {
		return nil, err
	}
	if err := store.Put(ctx, configKey, string(config)); err != nil {
		return nil, err
	}
	for _, node := range n.Nodes {
		err := node.Start(plugins.Process{Name: daemon, Path: node.Bin(daemon), Args: []string{
			"-etcd-endpoints", store.Endpoint,
			"-iface", node.NIC(),
			"-subnet-file", SubnetFile,
			"-ip-masq=false",
		}})
		if err != nil {
			return nil, err
		}
	}
	leases := map[string]lease{}
	for _, node := range n.Nodes {
		err := plugins.Poll(ctx, "flanneld's subnet on "+node.Name(), func() error {
			l, err := readLease(node)
			leases[node.Name()] = l
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return &plugins.Deployment{ConfList: func(node plugins.Node) ([]byte, error) {
		return confList(leases[node.Name()])
	}}, nil
}

// netConf returns flannel's network configuration (flannel Documentation/configuration.md).
// subnetLen is the prefix length of a node's subnet, or 0 if the cluster assigns the
// subnets.
func netConf(network netip.Prefix, subnetLen int, b backend) ([]byte, error) {
	config := map[string]any{"Network": network.String(), "Backend": b}
	if subnetLen > 0 {
		config["SubnetLen"] = subnetLen
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("encoding flannel's network configuration: %w", err)
	}
	return text, nil
}

// NetConf returns the net-conf.json of a mode, given its name in the catalogue, for a
// Kubernetes cluster whose pods have addresses in network.
func NetConf(mode string, network netip.Prefix) ([]byte, error) {
	b, ok := backends[mode]
	if !ok {
		return nil, fmt.Errorf("%s is not a mode of flannel", mode)
	}
	return netConf(network, 0, b)
}

// ConfList returns the CNI configuration for a node, given the text of the subnet file
// that its flanneld has written.
func ConfList(text string) ([]byte, error) {
	l, err := parseLease(text)
	if err != nil {
		return nil, err
	}
	return confList(l)
}

func readLease(node plugins.Node) (l lease, err error) {
	err = node.Do(func() error {
		text, err := os.ReadFile(SubnetFile)
		if err != nil {
			return err
		}
		l, err = parseLease(string(text))
		return err
	})
	return l, err
}

// confList returns the configuration that flannel's CNI plugin derives from the subnet
// file: the bridge plugin with host-local addresses from the node's subnet
// (flannel-io/cni-plugin README, "Runtime delegation").
func confList(l lease) ([]byte, error) {
	list, err := json.Marshal(map[string]any{
		"cniVersion": "1.0.0",
		"name":       "cbr0",
		"plugins": []any{map[string]any{
			"type":             "bridge",
			"bridge":           "cni0",
			"mtu":              l.mtu,
			"isGateway":        true,
			"isDefaultGateway": true,
			"hairpinMode":      true,
			"ipMasq":           false,
			"ipam": map[string]any{
				"type":   "host-local",
				"ranges": [][]any{{map[string]string{"subnet": l.subnet.Masked().String()}}},
				"routes": []any{map[string]string{"dst": l.network.String()}},
			},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the CNI configuration: %w", err)
	}
	return list, nil
}
