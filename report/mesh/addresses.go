package mesh

import (
	"net/netip"
	"slices"

	"github.com/cnibench/cnibench/results"
)

// Address is what is wrong with the addresses of pods.
type Address struct {
	Kind AddressKind `json:"kind"`
	// Pod is the address, and Nodes the nodes on which a pod has it.
	Pod   string   `json:"pod"`
	Nodes []string `json:"nodes"`
	// Expected is the range that it should be from, or the address that the pod was given.
	Expected string `json:"expected,omitempty"`
}

// AddressKind is what is wrong with an address.
type AddressKind string

// Kinds of wrong addresses.
const (
	Duplicate  AddressKind = "duplicate"  // pods on several nodes have it
	OutOfRange AddressKind = "range"      // it is not from the range that it should be from
	NotGiven   AddressKind = "unassigned" // the pod was given another one
)

// Addresses returns what is wrong with the addresses of a survey's pods.
func Addresses(s *results.Survey) []Address {
	var all []Address
	for i, n := range s.Nodes {
		if n.Pod == "" {
			continue
		}
		same := []string{n.Name}
		for _, o := range s.Nodes[i+1:] {
			if o.Pod == n.Pod {
				same = append(same, o.Name)
			}
		}
		known := slices.ContainsFunc(all, func(a Address) bool { return a.Kind == Duplicate && a.Pod == n.Pod })
		if len(same) > 1 && !known {
			all = append(all, Address{Kind: Duplicate, Pod: n.Pod, Nodes: same})
		}
	}
	for _, n := range s.Nodes {
		if n.Assigned != "" {
			all = append(all, Address{Kind: NotGiven, Pod: n.Pod, Nodes: []string{n.Name}, Expected: n.Assigned})
		}
		if n.Pod != "" && n.Range != "" && outside(n.Pod, n.Range) {
			all = append(all, Address{Kind: OutOfRange, Pod: n.Pod, Nodes: []string{n.Name}, Expected: n.Range})
		}
	}
	return all
}

// outside reports whether an address is known to be outside a range.
func outside(addr, of string) bool {
	a, err := netip.ParseAddr(addr)
	r, unread := netip.ParsePrefix(of)
	return err == nil && unread == nil && !r.Contains(a)
}
