package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/probes/worker"
)

func TestAnswered(t *testing.T) {
	late := fmt.Errorf("time limit of 1s passed")
	for _, tt := range []struct {
		name  string
		cause error
		errno syscall.Errno
		want  error
	}{
		{"the client closed", nil, hot.Ended, nil},
		{"the client reset", nil, unix.ECONNRESET, nil},
		{"cancelled after the client closed", worker.ErrCancelled, hot.Ended, nil},
		{"cancelled while it sent", worker.ErrCancelled, unix.EPIPE, nil},
		{"no path back", nil, unix.EHOSTUNREACH, unix.EHOSTUNREACH},
		{"out of time", late, hot.Ended, late},
		{"the worker ends", context.Canceled, hot.Ended, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := answered(tt.cause, tt.errno); !errors.Is(err, tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestMostConnections checks that a bound on connections holds, and that the sample has
// figures although it ends early.
func TestMostConnections(t *testing.T) {
	s := probestest.Loopback(t, 200*time.Millisecond)
	args := RRArgs{Addr: probestest.Localhost, Size: 1, CPU: -1, Most: 5, Duration: s.Duration}
	var server ServerResult
	var client LatencyResult
	err := s.Drive(t.Context(), "tcp-crr", args, func(peer netip.AddrPort) any {
		to := args
		to.Peer = peer
		return to
	}, &server, &client)
	if err != nil || client.Rounds != args.Most || client.Seconds <= 0 {
		t.Errorf("%d connections in %v s, %v", client.Rounds, client.Seconds, err)
	}
}
