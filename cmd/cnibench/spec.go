package main

import (
	"os"
	"reflect"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

// readSpec reads a spec file of a run; keys that it does not know are refused.
func readSpec(path string, a *results.Asked) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return usage("reading the spec: %v", err)
	}
	if err := scenarios.ReadSpec(text, a); err != nil {
		return usage("reading the spec %s: %s", path, oneLine(err))
	}
	return nil
}

// oneLine is an error that a library may have written on several.
func oneLine(err error) string {
	return strings.Join(strings.Fields(results.Printable(err.Error())), " ")
}

// said is where a person has set something: "--topology", or "topology in
// spec.yaml"; "" if nobody has.
type said func(name string) string

// saidBy looks at flags, and at what a spec file says by itself.
func saidBy(f *pflag.FlagSet, path string, spec results.Asked) said {
	return func(name string) string {
		if f.Changed(name) {
			return "--" + name
		}
		v := reflect.ValueOf(spec)
		for i := range v.NumField() {
			if key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); key == name && !v.Field(i).IsZero() {
				return name + " in " + path
			}
		}
		return ""
	}
}
