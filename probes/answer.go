package probes

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes/worker"
)

// EachPacket reads packets from a socket into b and passes the length and the source of
// each to a function, until the role is cancelled, which is its normal end. Packets shorter
// than least are skipped.
func EachPacket(ctx context.Context, fd int, b []byte, least int, each func(n int, from unix.Sockaddr)) error {
	for {
		n, from, err := unix.Recvfrom(fd, b, 0)
		cause := context.Cause(ctx) // read only once, because it may change at any moment
		switch {
		case errors.Is(cause, worker.ErrCancelled):
			return nil
		case cause != nil:
			return fmt.Errorf("waiting for packets: %w", cause)
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("waiting for packets: %w", os.NewSyscallError("recvfrom", err))
		case n >= least && from != nil:
			each(n, from)
		}
	}
}
