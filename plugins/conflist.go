package plugins

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ConfList encodes the configurations of a chain of plugins as a CNI network
// configuration list (CNI specification 1.0, section 1).
func ConfList(name string, chain ...map[string]any) ([]byte, error) {
	list, err := json.Marshal(map[string]any{"cniVersion": "1.0.0", "name": name, "plugins": chain})
	if err != nil {
		return nil, fmt.Errorf("encoding the CNI configuration: %w", err)
	}
	return list, nil
}

// BridgeConf returns a configuration that puts pods on a bridge of their node, with
// addresses from the node's subnet and a default route through the bridge.
func BridgeConf(name string, mtu int, subnet netip.Prefix) ([]byte, error) {
	return ConfList(name, map[string]any{
		"type": "bridge", "bridge": "cni0", "mtu": mtu,
		"isGateway": true, "isDefaultGateway": true, "hairpinMode": true, "ipMasq": false,
		"ipam": map[string]any{
			"type":   "host-local",
			"ranges": [][]any{{map[string]string{"subnet": subnet.Masked().String()}}},
		},
	})
}

// OneAddress returns an IPAM configuration that gives a pod a known address. It
// uses the reference plugin host-local with a range of only that address.
func OneAddress(addr netip.Prefix, gateway netip.Addr) map[string]any {
	return map[string]any{
		"type": "host-local",
		"ranges": [][]any{{map[string]string{
			"subnet": addr.Masked().String(), "rangeStart": addr.Addr().String(), "rangeEnd": addr.Addr().String(),
			"gateway": gateway.String(),
		}}},
		"routes": []any{map[string]string{"dst": "0.0.0.0/0"}},
	}
}

// OnLinkConf is like [DeviceConf], but for a gateway outside the address's subnet
// that is on the interface's link.
func OnLinkConf(name, device string, addr netip.Prefix, gateway netip.Addr) ([]byte, error) {
	ipam := OneAddress(addr, gateway)
	ipam["routes"] = []any{
		// 0.0.0.0 means no gateway; scope link (rtnetlink(7)).
		map[string]any{"dst": netip.PrefixFrom(gateway, gateway.BitLen()).String(), "gw": "0.0.0.0", "scope": unix.RT_SCOPE_LINK},
		map[string]any{"dst": "0.0.0.0/0", "gw": gateway.String()},
	}
	return ConfList(name, map[string]any{"type": "host-device", "device": device, "ipam": ipam})
}

// DeviceConf returns a configuration that moves an interface of the node into the
// pod, with the reference plugin host-device, and assigns its address.
func DeviceConf(name, device string, addr netip.Prefix, gateway netip.Addr) ([]byte, error) {
	return ConfList(name, map[string]any{"type": "host-device", "device": device, "ipam": OneAddress(addr, gateway)})
}
