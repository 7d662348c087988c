package frames

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes/worker"
)

// These limits apply to what a capture sends back over the control stream.
const (
	maxFrames  = 128
	snapLength = 256 // bytes per frame: the longest known headers and the token
)

// captureBuffer is the size of the socket's receive buffer in bytes, with room for
// the other traffic of a busy NIC while this thread is not running.
const captureBuffer = 8 << 20

// Captured is the result of a capture.
type Captured struct {
	Frames []Frame `json:"frames"` // frames that may carry a known packet
	// Omitted counts further such frames, beyond maxFrames.
	Omitted int `json:"omitted"`
	// Dropped counts frames that the kernel could not deliver (packet(7),
	// PACKET_STATISTICS).
	Dropped int `json:"dropped"`
}

// Frame is one frame, cut to snapLength.
type Frame struct {
	Time   time.Time `json:"time"`
	Length int       `json:"length"` // on the wire
	Data   []byte    `json:"data"`
}

// OpenCapture opens a packet socket on an interface (packet(7)). It needs
// CAP_NET_RAW.
func OpenCapture(nic string) (int, error) {
	link, err := net.InterfaceByName(nic)
	if err != nil {
		return 0, fmt.Errorf("finding the interface %q: %w", nic, err)
	}
	if link.Flags&net.FlagLoopback == 0 && len(link.HardwareAddr) != 6 {
		return 0, fmt.Errorf("the interface %q is not an Ethernet interface", nic)
	}
	// Protocol 0 receives nothing until the socket is bound to the interface.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("opening a packet socket: %w", os.NewSyscallError("socket", err))
	}
	// Exceeding net.core.rmem_max takes CAP_NET_ADMIN in the initial namespace. The
	// default is enough for a quiet NIC, and drops are counted.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, captureBuffer)
	}
	// Shutting down a packet socket does not wake it, so receives time out regularly.
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 10_000})
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: NetworkOrder(unix.ETH_P_ALL), Ifindex: link.Index})
	}
	if err != nil {
		unix.Close(fd)
		return 0, fmt.Errorf("opening a packet socket on %s: %w", nic, err)
	}
	return fd, nil
}

// NetworkOrder converts a 16-bit number to network byte order.
func NetworkOrder(n uint16) uint16 {
	var b [2]byte
	b[0], b[1] = byte(n>>8), byte(n)
	return binary.NativeEndian.Uint16(b[:])
}

// Collect collects frames until ctx ends, and then those that the socket still
// holds.
func (c *Captured) Collect(ctx context.Context, fd int, t Token) error {
	b := make([]byte, 64<<10)
	for {
		flags := unix.MSG_TRUNC // the length on the wire is returned
		if ctx.Err() != nil {
			if !errors.Is(context.Cause(ctx), worker.ErrCancelled) {
				return context.Cause(ctx)
			}
			flags |= unix.MSG_DONTWAIT
		}
		n, _, err := unix.Recvfrom(fd, b, flags)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN) && ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.EAGAIN):
		case err != nil:
			return os.NewSyscallError("recvfrom", err)
		default:
			c.take(b[:min(n, len(b))], n, t)
		}
	}
}

// take keeps a frame that may carry a known packet, because it contains the token or
// decodes as a WireGuard message of the right length.
func (c *Captured) take(b []byte, length int, t Token) {
	if !bytes.Contains(b, t[:]) {
		if _, ok := DecodeFrame(b, t); !ok {
			return
		}
	}
	if len(c.Frames) == maxFrames {
		c.Omitted++
		return
	}
	c.Frames = append(c.Frames, Frame{Time: time.Now(), Length: length, Data: bytes.Clone(b[:min(len(b), snapLength)])})
}

// PacketGap is the interval between known packets, long enough that no queue drops
// any.
const PacketGap = time.Millisecond
