package trickle

import (
	"context"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/words"
)

// firstPacketWithin is how long no datagram may arrive before a direction counts as
// closed. It gives a node's data path some seconds to be programmed after the pods
// have started. The lab waits as long.
const firstPacketWithin = 6 * time.Second

// NoPacketError reports that no packet from one end reached the other.
type NoPacketError struct {
	From, To probes.End
	Within   time.Duration // how long datagrams were sent
	Refused  string        // last error of the sender's kernel, "" if it accepted all
}

func (e *NoPacketError) Error() string { return e.Words().String() }

// Words returns the sentence that the error consists of.
func (e *NoPacketError) Words() words.Text {
	text := words.NoPacketBetweenPods.With(e.From.Addr, e.From.NodeName, e.To.Addr, e.To.NodeName, e.Within)
	if e.Refused != "" {
		text = words.Of(text, words.SendersKernelRefuses.With(e.Refused))
	}
	return text
}

// FirstPacket makes one end send datagrams (UDP) to the other and returns when the
// first one has arrived. The error is a [*NoPacketError] if none arrived; any other
// error means that it could not be tried.
func FirstPacket(ctx context.Context, from, to probes.End) error {
	return firstPacket(ctx, from, to, firstPacketWithin)
}

func firstPacket(ctx context.Context, from, to probes.End, within time.Duration) error {
	receive, send, err := Start(ctx, "reach", from, to, Args{Every: Every, Limit: within, Arrivals: 1})
	if err != nil {
		return err
	}
	defer receive.Cancel()
	defer send.Cancel()
	var got, sent Result
	if err := receive.Wait(ctx, &got); err != nil {
		return err
	}
	if got.Count > 0 {
		return nil
	}
	send.Cancel()
	if err := send.Wait(ctx, &sent); err != nil {
		return err
	}
	return &NoPacketError{From: from, To: to, Within: within, Refused: sent.Error}
}
