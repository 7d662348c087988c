package network

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/probestest"
)

// serviceSite returns a site with a Service at an address. The server listens on
// port 20049 of the loopback interface.
func serviceSite(t *testing.T, at netip.AddrPort) *probes.Site {
	t.Helper()
	s := probestest.Loopback(t, 400*time.Millisecond)
	through := &probes.Service{Addr: at, Port: 20049}
	s.Service = func(context.Context) (*probes.Service, error) { return through, nil }
	return s
}

// TestService measures twice, with the server itself as the Service. The second
// sample meets the connections that the first one left.
func TestService(t *testing.T) {
	s := serviceSite(t, netip.AddrPortFrom(probestest.Localhost, 20049))
	for range 2 {
		m, err := Service().Measure(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for _, metric := range Service().Metrics {
			if m.Values[metric.Name] <= 0 {
				t.Errorf("%s: %v", metric.Name, m.Values)
			}
		}
	}
}

// TestServiceThatNobodyCarries checks that a Service that nothing implements is not
// a failure of the plugin.
func TestServiceThatNobodyCarries(t *testing.T) {
	s := serviceSite(t, netip.AddrPortFrom(probestest.Localhost, 9))
	var absent *probes.NotHereError
	if _, err := Service().Measure(t.Context(), s); !errors.As(err, &absent) || !strings.Contains(err.Error(), "no connection passed the Service 127.0.0.1:9") {
		t.Errorf("%v", err)
	}
	s.Service = nil
	if _, err := Service().Measure(t.Context(), s); !errors.As(err, &absent) {
		t.Errorf("without Services: %v", err)
	}
}
