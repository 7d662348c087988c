package main

import (
	"os"
	"strings"

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
