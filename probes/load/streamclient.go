package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/words"
)

// tcpStreamClient sends until the receiver resets the connections. It is ready when
// the receiver's window begins.
func tcpStreamClient(ctx context.Context, r *worker.Request) (any, error) {
	var args StreamArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if err := args.check(); err != nil {
		return nil, err
	}
	senders := make([]sender, args.Streams)
	for i := range senders {
		if err := senders[i].open(ctx, &args); err != nil {
			return nil, err
		}
		defer senders[i].conn.Close()
	}
	begin := hot.Nanotime()
	var start windowStart
	marked := make(chan struct{})
	go func() {
		defer close(marked)
		if start.await(senders); start.err == nil {
			start.err = r.Ready(struct{}{})
		}
	}()
	err := onEach(args.CPU, args.Streams, func(i int) error { return senders[i].send(ctx, begin, &args) })
	unix.Shutdown(senders[0].conn.FD, unix.SHUT_RDWR) // ends the wait if the streams failed before the window
	<-marked
	if err := errors.Join(err, start.err); err != nil {
		return nil, err
	}
	now, err := hot.ReadMachineTime()
	if err != nil {
		return nil, err
	}
	result := Transmitted{Machine: now.Since(start.machine), Congestion: senders[0].congestion, Warnings: senders[0].warnings}
	for i := range senders {
		if err := senders[i].addTo(&result, start.infos[i]); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// windowStart is the sender's state when the receiver's window begins.
type windowStart struct {
	machine hot.MachineTime
	infos   []*unix.TCPInfo // of each connection
	err     error
}

// await waits for the byte by which the receiver says that its window begins, and
// reads the state of the machine and of the connections.
func (w *windowStart) await(senders []sender) {
	var mark [1]byte
	n, err := 0, error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		n, _, err = unix.Recvfrom(senders[0].conn.FD, mark[:], 0)
	}
	if n <= 0 { // the end of the stream, or a reset
		w.err = errors.New("sending: the sample ended during its warm-up")
		return
	}
	if w.machine, w.err = hot.ReadMachineTime(); w.err != nil {
		return
	}
	w.infos = make([]*unix.TCPInfo, len(senders))
	for i := range senders {
		if w.infos[i], w.err = senders[i].conn.TCPInfo(); w.err != nil {
			return
		}
	}
}

// sender is the sending end of one connection.
type sender struct {
	conn       *hot.Socket
	congestion string
	warnings   []words.Text
}

func (s *sender) open(ctx context.Context, args *StreamArgs) (err error) {
	if s.conn, err = hot.ConnectTCP(ctx, args.Peer); err != nil {
		return err
	}
	if s.congestion, s.warnings, err = s.conn.SetCongestionControl(); err == nil && args.Zerocopy {
		if err = unix.SetsockoptInt(s.conn.FD, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1); err != nil {
			err = fmt.Errorf("enabling MSG_ZEROCOPY: %w", os.NewSyscallError("setsockopt", err))
		}
	}
	if err != nil {
		s.conn.Close()
	}
	return err
}

// send sends for a whole sample.
func (s *sender) send(ctx context.Context, begin int64, args *StreamArgs) error {
	b := make([]byte, writeSize)
	defer hot.Keep(b)
	loop := hot.Transmit
	if args.Zerocopy {
		loop = hot.TransmitZerocopy
	}
	_, _, errno := loop(s.conn.FD, b)
	// The receiver ends a sample with a reset, after the warm-up and the counted part
	// at the earliest. The two ends started at most one connection setup apart.
	early := hot.Nanotime()-begin < int64(args.WarmUp)+int64(args.Duration)*9/10
	if errno != unix.ECONNRESET && errno != unix.EPIPE || early || ctx.Err() != nil {
		return hot.IOError(ctx, "sending", errno)
	}
	return nil
}

// addTo adds what has happened on the connection since the window began to t.
func (s *sender) addTo(t *Transmitted, atStart *unix.TCPInfo) error {
	info, err := s.conn.TCPInfo()
	if err != nil {
		return err
	}
	t.Retransmits += int64(info.Total_retrans - atStart.Total_retrans)
	rtt := atStart.Rtt
	if info.Rtt != 0 {
		rtt = info.Rtt
	}
	t.RTT = max(t.RTT, (time.Duration(rtt) * time.Microsecond).Seconds())
	t.MSS = int(atStart.Snd_mss)
	return nil
}
