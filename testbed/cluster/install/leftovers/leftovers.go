// Package leftovers takes stock of what network plugins change on a node, and
// removes what was not there before. It runs on the node, in its network
// namespace, and needs no other program.
package leftovers

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Kind is a kind of thing that a plugin leaves on a node.
type Kind string

// The kinds, in the order of their removal: what uses another thing goes first.
const (
	Rule    Kind = "nftables rule"
	Chain   Kind = "nftables chain"
	Table   Kind = "nftables table"
	Set     Kind = "IP set"
	Policy  Kind = "routing rule"
	Route   Kind = "route"
	Address Kind = "address"
	Device  Kind = "device"
	File    Kind = "file"
	// Sysctl is only listed: the value before may have been the wrong one.
	Sysctl Kind = "sysctl"
)

// Item is something that a plugin may leave on a node.
type Item struct {
	Kind Kind `json:"kind"`
	// Name identifies the item among those of its kind, as a person reads it.
	Name string `json:"name"`
	// In is the item that this one goes with, such as a route's device; its Name is
	// "" if there is none.
	In Owner `json:"in,omitzero"`
	// To is what a route leads to, as a prefix, and what a rule jumps to.
	To string `json:"to,omitempty"`
	// Comment is that of a rule of iptables.
	Comment string `json:"comment,omitempty"`
	// Empty says that a table or a chain holds no rules.
	Empty bool `json:"empty,omitempty"`
}

// Owner identifies an item that others go with.
type Owner struct {
	Kind Kind   `json:"kind,omitempty"`
	Name string `json:"name,omitempty"`
}

func (i Item) id() Owner { return Owner{i.Kind, i.Name} }

// String returns the item as a person reads it.
func (i Item) String() string { return string(i.Kind) + " " + i.Name }

// State is what is on a node.
type State struct {
	Items []Item `json:"items"`
	// Sysctls holds the values below net.ipv4.conf, except for those of pods' devices.
	Sysctls map[string]string `json:"sysctls,omitempty"`
	// Legacy lists the tables of iptables that only the program iptables-legacy can
	// read, as "nat (ip)".
	Legacy []string `json:"legacy,omitempty"`
	// Unseen says what could not be looked at, and why.
	Unseen []string `json:"unseen,omitempty"`
}

// thing is an item together with what removes it; remove is nil if nothing can.
type thing struct {
	Item
	remove func() error
}

// Node is the node as this process sees it.
type Node struct {
	// Root is the directory in which the node's directories are mounted under their
	// own paths, such as /host for /host/etc/cni/net.d.
	Root string
	// Folders are further directories of plugins, whose existence is noted.
	Folders []string
}

// Take takes stock of the node.
func (n Node) Take() State {
	var s State
	for _, of := range n.looks() {
		found, err := of.look()
		if err != nil {
			s.Unseen = append(s.Unseen, fmt.Sprintf("%s: %v", of.what, err))
		}
		for _, t := range found {
			s.Items = append(s.Items, t.Item)
		}
	}
	s.Sysctls, s.Legacy = sysctls(), legacyTables()
	for _, f := range n.Folders {
		if !n.mounted(f) {
			s.Unseen = append(s.Unseen, f+": outside of the folders that are looked at")
		}
	}
	return s
}

// look is a way to find items.
type look struct {
	what string
	look func() ([]thing, error)
}

func (n Node) looks() []look {
	return []look{{"nftables", nftables}, {"IP sets", sets}, {"routing rules", policies}, {"routes", routes},
		{"addresses", addresses}, {"devices", devices}, {"files", n.files}}
}

// Remove removes what is on the node and was not before, as far as the caller
// wants each item removed. If an item cannot be removed, the others still are.
func (n Node) Remove(before State, wanted func(Item) bool) error {
	var errs []error
	for _, of := range n.looks() {
		found, err := of.look()
		if err != nil {
			continue // Take says so
		}
		found = slices.DeleteFunc(found, func(t thing) bool { return before.has(t.id()) || !wanted(t.Item) })
		if of.what == "nftables" {
			errs = append(errs, removeTables(found))
			continue
		}
		for _, t := range found {
			if t.remove == nil {
				continue
			}
			if err := t.remove(); err != nil && !gone(err) {
				errs = append(errs, fmt.Errorf("removing the %s: %w", t, err))
			}
		}
	}
	return errors.Join(errs...)
}

func (s State) has(o Owner) bool {
	return slices.ContainsFunc(s.Items, func(i Item) bool { return i.id() == o })
}

// Compare returns what is there after and was not before. What goes with another
// new item is left out. Unseen says what the comparison cannot show.
func Compare(before, after State) (left []Item, unseen []string) {
	known := map[Owner]bool{}
	for _, i := range before.Items {
		known[i.id()] = true
	}
	fresh := map[Owner]bool{}
	for _, i := range after.Items {
		if !known[i.id()] {
			fresh[i.id()] = true
		}
	}
	for _, i := range after.Items {
		if fresh[i.id()] && !fresh[i.In] {
			left = append(left, i)
		}
	}
	for name, value := range after.Sysctls {
		if was, is := before.Sysctls[name]; is && was != value {
			left = append(left, Item{Kind: Sysctl, Name: fmt.Sprintf("%s = %s (was %s)", name, value, was)})
		}
	}
	slices.SortFunc(left, func(a, b Item) int { return strings.Compare(a.String(), b.String()) })
	unseen = slices.Clone(after.Unseen)
	legacy := slices.DeleteFunc(slices.Clone(after.Legacy), func(t string) bool { return slices.Contains(before.Legacy, t) })
	if len(legacy) > 0 {
		unseen = append(unseen, "chains in the legacy tables of iptables "+strings.Join(legacy, ", ")+": only the program iptables-legacy can list them")
	}
	return left, unseen
}

// gone reports whether an item could not be removed because it is not there.
func gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, errNoSuchProcess) || errors.Is(err, errNoDevice)
}
