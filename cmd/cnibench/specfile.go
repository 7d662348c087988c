package main

import (
	"os"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
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
			if flagOf(v.Type().Field(i)) == name && !v.Field(i).IsZero() {
				return strings.ReplaceAll(name, "-", "_") + " in " + path
			}
		}
		return ""
	}
}

// keepFlags puts back what was said on the command line, which wins over a spec
// file: flags have the names of the spec's keys.
func keepFlags(cmd *cobra.Command, a *results.Asked, flagged results.Asked) {
	to, from := reflect.ValueOf(a).Elem(), reflect.ValueOf(flagged)
	for i := range to.NumField() {
		if cmd.Flags().Changed(flagOf(to.Type().Field(i))) {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// flagOf is the flag that says the same as a key of the spec file: max-rounds for
// max_rounds.
func flagOf(field reflect.StructField) string {
	key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return strings.ReplaceAll(key, "_", "-")
}
