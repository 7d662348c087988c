package results

import "strings"

// ControlSuffix marks the second network of the plugin that a run compares
// with itself.
const ControlSuffix = "+control"

// Pairs lists which networks are compared: every two, the baseline as the
// second one, and a control's copy with its original alone.
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

// Original is the name of the plugin behind a network.
func Original(instance string) string { return strings.TrimSuffix(instance, ControlSuffix) }

// IsControl reports whether a network is a control's copy.
func IsControl(instance string) bool { return strings.HasSuffix(instance, ControlSuffix) }
