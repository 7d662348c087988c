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

// readSpec reads a run's spec file and rejects unknown keys.
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

// oneLine returns the message of an error, which a library may have spread over several lines, on
// one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(results.Printable(err.Error())), " ")
}

// said returns where the user set an option: "--topology", or "topology in spec.yaml"; "" if
// nowhere.
type said func(name string) string

// saidBy checks flags, and the spec file's own values.
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

// keepFlags restores the command line's values, which take precedence over a spec file: flags
// have the names of the spec's keys.
func keepFlags(cmd *cobra.Command, a *results.Asked, flagged results.Asked) {
	to, from := reflect.ValueOf(a).Elem(), reflect.ValueOf(flagged)
	for i := range to.NumField() {
		if cmd.Flags().Changed(flagOf(to.Type().Field(i))) {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// flagOf returns the flag that corresponds to a key of the spec file: max-rounds for max_rounds.
func flagOf(field reflect.StructField) string {
	key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return strings.ReplaceAll(key, "_", "-")
}
