package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

// TestReadmeHasEveryNeed checks the README's example of needs against the existing keys: it must
// contain each of them, be a valid spec file, and be satisfiable.
func TestReadmeHasEveryNeed(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(readme), "    needs:\n")
	block, _, ends := strings.Cut(block, "\n\n")
	if !found || !ends {
		t.Fatal("the README has no example of needs")
	}
	var example struct {
		Needs results.Needs `json:"needs"`
	}
	if err := yaml.UnmarshalStrict([]byte("needs:\n"+block), &example); err != nil {
		t.Fatal(err)
	}
	if err := scenarios.CheckNeeds(example.Needs); err != nil {
		t.Errorf("the example is rejected: %v", err)
	}
	for _, of := range []reflect.Type{reflect.TypeFor[results.Needs](), reflect.TypeFor[results.Limits]()} {
		for i := range of.NumField() {
			key, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if !strings.Contains(block, " "+key+":") {
				t.Errorf("the README does not name %s", key)
			}
		}
	}
}
