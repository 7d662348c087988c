package probes

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAnswered(t *testing.T) {
	late := fmt.Errorf("time limit of 1s passed")
	for _, tt := range []struct {
		name  string
		cause error
		errno syscall.Errno
		want  error
	}{
		{"the client closed", nil, ended, nil},
		{"the client reset", nil, unix.ECONNRESET, nil},
		{"cancelled after the client closed", errCancelled, ended, nil},
		{"cancelled while it sent", errCancelled, unix.EPIPE, nil},
		{"no way back", nil, unix.EHOSTUNREACH, unix.EHOSTUNREACH},
		{"out of time", late, ended, late},
		{"the worker ends", context.Canceled, ended, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := answered(tt.cause, tt.errno); !errors.Is(err, tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}
