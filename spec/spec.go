// Package spec reads YAML files written by users. It is strict and names the line of every error.
package spec

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/plugins/catalogue"
)

// maxLength is the maximum size of a file in bytes; real ones have a few dozen lines.
const maxLength = 1 << 16

// Lines maps the path of each key of a file, such as "needs.limits.adapters", to its line. Keys
// inside lists are not included.
type Lines map[string]int

// Read reads a file into a struct with json tags. It rejects unknown keys, duplicate keys, values
// of the wrong type, anchors and aliases, naming the line. Fields that the file does not set keep
// their values.
func Read(text []byte, into any) (Lines, error) {
	root, err := parse(text)
	if err != nil || root == nil {
		return Lines{}, err
	}
	if aliased := find(root, func(n *yamlnode.Node) bool { return n.Kind == yamlnode.AliasNode || n.Anchor != "" }); aliased != nil {
		return nil, fmt.Errorf("line %d: anchors and aliases are not supported", aliased.Line)
	}
	lines := Lines{}
	if err := lines.check(root, reflect.TypeOf(into), ""); err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	return lines, nil
}

// Has reports whether a file has a top-level key with a value.
func Has(text []byte, key string) bool {
	root, err := parse(text)
	if err != nil || root == nil || root.Kind != yamlnode.MappingNode {
		return false
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == key && !null(root.Content[i+1]) {
			return true
		}
	}
	return false
}

// parse returns the root node of a file, or nil if the file is empty.
func parse(text []byte) (*yamlnode.Node, error) {
	if len(text) > maxLength {
		return nil, fmt.Errorf("the file is longer than %d bytes", maxLength)
	}
	var document yamlnode.Node
	if err := yamlnode.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("reading YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 || null(document.Content[0]) {
		return nil, nil
	}
	return document.Content[0], nil
}

func null(n *yamlnode.Node) bool { return n.Kind == yamlnode.ScalarNode && n.Tag == "!!null" }

// find returns the first node that satisfies is, or nil if there is none.
func find(n *yamlnode.Node, is func(*yamlnode.Node) bool) *yamlnode.Node {
	if is(n) {
		return n
	}
	for _, c := range n.Content {
		if found := find(c, is); found != nil {
			return found
		}
	}
	return nil
}

// check checks a node against the type that it is read into.
func (l Lines) check(n *yamlnode.Node, into reflect.Type, path string) error {
	for into.Kind() == reflect.Pointer {
		into = into.Elem()
	}
	switch {
	case null(n):
		return nil
	case decodesItself(into), into.Kind() == reflect.Map:
		return alone(n, into, path)
	case into.Kind() == reflect.Struct:
		return l.checkKeys(n, into, path)
	case into.Kind() == reflect.Slice:
		if n.Kind != yamlnode.SequenceNode {
			return fmt.Errorf("line %d: %smust be a list", n.Line, named(path))
		}
		for _, item := range n.Content {
			if err := (Lines{}).check(item, into.Elem(), path); err != nil {
				return err
			}
		}
		return nil
	case n.Kind != yamlnode.ScalarNode && into.Kind() != reflect.Interface:
		return fmt.Errorf("line %d: %smust be a single value", n.Line, named(path))
	}
	return alone(n, into, path)
}

// checkKeys checks the keys of a mapping against the fields of a struct.
func (l Lines) checkKeys(n *yamlnode.Node, into reflect.Type, path string) error {
	if n.Kind != yamlnode.MappingNode {
		return fmt.Errorf("line %d: %smust be a mapping of keys to values", n.Line, named(path))
	}
	fields, known := fieldsOf(into)
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		field, ok := fields[key.Value]
		switch {
		case !ok:
			return fmt.Errorf("line %d: there is no key %q; did you mean %s? (there are %s)", key.Line, key.Value, catalogue.Nearest(key.Value, known), strings.Join(known, ", "))
		case seen[key.Value] != 0:
			return fmt.Errorf("line %d: %s is given twice, first in line %d", key.Line, key.Value, seen[key.Value])
		}
		seen[key.Value] = key.Line
		below := strings.TrimPrefix(path+"."+key.Value, ".")
		l[below] = key.Line
		if err := l.check(n.Content[i+1], field, below); err != nil {
			return err
		}
	}
	return nil
}

// fieldsOf returns the fields of a struct by their JSON names, and those names in order.
func fieldsOf(of reflect.Type) (fields map[string]reflect.Type, names []string) {
	fields = map[string]reflect.Type{}
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = of.Field(i).Type
			names = append(names, name)
		}
	}
	return fields, names
}

var decoders = []reflect.Type{reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()}

func decodesItself(t reflect.Type) bool {
	return slices.ContainsFunc(decoders, func(d reflect.Type) bool { return reflect.PointerTo(t).Implements(d) })
}

// alone decodes a single value on its own, so that an error can name its line.
func alone(n *yamlnode.Node, into reflect.Type, path string) error {
	text, err := yamlnode.Marshal(n)
	if err != nil {
		return fmt.Errorf("line %d: %s%w", n.Line, named(path), err)
	}
	err = yaml.UnmarshalStrict(text, reflect.New(into).Interface())
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		return fmt.Errorf("line %d: %stakes a value of type %s, not a %s", n.Line, named(path), kind.Type, kind.Value)
	}
	_, cause, found := strings.Cut(err.Error(), "decoding JSON: ")
	if !found {
		cause = err.Error()
	}
	return fmt.Errorf("line %d: %s%s", n.Line, named(path), strings.TrimPrefix(cause, "json: "))
}

// named returns the last key of a path as the prefix of an error about its value.
func named(path string) string {
	if path == "" {
		return ""
	}
	return path[strings.LastIndex(path, ".")+1:] + ": "
}
