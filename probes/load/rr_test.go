package load

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes/hot"
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
