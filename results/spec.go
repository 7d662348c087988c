package results

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

// UnknownKeyError is a key of a spec file that nothing reads.
type UnknownKeyError struct {
	Line  int
	Key   string
	Known []string // the keys that may stand there
}

func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("line %d: there is no key %q (there are %s)", e.Line, e.Key, strings.Join(e.Known, ", "))
}

// ReadSpec reads YAML that a person wrote into a struct with json tags. What
// the struct has no place for is refused with its line: an [*UnknownKeyError]
// for a key. Fields that the text does not name keep their values.
func ReadSpec(text []byte, into any) error {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("reading YAML: %w", err)
	}
	for _, node := range document.Content {
		if err := checkNode(node, reflect.TypeOf(into)); err != nil {
			return err
		}
	}
	if err := sigs.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("reading the spec: %w", err)
	}
	return nil
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// checkNode holds a node against the type that it is read into. Aliases are
// left to the reader.
func checkNode(node *yaml.Node, into reflect.Type) error {
	for into.Kind() == reflect.Pointer && !into.Implements(unmarshaler) {
		into = into.Elem()
	}
	if into.Implements(unmarshaler) || node.Kind == yaml.AliasNode || node.Tag == "!!null" {
		return nil
	}
	switch into.Kind() {
	case reflect.Struct:
		return checkMapping(node, into)
	case reflect.Slice:
		if node.Kind != yaml.SequenceNode {
			return fmt.Errorf("line %d: a list is needed here", node.Line)
		}
		for _, item := range node.Content {
			if err := checkNode(item, into.Elem()); err != nil {
				return err
			}
		}
		return nil
	case reflect.Interface:
		return nil
	}
	if node.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: a single value is needed here", node.Line)
	}
	if err := node.Decode(reflect.New(into).Interface()); err != nil {
		return fmt.Errorf("line %d: %q is no %s", node.Line, Printable(node.Value), kindName(into.Kind()))
	}
	return nil
}

// checkMapping holds the keys of a mapping against the fields of a struct.
func checkMapping(node *yaml.Node, into reflect.Type) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: keys with values are needed here", node.Line)
	}
	fields := map[string]reflect.Type{}
	var known []string
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = into.Field(i).Type
			known = append(known, name)
		}
	}
	var seen []string
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		field, ok := fields[key.Value]
		switch {
		case !ok:
			return &UnknownKeyError{Line: key.Line, Key: Printable(key.Value), Known: known}
		case slices.Contains(seen, key.Value):
			return fmt.Errorf("line %d: the key %q is there twice", key.Line, key.Value)
		}
		seen = append(seen, key.Value)
		if err := checkNode(node.Content[i+1], field); err != nil {
			return err
		}
	}
	return nil
}

func kindName(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "whole number"
	case reflect.Float64:
		return "number"
	}
	return "text"
}
