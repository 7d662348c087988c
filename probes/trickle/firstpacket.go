package trickle

import (
	"context"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/words"
)

// firstPacketWithin is how long no datagram may arrive before a direction counts
// as closed: what programs a node's data path has seconds after the pods run.
// The lab waits as long.
const firstPacketWithin = 6 * time.Second

// NoPacketError says that nothing got from one end to another.
type NoPacketError struct {
	From, To probes.End
	Within   time.Duration // for which datagrams were sent
	Refused  string        // the sender's kernel's last refusal, "" if it took all
}

func (e *NoPacketError) Error() string { return e.Words().String() }

// Words is the sentence.
func (e *NoPacketError) Words() words.Text {
	text := words.NoPacketBetweenPods.With(e.From.Addr, e.From.NodeName, e.To.Addr, e.To.NodeName, e.Within)
	if e.Refused != "" {
		text = words.Of(text, words.SendersKernelRefuses.With(e.Refused))
	}
	return text
}

// FirstPacket has one end send datagrams (UDP) to the other and returns when the
// first one has arrived. A [*NoPacketError] says that none did; any other error
// says that it could not be tried.
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
