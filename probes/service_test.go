package probes

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// serviceSite has a Service at an address; the server listens on port 20049 of
// loopback.
func serviceSite(t *testing.T, at netip.AddrPort) *Site {
	t.Helper()
	s := loopback(t, 400*time.Millisecond)
	through := &Service{Addr: at, Port: 20049}
	s.Service = func(context.Context) (*Service, error) { return through, nil }
	return s
}

// TestService measures twice through something that leads to the server, here
// the server itself: the second sample finds the first one's connections.
func TestService(t *testing.T) {
	s := serviceSite(t, netip.AddrPortFrom(local, 20049))
	for range 2 {
		m, err := service().Measure(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for _, metric := range service().Metrics {
			if m.Values[metric.Name] <= 0 {
				t.Errorf("%s: %v", metric.Name, m.Values)
			}
		}
	}
}

// TestServiceThatNobodyCarries is no failure of the plugin.
func TestServiceThatNobodyCarries(t *testing.T) {
	s := serviceSite(t, netip.AddrPortFrom(local, 9))
	var absent *NotHereError
	if _, err := service().Measure(t.Context(), s); !errors.As(err, &absent) || !strings.Contains(err.Error(), "no connection passed the Service 127.0.0.1:9") {
		t.Errorf("%v", err)
	}
	s.Service = nil
	if _, err := service().Measure(t.Context(), s); !errors.As(err, &absent) {
		t.Errorf("without Services: %v", err)
	}
}
