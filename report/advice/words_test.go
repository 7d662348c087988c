package advice

import (
	"testing"

	"github.com/cnibench/cnibench/words"
)

// TestEveryLanguageSaysTheData checks that the texts of the data files are translated into every
// language, except for sources, which are names of documents.
func TestEveryLanguageSaysTheData(t *testing.T) {
	for _, name := range words.Names {
		in, err := words.New(name)
		if err != nil {
			t.Fatal(err)
		}
		has := func(id, english string) {
			if m, _ := messageOf(id, english); english != "" && !in.Has(m) {
				t.Errorf("%s has no words for %s (%q)", name, id, english)
			}
		}
		for _, r := range rules() {
			for key, text := range map[string]string{"text": r.Text, "lacks": r.Lacks, "unknown": r.Unknown, "reject": r.Reject, "note": r.Note} {
				has("rules."+r.Rule+"."+key, text)
			}
		}
		for _, c := range claims() {
			has(idOf("claims", c.Claim), c.Claim)
		}
		for _, m := range modes() {
			has("modes."+m.Plugin, m.Words)
			for _, o := range m.Firewall {
				has(idOf("openings", o.Why.String()), o.Why.String())
			}
		}
	}
}
