package plugins

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ConfList encodes a CNI network configuration list (CNI specification 1.0,
// section 1) of the given plugins' configurations.
func ConfList(name string, chain ...map[string]any) ([]byte, error) {
	list, err := json.Marshal(map[string]any{"cniVersion": "1.0.0", "name": name, "plugins": chain})
	if err != nil {
		return nil, fmt.Errorf("encoding the CNI configuration: %w", err)
	}
	return list, nil
}

// BridgeConf puts pods on a bridge of their node, with addresses from the
// node's subnet and a default route through it.
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

// OneAddress is the IPAM configuration that gives a pod one known address:
// the reference plugin host-local with a range of that address alone.
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

// OnLinkConf is [DeviceConf] with a gateway outside of the address's subnet,
// that the interface's own link reaches.
func OnLinkConf(name, device string, addr netip.Prefix, gateway netip.Addr) ([]byte, error) {
	ipam := OneAddress(addr, gateway)
	ipam["routes"] = []any{
		// 0.0.0.0 is no gateway; scope link (rtnetlink(7)).
		map[string]any{"dst": netip.PrefixFrom(gateway, gateway.BitLen()).String(), "gw": "0.0.0.0", "scope": unix.RT_SCOPE_LINK},
		map[string]any{"dst": "0.0.0.0/0", "gw": gateway.String()},
	}
	return ConfList(name, map[string]any{"type": "host-device", "device": device, "ipam": ipam})
}

// DeviceConf moves an interface of the node into the pod, by the reference
// plugin host-device, and gives it its address.
func DeviceConf(name, device string, addr netip.Prefix, gateway netip.Addr) ([]byte, error) {
	return ConfList(name, map[string]any{"type": "host-device", "device": device, "ipam": OneAddress(addr, gateway)})
}
