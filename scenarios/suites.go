package scenarios

import "slices"

// The names of groups of probes, which may stand where names of probes do.
const (
	GroupStandard = "standard" // the default probes
	GroupPaths    = "paths"    // the paths that applications use on a cluster
)

// Groups lists the names of the groups.
var Groups = []string{GroupStandard, GroupPaths}

// LabSuite lists the default probes of a run in the lab.
func LabSuite() []string {
	return []string{"tcp-stream", "tcp-rr", "mtu", "encap", "adjacency", "reach", "policy", "path"}
}

// ClusterSuite lists the default probes of a run on a cluster. Of the paths that
// applications use, it has the two that almost every one of them does; the others would
// double the time of a run.
func ClusterSuite() []string {
	return []string{"tcp-stream", "tcp-stream:reverse", "tcp-rr", "mtu", "encap", "reach", "policy", "service", "dns"}
}

// PathProbes lists the probes of the paths that applications use.
func PathProbes() []string {
	return []string{"service", "node-port", "node-port:own", "pod-to-host", "host-to-pod", "hairpin", "dns"}
}

// ExpandGroups replaces the names of groups by those of their probes; suite is the
// standard group. A probe that several groups have is listed once.
func ExpandGroups(names, suite []string) []string {
	groups := map[string][]string{GroupStandard: suite, GroupPaths: PathProbes()}
	var all []string
	for _, name := range names {
		members, group := groups[name]
		if !group {
			all = append(all, name) // twice if it is named twice, which is rejected later
		}
		for _, m := range members {
			if !slices.Contains(all, m) && !slices.Contains(names, m) {
				all = append(all, m)
			}
		}
	}
	return all
}
