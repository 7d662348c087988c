package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// built builds a small program with additional flags for go build.
func built(t *testing.T, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module small\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", append([]string{"build", "-o", "program"}, flags...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building a program: %v: %s", err, out)
	}
	return filepath.Join(dir, "program")
}

func TestImageTakesOnlyWhatStandsAlone(t *testing.T) {
	static := built(t)
	content, err := os.ReadFile(static)
	if err != nil {
		t.Fatal(err)
	}
	written := func(name string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := append([]byte(nil), content...)
	foreign[elf.EI_OSABI] = byte(elf.ELFOSABI_FREEBSD)
	for _, tt := range []struct {
		name, path, wrong string // "" if it is accepted
	}{
		{"linked statically", static, ""},
		{"with an interpreter", built(t, "-buildmode=pie"), "which the image does not contain: build it statically with make build"},
		{"a script", written("script", []byte("#!/bin/sh\n")), "is not an executable for Linux"},
		{"an empty file", written("empty", nil), "is not an executable for Linux"},
		{"of another system", written("foreign", foreign), "is not an executable for Linux"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := standsAlone(tt.path)
			if (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%v", err)
			}
		})
	}
}
