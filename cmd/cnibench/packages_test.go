package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cnibench/cnibench/"

// TestImports checks the imports of all packages against the table in CONTRIBUTING.md.
func TestImports(t *testing.T) {
	allowed := roomsOf(t)
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		own, _ := roomOf(p.ImportPath)
		seen[own] = true
		if _, known := allowed[own]; !known {
			t.Errorf("%s is in no room of the table", p.ImportPath)
		}
		if vague := path.Base(p.ImportPath); slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc"}, vague) {
			t.Errorf("%s: the name does not say what it holds", p.ImportPath)
		}
		for _, i := range p.Imports {
			if room, ours := roomOf(i); ours && room != own && !slices.Contains(allowed[own], room) {
				t.Errorf("%s imports %s, which the table does not allow", p.ImportPath, i)
			}
		}
	}
	for room := range allowed {
		if !seen[room] {
			t.Errorf("the table has a room %s that does not exist", room)
		}
	}
}

// roomOf returns the top-level directory of a package of this module.
func roomOf(importPath string) (room string, ours bool) {
	rest, ours := strings.CutPrefix(importPath, module)
	room, _, _ = strings.Cut(rest, "/")
	return room, ours
}

// roomsOf parses the table and returns what each room may import.
func roomsOf(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| Room | Holds | May import |\n|---|---|---|\n")
	if !found {
		t.Fatal("CONTRIBUTING.md has no table of rooms")
	}
	rooms := map[string][]string{}
	for lines := bufio.NewScanner(strings.NewReader(table)); lines.Scan() && lines.Text() != ""; {
		columns := strings.Split(lines.Text(), "|")
		if len(columns) != 5 {
			t.Fatalf("a line of the table of rooms does not have three columns: %s", lines.Text())
		}
		rooms[strings.Trim(columns[1], " `")] = strings.FieldsFunc(columns[3], func(r rune) bool { return r == ',' || r == ' ' })
	}
	return rooms
}
