package scenarios

import (
	"errors"
	"fmt"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/spec"
)

// ReadSpec reads a spec file (YAML) on top of what is already requested. It rejects unknown keys,
// values of the wrong type and needs that no cluster can have, naming the line.
func ReadSpec(text []byte, a *results.Asked) error {
	lines, err := spec.Read(text, a)
	if err != nil || a.Needs == nil {
		return err
	}
	return checkNeedsAt(*a.Needs, lines, "needs.")
}

// ReadNeeds reads a file of needs: the "needs" section of a spec file, or only the keys of that
// section.
func ReadNeeds(text []byte) (*results.Needs, error) {
	if spec.Has(text, "needs") {
		var a results.Asked
		if err := ReadSpec(text, &a); err != nil {
			return nil, err
		}
		return a.Needs, nil
	}
	var n results.Needs
	lines, err := spec.Read(text, &n)
	if err != nil {
		return nil, err
	}
	return &n, checkNeedsAt(n, lines, "")
}

// checkNeedsAt checks needs and adds line numbers to errors; at is the path of their section.
func checkNeedsAt(n results.Needs, lines spec.Lines, at string) error {
	for key, value := range map[string]int{"nodes": n.Nodes, "nodes_later": n.NodesLater, "pods_per_node": n.PodsPerNode, "node_prefix": n.NodePrefix} {
		if line, said := lines[at+key]; said && value == 0 {
			return fmt.Errorf("line %d: %s: 0 must be at least 1", line, key)
		}
	}
	err := CheckNeeds(n)
	var of *KeyError
	if errors.As(err, &of) {
		return fmt.Errorf("line %d: %w", max(lines[at+of.Key], lines[at+"limits."+of.Key]), err)
	}
	return err
}
