package results

import "strings"

// ControlSuffix marks the copy of the plugin that a run compares with itself.
const ControlSuffix = "+control"

// Pairs lists the networks to compare: every pair, with the baseline second, except that a
// control's copy is compared only with its original.
func Pairs(instances []string) [][2]string {
	var pairs [][2]string
	for i, a := range instances {
		for _, b := range instances[i+1:] {
			switch {
			case IsControl(a) || IsControl(b):
				if Original(a) == Original(b) {
					pairs = append(pairs, [2]string{b, a})
				}
			case a == HostPlugin:
				pairs = append(pairs, [2]string{b, a})
			default:
				pairs = append(pairs, [2]string{a, b})
			}
		}
	}
	return pairs
}

// Original returns the name of the plugin behind a network.
func Original(instance string) string { return strings.TrimSuffix(instance, ControlSuffix) }

// IsControl reports whether a network is a control's copy.
func IsControl(instance string) bool { return strings.HasSuffix(instance, ControlSuffix) }
