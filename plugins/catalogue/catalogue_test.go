package catalogue

import (
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins"
)

func TestSelect(t *testing.T) {
	tests := []struct {
		name     string
		patterns []string
		want     string
		wantErr  string
	}{
		{"a name", []string{"flannel-udp"}, "flannel-udp", ""},
		{"aliases", []string{"calico", "flannel"}, "calico-bgp flannel-vxlan", ""},
		{"a glob", []string{"calico-*"}, "calico-bgp calico-vxlan calico-vxlan-crosssubnet calico-ipip calico-ipip-crosssubnet", ""},
		{"each once, in the order asked for", []string{"flannel-udp", "flannel", "flannel-u*"}, "flannel-udp flannel-vxlan", ""},
		{"misspelt", []string{"flannel-vxlam"}, "", "did you mean flannel-vxlan"},
		{"no match", []string{"weave*"}, "", `no plugin matches "weave*"`},
		{"bad pattern", []string{"[a"}, "", "syntax error"},
		{"empty", []string{""}, "", "no plugin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			selected, err := All().Select(tt.patterns)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("Select: error %v, want one with %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, p := range selected {
				names = append(names, p.Name)
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("Select = %s, want %s", got, tt.want)
			}
		})
	}
}

// TestCatalogue checks that every entry is complete and that names are unique.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range All() {
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			if seen[name] {
				t.Errorf("the name %s stands for two plugins", name)
			}
			seen[name] = true
		}
		if p.Title == "" || p.Path.Empty() || p.Encapsulation.Kind == "" || p.Fidelity == "" {
			t.Errorf("%s lacks a title, a path, an encapsulation or a fidelity", p.Name)
		}
		if !p.HostNetwork() && len(p.Sources) == 0 {
			t.Errorf("%s names no source", p.Name)
		}
		overhead := map[string]int{"none": 0, "vxlan": 50, "udp": 28, "ipip": 20, "wireguard": 60}
		if want, ok := overhead[p.Encapsulation.Kind]; !ok || want != p.Encapsulation.Overhead {
			t.Errorf("%s: %s takes %d bytes, want %d", p.Name, p.Encapsulation.Kind, p.Encapsulation.Overhead, want)
		}
		if (p.Fidelity != plugins.Agent) && (p.Fidelity != plugins.DataPath) {
			t.Errorf("%s: unknown fidelity %q", p.Name, p.Fidelity)
		}
	}
	if All()[0].Name != "host" || slices.ContainsFunc(All()[1:], (*plugins.Plugin).HostNetwork) {
		t.Error("the baseline is not the first and only host network")
	}
}

func TestNearest(t *testing.T) {
	names := []string{"tcp-stream", "tcp-rr", "encap"}
	for typed, want := range map[string]string{"tcp-steam": "tcp-stream", "tcprr": "tcp-rr", "encapsulation": "encap", "": "encap"} {
		if got := Nearest(typed, names); got != want {
			t.Errorf("Nearest(%q) = %s, want %s", typed, got, want)
		}
	}
}
