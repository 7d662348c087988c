package load

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/words"
)

const (
	podAddr  = "10.244.0.5"
	dnsName  = "svc-1.ns-1.svc.cluster.local."
	aPodConf = "search ns-1.svc.cluster.local svc.cluster.local cluster.local\nnameserver 127.0.0.1\noptions ndots:5\n"
)

// respond answers every question on a port of the loopback interface with what reply
// makes of it, and nothing where reply returns nil.
func respond(t *testing.T, reply func(q dnsmessage.Message, n int) []dnsmessage.Message) uint16 {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		b := make([]byte, 512)
		for n := 0; ; n++ {
			size, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(b[:size]) != nil {
				continue
			}
			for _, r := range reply(q, n) {
				if packed, err := r.Pack(); err == nil {
					conn.WriteToUDPAddrPort(packed, from)
				}
			}
		}
	}()
	return netip.MustParseAddrPort(conn.LocalAddr().String()).Port()
}

// says returns the response to a question with addresses.
func says(q dnsmessage.Message, code dnsmessage.RCode, addrs ...string) dnsmessage.Message {
	q.Response, q.RCode = true, code
	for _, a := range addrs {
		q.Answers = append(q.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 30},
			Body: &dnsmessage.AResource{A: netip.MustParseAddr(a).As4()}})
	}
	return q
}

// TestDNS looks names up from servers that behave well and badly.
func TestDNS(t *testing.T) {
	one := func(m dnsmessage.Message) []dnsmessage.Message { return []dnsmessage.Message{m} }
	for _, c := range []struct {
		name     string
		config   string
		reply    func(q dnsmessage.Message, n int) []dnsmessage.Message
		absent   string // "" if there are figures
		failures func(share float64) bool
		finding  string
	}{
		{"right answers", aPodConf, func(q dnsmessage.Message, _ int) []dnsmessage.Message {
			if q.Questions[0].Name.String() != dnsName || q.Questions[0].Type != dnsmessage.TypeA {
				return one(says(q, dnsmessage.RCodeNameError))
			}
			return one(says(q, dnsmessage.RCodeSuccess, podAddr))
		}, "", none, ""},
		{"a name that is known later", aPodConf, func(q dnsmessage.Message, n int) []dnsmessage.Message {
			if n < 3 {
				return one(says(q, dnsmessage.RCodeNameError))
			}
			return one(says(q, dnsmessage.RCodeSuccess, podAddr))
		}, "", none, ""},
		{"some answers that are lost", aPodConf, func(q dnsmessage.Message, n int) []dnsmessage.Message {
			if n%10 == 9 {
				return nil
			}
			return one(says(q, dnsmessage.RCodeSuccess, podAddr))
		}, "", some, ""},
		{"errors in between", aPodConf, func(q dnsmessage.Message, n int) []dnsmessage.Message {
			if n%10 == 9 {
				return one(says(q, dnsmessage.RCodeServerFailure))
			}
			return one(says(q, dnsmessage.RCodeSuccess, podAddr))
		}, "", some, ""},
		{"answers to other questions", aPodConf, func(q dnsmessage.Message, _ int) []dnsmessage.Message {
			stale := says(q, dnsmessage.RCodeSuccess, "192.0.2.1")
			stale.ID++
			return []dnsmessage.Message{stale, q, says(q, dnsmessage.RCodeSuccess, podAddr)}
		}, "", none, ""},
		{"another address", aPodConf, func(q dnsmessage.Message, _ int) []dnsmessage.Message {
			return one(says(q, dnsmessage.RCodeSuccess, "192.0.2.1"))
		}, "", all, "resolved svc-1.ns-1.svc.cluster.local., a headless Service with one pod, to 192.0.2.1 instead of the pod's address 10.244.0.5"},
		{"another address as well", aPodConf, func(q dnsmessage.Message, _ int) []dnsmessage.Message {
			return one(says(q, dnsmessage.RCodeSuccess, podAddr, "192.0.2.1"))
		}, "", all, "to 10.244.0.5, 192.0.2.1 instead"},
		{"a name that is never known", aPodConf, func(q dnsmessage.Message, _ int) []dnsmessage.Message {
			return one(says(q, dnsmessage.RCodeNameError))
		}, "does not know svc-1.ns-1.svc.cluster.local.: it answered NXDOMAIN", nil, ""},
		{"a server that is silent", aPodConf, func(dnsmessage.Message, int) []dnsmessage.Message { return nil },
			"the DNS server 127.0.0.1 of the pod did not answer 3 questions", nil, ""},
		{"a pod without the cluster's DNS", "nameserver 127.0.0.1\nsearch example.org\n", nil, "no search domain begins with ns-1.svc", nil, ""},
		{"a pod without a server", "search ns-1.svc.cluster.local\n", nil, "names no cluster DNS", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := probestest.Loopback(t, 200*time.Millisecond)
			config := filepath.Join(t.TempDir(), "resolv.conf")
			if err := os.WriteFile(config, []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			args := DNSArgs{Service: "svc-1", Namespace: "ns-1", Want: netip.MustParseAddr(podAddr), Config: config, Port: 1,
				Patience: 100 * time.Millisecond, Within: 500 * time.Millisecond, Again: 10 * time.Millisecond, Duration: s.Duration, CPU: -1}
			if c.reply != nil {
				args.Port = respond(t, c.reply)
			}
			m, err := args.measure(t.Context(), s)
			if c.absent != "" {
				var absent *probes.NotHereError
				if !errors.As(err, &absent) || !strings.Contains(err.Error(), c.absent) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, metric := range DNS().Metrics {
				if v, ok := m.Values[metric.Name]; !ok || v <= 0 && metric.Name != "failures" {
					t.Errorf("%s is %v, %v", metric.Name, v, ok)
				}
			}
			if !c.failures(m.Values["failures"]) {
				t.Errorf("failures: %v", m.Values["failures"])
			}
			if warned := strings.Contains(words.Clauses(m.Warnings...).String(), "lookups got no answer in time"); warned == c.failures(0) {
				t.Errorf("failures: %v, warnings: %v", m.Values["failures"], m.Warnings)
			}
			if len(m.Values) != len(DNS().Metrics) || m.Hist == nil || m.Params["server"] != "127.0.0.1" || m.Params["name"] != dnsName {
				t.Errorf("%v, %v, %d bytes of histogram", m.Values, m.Params, len(m.Hist))
			}
			if (c.finding != "") != (len(m.Findings) == 1) || c.finding != "" && !strings.Contains(m.Findings[0].Text.String(), c.finding) {
				t.Errorf("found %v", m.Findings)
			}
		})
	}
}

func none(share float64) bool { return share == 0 }
func some(share float64) bool { return share > 0 && share < 1 }
func all(share float64) bool  { return share == 1 }

// TestDNSThatBroke checks that a server that no longer answers is a failed sample.
func TestDNSThatBroke(t *testing.T) {
	s := probestest.Loopback(t, 200*time.Millisecond)
	s.Passed = probes.Passes{"dns svc-1 " + podAddr: true}
	config := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(config, []byte(aPodConf), 0o600); err != nil {
		t.Fatal(err)
	}
	args := DNSArgs{Service: "svc-1", Namespace: "ns-1", Want: netip.MustParseAddr(podAddr), Config: config, Patience: 20 * time.Millisecond,
		Port: respond(t, func(dnsmessage.Message, int) []dnsmessage.Message { return nil }), Duration: s.Duration, CPU: -1}
	_, err := args.measure(t.Context(), s)
	if err == nil || errors.As(err, new(*probes.NotHereError)) || !strings.Contains(err.Error(), "did not answer") {
		t.Errorf("%v", err)
	}
}

func TestResolvConf(t *testing.T) {
	for _, c := range []struct{ name, text, server, domain string }{
		{"a kubelet's", aPodConf, "127.0.0.1", "cluster.local."},
		{"the first server counts", "nameserver 10.96.0.10\nnameserver 192.0.2.1\nsearch ns-1.svc.k8s.example.org\n", "10.96.0.10", "k8s.example.org."},
		{"the last search list counts", "search ns-1.svc.a\nsearch ns-1.svc.b.\nnameserver fd00::a\n", "fd00::a", "b."},
		{"a server that is no address", "nameserver dns\nnameserver 192.0.2.1\nsearch ns-1.svc.a", "192.0.2.1", "a."},
		{"another namespace's", "nameserver 192.0.2.1\nsearch ns-2.svc.a", "192.0.2.1", ""},
		{"no domain", "nameserver 192.0.2.1\nsearch ns-1.svc. ns-1.svc", "192.0.2.1", ""},
		{"comments", "# nameserver 192.0.2.9\n; x\nnameserver\n", "invalid IP", ""},
		{"empty", "", "invalid IP", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := parseResolvConf(strings.NewReader(c.text))
			if err != nil {
				t.Fatal(err)
			}
			domain, ok := r.clusterDomain("ns-1")
			if r.server.String() != c.server || domain != c.domain || ok != (c.domain != "") {
				t.Errorf("server %s, domain %q, %v", r.server, domain, ok)
			}
		})
	}
}

// FuzzResolvConf checks that every domain that is found makes a question.
func FuzzResolvConf(f *testing.F) {
	f.Add(aPodConf, "ns-1")
	f.Add("nameserver ::1%lo\nsearch a.svc.\xff", "a")
	f.Fuzz(func(t *testing.T, text, namespace string) {
		r, err := parseResolvConf(strings.NewReader(text))
		if err != nil {
			return
		}
		domain, ok := r.clusterDomain(namespace)
		if ok != (domain != "") || ok && !strings.HasSuffix(domain, ".") {
			t.Errorf("%q, %v", domain, ok)
		}
		newQuestion("a."+namespace+".svc."+domain, netip.MustParseAddr(podAddr)) // may fail, must not panic
	})
}

// FuzzAnswer reads arbitrary messages as responses.
func FuzzAnswer(f *testing.F) {
	q, err := newQuestion(dnsName, netip.MustParseAddr(podAddr))
	if err != nil {
		f.Fatal(err)
	}
	question := dnsmessage.Message{Header: dnsmessage.Header{ID: 7}, Questions: []dnsmessage.Question{q.asked}}
	for _, m := range []dnsmessage.Message{question, says(question, dnsmessage.RCodeNameError), says(question, dnsmessage.RCodeSuccess, podAddr, "192.0.2.1")} {
		packed, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
		f.Add(packed[:len(packed)-3])
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		a, err := q.read(message, 7)
		if err != nil {
			if len(a.addrs) > 0 {
				t.Errorf("%v, but addresses %v", err, a.addrs)
			}
			return
		}
		if len(message) < 12+len(q.packed)-12 || message[2]&0x80 == 0 || message[0] != 0 || message[1] != 7 {
			t.Errorf("%x is a response", message)
		}
		if len(a.addrs) > len(message)/12 { // a record without its data has at least that
			t.Errorf("%d addresses in %d bytes", len(a.addrs), len(message))
		}
		for _, addr := range a.addrs {
			if !addr.Is4() {
				t.Errorf("asked for IPv4, got %s", addr)
			}
		}
	})
}
