package view

import (
	"testing"

	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// TestStandingInALanguage checks that the text in brackets stays with its plugin in
// every language.
func TestStandingInALanguage(t *testing.T) {
	zh, err := words.New("zh")
	if err != nil {
		t.Fatal(err)
	}
	slower, less := 1.344, 1.213
	s := Standing{Plugin: "flannel-vxlan", Against: []Against{
		{stats.Faster, []Other{{"flannel-udp", nil}}},
		{stats.Inconclusive, []Other{{"flannel-host-gw", &slower}, {"host", &less}}},
	}}
	for in, want := range map[*words.Language]string{
		nil: "faster than flannel-udp; no verdict against flannel-host-gw (×1.344), host (×1.213)",
		zh:  "快于 flannel-udp；无法判定快慢：flannel-host-gw（×1.344），host（×1.213）",
	} {
		if got := in.Say(s.Text()); got != want {
			t.Errorf("%s: %s, want %s", in.Name(), got, want)
		}
	}
}
