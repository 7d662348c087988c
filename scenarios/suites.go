package scenarios

import "slices"

// The names of groups of probes, which may stand where names of probes do.
const (
	GroupStandard = "standard" // the default probes
	GroupPaths    = "paths"    // the paths that applications use on a cluster
)

// Groups lists the names of the groups.
var Groups = []string{GroupStandard, GroupPaths}

// LabSuite lists the default probes of a run in the lab with a number of nodes.
func LabSuite(nodes int) []string {
	return surveyed(nodes, "tcp-stream", "tcp-rr", "mtu", "encap", "adjacency", "reach", "policy", "path")
}

// surveyed adds the survey to a suite. Of two nodes, the other facts tell the same.
func surveyed(nodes int, suite ...string) []string {
	if nodes <= 2 {
		return suite
	}
	return append(suite, "survey")
}

// ClusterSuite lists the default probes of a run on a number of a cluster's nodes. Of the paths that
// applications use, it has the two that almost every one of them does; the others would
// double the time of a run.
func ClusterSuite(nodes int) []string {
	return surveyed(nodes, "tcp-stream", "tcp-stream:reverse", "tcp-rr", "mtu", "encap", "reach", "policy", "service", "dns")
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
