package detect

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// nameForm is what a plugin's name in a run consists of: it becomes part of file names.
var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`)

// checkMode checks what holds of every mode, whatever was read.
func checkMode(t *testing.T, m mode) {
	t.Helper()
	if m.plugin != "" && !nameForm.MatchString(m.plugin) {
		t.Errorf("the name %q", m.plugin)
	}
	if said := m.text().String(); results.Printable(said) != said || said == "" {
		t.Errorf("it says %q", said)
	}
	if s := m.settings; s != nil && (s.Port < 0 || s.Port > 65535 || s.Overhead < 0 || s.VNI < 0 || s.MTU < 0 || s.Kind == "") {
		t.Errorf("settings %+v", *s)
	}
}

func FuzzFlannelMode(f *testing.F) {
	for _, seed := range []string{`{"Backend":{"Type":"vxlan","Port":4789,"VNI":4096}}`, `{"backend":{"type":"WireGuard","listenPort":-1,"mode":"ipv6"}}`, `{"Backend":{"Type":""}}`, `{`, `{"Backend":{"Type":"\u001b[2J../x"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, _, ok := flannelMode(text)
		if ok {
			checkMode(t, m)
		}
	})
}

func FuzzTerwayMode(f *testing.F) {
	f.Add(`{"plugins":[{"type":"terway","eniip_virtual_type":"datapathv2"},{"type":"cilium-cni"}]}`, `{"type":"terway"}`)
	f.Add(`{"eniip_virtual_type":"\u0007"}`, `{`)
	f.Fuzz(func(t *testing.T, list, single string) {
		checkMode(t, terwayMode(map[string]string{"10-terway.conflist": list, "10-terway.conf": single}))
		checkMode(t, terwayMode(map[string]string{"10-terway.conf": single}))
	})
}

func FuzzCiliumMode(f *testing.F) {
	f.Add(`{"routing-mode":"native","enable-wireguard":"true"}`)
	f.Add(`{"tunnel-protocol":"geneve","tunnel-port":"70000","mtu":"-1","datapath-mode":"\u001b"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var options map[string]string
		if json.Unmarshal([]byte(text), &options) == nil {
			checkMode(t, ciliumMode(options))
			chainedTo(options)
		}
	})
}

func FuzzAntreaMode(f *testing.F) {
	f.Add("trafficEncapMode: hybrid\ntunnelType: vxlan\ntunnelPort: -4\n")
	f.Add("tunnelType: \"\\e[2J\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, _ := antreaMode(text)
		checkMode(t, m)
	})
}

func FuzzSelects(f *testing.F) {
	f.Add(`rack == "b" && has(zone)`, "rack", "b")
	f.Fuzz(func(t *testing.T, selector, key, value string) {
		if !selects("all()", map[string]string{key: value}) || !selects("", nil) {
			t.Error("all() selects less than all")
		}
		selects(selector, map[string]string{key: value})
	})
}
