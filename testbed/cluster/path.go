package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cnibench/cnibench/probes"
)

// awaitPath sends packets between the two ends, both ways, and notes how long
// after start the client's first one reached the server. A way that is closed is
// a [*probes.NoPacketError].
func (n *network) awaitPath(ctx context.Context, start time.Time) error {
	client, server := n.Ends()
	var there, back error
	var both sync.WaitGroup
	both.Go(func() {
		there = probes.FirstPacket(ctx, client, server)
		n.setup.NetworkReadyMS = float64(time.Since(start).Microseconds()) / 1000
	})
	both.Go(func() { back = probes.FirstPacket(ctx, server, client) })
	both.Wait()
	for _, err := range []error{there, back} {
		if err != nil && !errors.As(err, new(*probes.NoPacketError)) {
			return fmt.Errorf("sending packets between the two ends: %w", err)
		}
	}
	if there != nil && back != nil {
		return fmt.Errorf("%w; %w", there, back)
	}
	return errors.Join(there, back)
}
