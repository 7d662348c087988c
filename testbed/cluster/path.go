package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cnibench/cnibench/probes/trickle"
)

// awaitPath sends packets between the two ends in both directions, and records how
// long after start the client's first packet reached the server. The error is a
// [*trickle.NoPacketError] if no packet arrives in one direction.
func (n *network) awaitPath(ctx context.Context, start time.Time) error {
	client, server := n.Ends()
	var there, back error
	var both sync.WaitGroup
	both.Go(func() {
		there = trickle.FirstPacket(ctx, client, server)
		n.setup.NetworkReadyMS = float64(time.Since(start).Microseconds()) / 1000
	})
	both.Go(func() { back = trickle.FirstPacket(ctx, server, client) })
	both.Wait()
	for _, err := range []error{there, back} {
		if err != nil && !errors.As(err, new(*trickle.NoPacketError)) {
			return fmt.Errorf("sending packets between the two ends: %w", err)
		}
	}
	if there != nil && back != nil {
		return fmt.Errorf("%w; %w", there, back)
	}
	return errors.Join(there, back)
}
