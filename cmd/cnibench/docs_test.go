package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra/doc"

	"github.com/cnibench/cnibench/plugins/catalogue"
)

var update = flag.Bool("update", false, "rewrite the generated documentation")

// TestDocs checks docs/ against the commands; make docs rewrites it.
func TestDocs(t *testing.T) {
	p := newTestProgram()
	p.catalogue = catalogue.All()
	root := p.root()
	root.DisableAutoGenTag = true
	root.InitDefaultCompletionCmd()
	made := t.TempDir()
	for _, sub := range []string{"cli", "man"} {
		if err := os.Mkdir(filepath.Join(made, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := doc.GenMarkdownTree(root, filepath.Join(made, "cli")); err != nil {
		t.Fatal(err)
	}
	header := &doc.GenManHeader{Section: "1", Source: "cnibench", Manual: "cnibench"}
	if err := doc.GenManTree(root, header, filepath.Join(made, "man")); err != nil {
		t.Fatal(err)
	}
	want := pages(t, made)
	docs := filepath.Join("..", "..", "docs")
	if *update {
		for name := range pages(t, docs) {
			if err := os.Remove(filepath.Join(docs, name)); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range want {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(docs, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(docs, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(pages(t, docs), want); diff != "" {
		t.Errorf("docs/ is not up to date; make docs rewrites it:\n%s", diff)
	}
}

// pages returns the generated pages below a directory, by name. It leaves out the date of man
// pages, which is the day on which they were generated.
func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"cli/*.md", "man/*.1"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(text), "\n")
			for i, line := range lines {
				if strings.HasPrefix(line, ".TH ") {
					lines[i] = `.TH "` + strings.Split(line, `"`)[1] + `" "1" "" "cnibench" "cnibench"`
				}
				lines[i] = strings.TrimRight(lines[i], " \t")
			}
			name, err := filepath.Rel(dir, file)
			if err != nil {
				t.Fatal(err)
			}
			all[name] = strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
		}
	}
	return all
}
