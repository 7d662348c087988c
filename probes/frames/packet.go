package frames

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/gopacket/gopacket"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes/worker"
)

// Serialize returns the bytes of a frame with the given layers, from the outside in.
func Serialize(l ...gopacket.SerializableLayer) ([]byte, error) {
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, l...); err != nil {
		return nil, fmt.Errorf("building a frame: %w", err)
	}
	return b.Bytes(), nil
}

// OpenPackets opens a packet socket that sends and receives whole frames. It also
// returns the interface's MAC address.
func OpenPackets(nic string) (int, net.HardwareAddr, error) {
	link, err := net.InterfaceByName(nic)
	if err != nil {
		return 0, nil, fmt.Errorf("finding the interface %q: %w", nic, err)
	}
	fd, err := OpenCapture(nic)
	return fd, link.HardwareAddr, err
}

// packetOutgoing marks frames that this machine sent (PACKET_OUTGOING,
// packet(7)).
const packetOutgoing = 4

// EachPacket calls f for each frame that arrives until f returns false or ctx is
// cancelled.
func EachPacket(ctx context.Context, fd int, f func(frame []byte) bool) error {
	b := make([]byte, 4096)
	for ctx.Err() == nil {
		n, from, err := unix.Recvfrom(fd, b, 0)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			return fmt.Errorf("receiving frames: %w", os.NewSyscallError("recvfrom", err))
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == packetOutgoing {
			continue
		}
		if !f(b[:n]) {
			return nil
		}
	}
	if cause := context.Cause(ctx); !errors.Is(cause, worker.ErrCancelled) {
		return cause
	}
	return nil
}
