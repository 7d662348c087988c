package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMakefileNamesTests checks that every test that the Makefile names exists, so that renaming
// one does not drop it from make test.
func TestMakefileNamesTests(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	for _, list := range []string{"ONLY_AS_USER", "AS_BOTH"} {
		found := regexp.MustCompile(`(?m)^` + list + ` +=(.*)$`).FindSubmatch(makefile)
		if found == nil {
			t.Errorf("the Makefile has no list %s", list)
			continue
		}
		for name := range strings.SplitSeq(strings.TrimSpace(string(found[1])), "|") {
			if !strings.Contains(source.String(), "func "+name+"(t *testing.T)") {
				t.Errorf("%s names %s, which is not a test of this package", list, name)
			}
		}
	}
}
