package probes

import (
	"context"
	"errors"
	"fmt"

	"github.com/cnibench/cnibench/probes/worker"
)

// Listening is what a server role reports when it is ready.
type Listening struct {
	Port uint16 `json:"port"`
}

// waitBoth waits for a server and its client. If one fails, it cancels the other
// and returns both errors in the order in which they occurred. It cancels the
// server once the client has ended, because over UDP a server does not notice.
func waitBoth(ctx context.Context, server, client *worker.Call, serverResult, clientResult any) error {
	serverDone := make(chan error, 1)
	clientDone := make(chan error, 1)
	go func() { serverDone <- server.Wait(ctx, serverResult) }()
	go func() { clientDone <- client.Wait(ctx, clientResult) }()
	var first, second error
	select {
	case first = <-serverDone:
		if first != nil {
			client.Cancel()
		}
		second = <-clientDone
	case first = <-clientDone:
		server.Cancel()
		second = <-serverDone
	}
	switch {
	case first == nil:
		return second
	case second == nil || errors.Is(second, worker.ErrCancelled):
		return first
	}
	return fmt.Errorf("%w; %w", first, second)
}
