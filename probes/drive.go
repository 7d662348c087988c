package probes

import (
	"context"
	"errors"
	"fmt"

	"github.com/cnibench/cnibench/probes/worker"
)

// Listening is what a server role tells when it is ready.
type Listening struct {
	Port uint16 `json:"port"`
}

// waitBoth waits for a server and its client. When one fails the other is
// cancelled; both errors are told, the first to come first. A server that
// does not see its client go (over UDP) ends with the client.
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
