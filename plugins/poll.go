package plugins

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// PollInterval is the interval at which plugins check whether an agent is ready. It
// is short compared to the wait (a Go program takes about 20 ms to start), and long
// enough to leave the CPU to the agents.
const PollInterval = 10 * time.Millisecond

// Poll calls try until it returns nil or ctx ends. In the latter case, the error
// says what Poll waited for and contains try's last error.
func Poll(ctx context.Context, what string, try func() error) error {
	for {
		last := try()
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w (last: %v)", what, context.Cause(ctx), last)
		case <-time.After(PollInterval):
		}
	}
}

// HTTP returns a client that connects from the node's network namespace. Addresses
// must be numeric: names would be resolved outside it.
func HTTP(n Node) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
			err = n.Do(func() (err error) {
				conn, err = new(net.Dialer).DialContext(ctx, network, addr)
				return err
			})
			return conn, err
		},
	}}
}
