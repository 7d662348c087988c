package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/words"
)

// drainLimit bounds how long the ends of a window wait until nothing is left unread.
// What a link's queue held back while a segment was sent again is read in a
// millisecond; a receiver that is the bottleneck always leaves something unread.
const drainLimit = 20 * time.Millisecond

// tcpStreamServer is the receiver. It decides when the window begins and when the
// sample is over, and resets the connections, so that queued data does not run into
// the next sample.
func tcpStreamServer(ctx context.Context, r *worker.Request) (any, error) {
	var args StreamArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if err := args.check(); err != nil {
		return nil, err
	}
	listener, port, err := hot.ListenTCP(ctx, args.Addr, args.Port, args.Streams)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	if err := r.Ready(probes.Listening{Port: port}); err != nil {
		return nil, err
	}
	conns := make([]*hot.Socket, args.Streams)
	for i := range conns {
		if conns[i], err = listener.Accept(ctx); err != nil {
			return nil, err
		}
		defer conns[i].Close()
	}
	listener.Close()
	sum, err := receiveStreams(ctx, conns, &args)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, c := range conns {
		errs = append(errs, c.Reset())
	}
	return sum, errors.Join(errs...)
}

// receiveStreams receives on all connections at once and adds up what they counted.
func receiveStreams(ctx context.Context, conns []*hot.Socket, args *StreamArgs) (*Received, error) {
	info, err := conns[0].TCPInfo() // the handshake has measured the round trip, without a queue
	if err != nil {
		return nil, err
	}
	f := newFlow(args, time.Duration(info.Rtt)*time.Microsecond)
	parts := make([]Received, len(conns))
	err = onEach(args.CPU, len(conns), func(i int) error { return parts[i].sample(ctx, f, conns[i], i == 0, args) })
	if err != nil {
		return nil, err
	}
	sum := parts[0]
	for _, p := range parts[1:] {
		sum.Bytes += p.Bytes
		sum.Rate += p.Rate
	}
	if f.unsteady > 0 {
		sum.Warnings = append(sum.Warnings, words.FlowNotSteady.With(f.unsteady.Round(time.Millisecond)))
	}
	return &sum, nil
}

// onEach runs f on n pinned threads at once.
func onEach(cpu, n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = hot.OnCPU(cpu, func() error { return f(i) }) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sample receives until the flow is steady, then for the window, which it counts, and
// then for the trail.
func (r *Received) sample(ctx context.Context, f *flow, conn *hot.Socket, first bool, args *StreamArgs) error {
	b := make([]byte, readSize)
	defer hot.Keep(b)
	warmUp, errno := f.await(conn.FD, b, first)
	if errno != 0 {
		return hot.IOError(ctx, "receiving during the warm-up", errno)
	}
	before, err := hot.ReadMachineTime()
	if err != nil {
		return err
	}
	if first {
		if err := unix.Send(conn.FD, []byte{0}, unix.MSG_NOSIGNAL); err != nil {
			return fmt.Errorf("telling the sender that the window has begun: %w", os.NewSyscallError("send", err))
		}
	}
	from := f.from.Load()
	to := from + int64(args.Duration)
	var counted hot.Arrivals
	if errno = counted.Receive(conn.FD, b, to); errno == 0 {
		errno = counted.Drain(conn.FD, b, counted.Last+int64(drainLimit))
	}
	if errno != 0 {
		return hot.IOError(ctx, fmt.Sprintf("receiving, after %d bytes in %s", counted.Bytes, time.Duration(hot.Nanotime()-from).Round(time.Millisecond)), errno)
	}
	after, err := hot.ReadMachineTime()
	if err != nil {
		return err
	}
	arrived := float64(counted.Bytes) + warmUp.Since(from) - counted.Since(to)
	r.Bytes, r.Seconds, r.Machine = int64(arrived), args.Duration.Seconds(), after.Since(before)
	r.Rate = arrived / r.Seconds
	var trail hot.Arrivals
	if errno := trail.Receive(conn.FD, b, to+int64(args.Trail)); errno != 0 {
		return hot.IOError(ctx, "receiving after the window", errno)
	}
	return nil
}
