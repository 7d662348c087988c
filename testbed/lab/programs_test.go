package lab

import (
	"os"
	"path/filepath"
	"testing"
)

// TestVersionsOfTheOthers checks that programs whose version cannot be read do not
// hide the version of another.
func TestVersionsOfTheOthers(t *testing.T) {
	bin := t.TempDir()
	for name, text := range map[string]string{
		"flanneld":    "#!/bin/sh\necho v0.28.10\n",
		"calico":      "#!/bin/sh\nexit 3\n",
		"calico-node": "not a program",
		"etcd":        "#!/bin/sh\n", // without Go build information
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	versions := Versions(t.Context(), bin)
	for name, want := range map[string]string{"flanneld": "v0.28.10", "calico": "unknown", "calico-node": "unknown", "etcd": "unknown"} {
		if versions[name] != want {
			t.Errorf("%s: %q, not %q", name, versions[name], want)
		}
	}
	if v, ok := versions["bridge"]; ok {
		t.Errorf("bridge, which is not installed, has the version %q", v)
	}
}
