package advice

import (
	"slices"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
)

// TestModesKnowTheCatalogue checks modes.yaml against the catalogue: every plugin in the catalogue needs
// an entry.
func TestModesKnowTheCatalogue(t *testing.T) {
	for _, p := range catalogue.All() {
		if p.HostNetwork() {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			m := modeOf(p.Name)
			if m.Words == "" || m.Agents == 0 || len(m.Sources) == 0 || len(m.Firewall) == 0 {
				t.Fatalf("modes.yaml lacks words, agents, sources or openings: %+v", m)
			}
			if m.Kind != p.Encapsulation.Kind {
				t.Errorf("modes.yaml says %s, the catalogue %s", m.Kind, p.Encapsulation.Kind)
			}
			if port := p.Encapsulation.Port; port > 0 && !slices.ContainsFunc(m.Firewall, func(o Opening) bool { return o.Port == port }) {
				t.Errorf("no opening for port %d: %+v", port, m.Firewall)
			}
		})
	}
}

func TestEveryModeOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range modes() {
		if seen[m.Plugin] {
			t.Errorf("%s occurs twice", m.Plugin)
		}
		seen[m.Plugin] = true
	}
}
