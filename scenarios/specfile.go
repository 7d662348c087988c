package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
)

// maxSpec bounds a spec file in bytes; real ones have a few dozen lines.
const maxSpec = 1 << 16

// ReadSpec reads a spec file (YAML) over what is already asked. Unknown keys,
// wrong types and needs that no cluster can have are refused with the line.
func ReadSpec(text []byte, a *results.Asked) error {
	root, err := parse(text)
	if err != nil || root == nil {
		return err
	}
	if _, err := decode(root, a, "needs"); err != nil {
		return err
	}
	section := child(root, "needs")
	if section == nil {
		return nil
	}
	needs, err := decodeNeeds(section)
	a.Needs = needs
	return err
}

// ReadNeeds reads a file of needs: the section "needs" of a spec file, or its
// keys alone.
func ReadNeeds(text []byte) (*results.Needs, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return &results.Needs{}, nil
	}
	if child(root, "needs") == nil {
		return decodeNeeds(root)
	}
	var a results.Asked
	err = ReadSpec(text, &a)
	return a.Needs, err
}

// decodeNeeds reads and checks the needs at a node.
func decodeNeeds(node *yamlnode.Node) (*results.Needs, error) {
	var n results.Needs
	lines, err := decode(node, &n, "limits")
	if err != nil {
		return nil, err
	}
	if section := child(node, "limits"); section != nil {
		inner, err := decode(section, &n.Limits)
		if err != nil {
			return nil, err
		}
		maps.Copy(lines, inner)
	}
	for key, value := range map[string]int{"nodes": n.Nodes, "nodes_later": n.NodesLater, "pods_per_node": n.PodsPerNode, "node_prefix": n.NodePrefix} {
		if line, said := lines[key]; said && value == 0 {
			return nil, fmt.Errorf("line %d: %s: 0 is outside 1 to any number", line, key)
		}
	}
	err = CheckNeeds(n)
	var of *KeyError
	if errors.As(err, &of) {
		return nil, fmt.Errorf("line %d: %w", lines[of.Key], err)
	}
	return &n, err
}

// parse returns the mapping that a file holds, nil if it is empty.
func parse(text []byte) (*yamlnode.Node, error) {
	if len(text) > maxSpec {
		return nil, fmt.Errorf("the file is longer than %d bytes", maxSpec)
	}
	var document yamlnode.Node
	if err := yamlnode.Unmarshal(text, &document); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	root := document.Content[0]
	if root.Kind == yamlnode.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	return root, nil
}

// decode sets the fields of target, a pointer to a struct, by the keys of a
// mapping, each by itself so that an error can name its line. Keys in later
// are left to the caller. It returns the lines of the keys.
func decode(node *yamlnode.Node, target any, later ...string) (map[string]int, error) {
	if node.Kind != yamlnode.MappingNode {
		return nil, fmt.Errorf("line %d: keys with values are wanted here, such as \"nodes: 3\"", node.Line)
	}
	known := keys(target)
	lines := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := key.Value
		switch {
		case !slices.Contains(known, name):
			return nil, fmt.Errorf("line %d: there is no key %q; the nearest is %s", key.Line, name, catalogue.Nearest(name, known))
		case lines[name] != 0:
			return nil, fmt.Errorf("line %d: %s is given twice, first in line %d", key.Line, name, lines[name])
		}
		lines[name] = key.Line
		if slices.Contains(later, name) {
			continue
		}
		if err := set(target, key, value); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", key.Line, name, err)
		}
	}
	return lines, nil
}

// set decodes one key.
func set(target any, key, value *yamlnode.Node) error {
	if aliased(value) {
		return errors.New("anchors and aliases are not taken")
	}
	one, err := yamlnode.Marshal(&yamlnode.Node{Kind: yamlnode.MappingNode, Content: []*yamlnode.Node{key, value}})
	if err != nil {
		return err
	}
	err = yaml.UnmarshalStrict(one, target)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("takes a value of type %s, not a %s", kind.Type, kind.Value)
	case err != nil:
		_, cause, found := strings.Cut(err.Error(), "decoding JSON: ")
		if !found {
			return err
		}
		return errors.New(strings.TrimPrefix(cause, "json: "))
	}
	return nil
}

// aliased reports whether a node holds anchors or aliases, which cannot be
// decoded by themselves and can blow a small file up.
func aliased(node *yamlnode.Node) bool {
	return node.Kind == yamlnode.AliasNode || node.Anchor != "" || slices.ContainsFunc(node.Content, aliased)
}

// child is the value of a key of a mapping, nil if there is none or it is
// empty.
func child(node *yamlnode.Node, key string) *yamlnode.Node {
	if node.Kind != yamlnode.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if v := node.Content[i+1]; node.Content[i].Value == key && v.Tag != "!!null" {
			return v
		}
	}
	return nil
}

// keys lists the names that a struct has in JSON.
func keys(target any) []string {
	var names []string
	t := reflect.TypeOf(target).Elem()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
