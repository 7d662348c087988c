package trickle

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/probes/worker"
)

// TestFirstPacket distinguishes a path that packets pass, one that they do not pass,
// and a worker that is gone.
func TestFirstPacket(t *testing.T) {
	// deaf plays a receiver that no datagram reaches.
	deaf := func(name string) (worker.Role, error) {
		return func(ctx context.Context, r *worker.Request) (any, error) {
			if err := r.Ready(probes.Listening{Port: 9}); err != nil {
				return nil, err
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
			return Result{}, nil
		}, nil
	}
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, from, to *probes.End)
		says   string // "" if a packet arrives
		none   bool   // whether the error is a NoPacketError
	}{
		{"passes", func(*testing.T, *probes.End, *probes.End) {}, "", false},
		{"is lost", func(t *testing.T, _, to *probes.End) { to.Worker = probestest.Connected(t, deaf) },
			"no packet from 127.0.0.1 on a reached 127.0.0.1 on b within 50ms", true},
		// The kernel does not send from a loopback address to any other address.
		{"is refused", func(t *testing.T, _, to *probes.End) {
			to.Worker, to.Addr = probestest.Connected(t, deaf), netip.MustParseAddr("192.0.2.1")
		}, "the sender's kernel refuses: invalid argument", true},
		{"cannot be tried", func(_ *testing.T, from, _ *probes.End) { from.Worker.Close() }, "the worker", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := probestest.Loopback(t, probes.MinDuration)
			tt.change(t, &s.Client, &s.Server)
			within := firstPacketWithin
			if tt.none {
				within = 50 * time.Millisecond
			}
			err := firstPacket(t.Context(), s.Client, s.Server, within)
			var none *NoPacketError
			if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) || errors.As(err, &none) != tt.none {
				t.Errorf("%v", err)
			}
		})
	}
}
