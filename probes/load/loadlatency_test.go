package load

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/probestest"
)

// TestBesideStream checks the placement of round trips beside a stream for
// different numbers of CPUs.
func TestBesideStream(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		client, server         int // of the stream
		spare                  []int
		wantClient, wantServer int
		placed                 string
	}{
		{"1 CPU", 0, 0, nil, 0, 0, roundTripsBeside},
		{"2 CPUs, split", 0, 1, nil, 0, 1, roundTripsBeside},
		{"2 CPUs, the stream on one", 1, 1, []int{0}, 0, 0, roundTripsApart},
		{"3 CPUs: both ends on the third", 0, 2, []int{1}, 1, 1, roundTripsApart},
		{"4 CPUs, split", 0, 3, []int{1, 2}, 1, 2, roundTripsApart},
		{"4 CPUs, the stream on one", 3, 3, []int{0, 1, 2}, 2, 2, roundTripsApart},
		{"8 CPUs, split", 0, 7, []int{1, 2, 3, 4, 5, 6}, 1, 6, roundTripsApart},
		{"separate machines", -1, -1, nil, -1, -1, probes.Unpinned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &probes.Site{Client: probes.End{CPU: tt.client}, Server: probes.End{CPU: tt.server}, Spare: tt.spare}
			got, placed := besideStream(s)
			if got.Client.CPU != tt.wantClient || got.Server.CPU != tt.wantServer || placed != tt.placed {
				t.Errorf("on CPUs %d and %d, %s", got.Client.CPU, got.Server.CPU, placed)
			}
			if s.Client.CPU != tt.client || s.Server.CPU != tt.server {
				t.Error("the stream was moved")
			}
		})
	}
}

// TestLoadLatencySays checks what a sample says about the CPUs of its round trips.
func TestLoadLatencySays(t *testing.T) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		t.Fatal(err)
	}
	one := 0
	for !allowed.IsSet(one) {
		one++
	}
	for _, tt := range []struct {
		name   string
		cpu    int
		placed string
		warned bool
	}{
		{"not pinned", -1, probes.Unpinned, false},
		{"on the stream's CPU", one, roundTripsBeside, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := probestest.Loopback(t, 400*time.Millisecond)
			s.Client.CPU, s.Server.CPU = tt.cpu, tt.cpu
			m, err := LoadLatency().Measure(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			warned := false
			for _, w := range m.Warnings {
				warned = warned || w == sharedCPU
			}
			if m.Params[paramRoundTrips] != tt.placed || warned != tt.warned {
				t.Errorf("%v, %q", m.Params, m.Warnings)
			}
		})
	}
}
