package main

import (
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins"
)

// TestUnsupportedIsCalledSo checks the messages for kernels that lack features, including how to
// fix that.
func TestUnsupportedIsCalledSo(t *testing.T) {
	lacks := map[string]string{"ipip": "kernel lacks ipip", "wireguard": "kernel lacks wireguard"}
	locked := map[string]string{"tun": "tun cannot be used here: may be opened by root only"}
	for _, tt := range []struct {
		name     string
		kernels  kernelSupport
		features []string
		want     string // beginning of the message
		says     string
	}{
		{"all is there", kernelSupport{machine: lacks}, []string{"vxlan"}, "yes", ""},
		{"User-Mode Linux has it", kernelSupport{lacks, map[string]string{"wireguard": "kernel lacks wireguard"}}, []string{"ipip"}, "in User-Mode Linux", ""},
		{"User-Mode Linux lacks it too", kernelSupport{lacks, lacks}, []string{"wireguard"}, "unsupported: kernel lacks wireguard (sudo modprobe wireguard, or boot a kernel built with CONFIG_WIREGUARD)", "User-Mode Linux lacks it too"},
		{"each kernel lacks another feature", kernelSupport{lacks, map[string]string{"wireguard": "kernel lacks wireguard"}}, []string{"ipip", "wireguard"}, "unsupported: kernel lacks ipip (sudo modprobe ipip", ""},
		{"no other kernel", kernelSupport{machine: lacks}, []string{"ipip"}, "unsupported: kernel lacks ipip (sudo modprobe ipip, or boot a kernel built with CONFIG_NET_IPIP)", ""},
		{"a feature that only root may use", kernelSupport{machine: locked}, []string{"tun"}, "unsupported: tun cannot be used here: may be opened by root only", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.kernels.availability("", &plugins.Plugin{Name: "p", Features: tt.features})
			if !strings.HasPrefix(got, tt.want) || !strings.Contains(got, tt.says) {
				t.Errorf("%q", got)
			}
		})
	}
}
