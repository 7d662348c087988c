package probes

import (
	"context"
	"net/netip"
	"time"

	"github.com/cnibench/cnibench/words"
)

// ServiceKind is how a Service is reached.
type ServiceKind string

// The kinds of Services that probes ask for.
const (
	ClusterIP ServiceKind = "cluster-ip" // at an address of its own in the cluster
	NodePort  ServiceKind = "node-port"  // at a port of every node as well
	Headless  ServiceKind = "headless"   // only by its name, which the cluster's DNS resolves to the pod's address
)

// Service is a Service with the server's pod, and no other, behind it.
type Service struct {
	Name, Namespace string
	Addr            netip.AddrPort // its ClusterIP and port; invalid if it is headless
	NodePort        uint16         // on every node; 0 unless it is a NodePort
	Port            uint16         // that the pod listens on
	Made            time.Time      // when it was created
}

// ServiceOf returns a Service of a kind in front of the server. The error is a
// [NotHereError] if the testbed has none.
func (s *Site) ServiceOf(ctx context.Context, kind ServiceKind) (*Service, error) {
	if s.Service == nil {
		return nil, &NotHereError{words.NoServices}
	}
	return s.Service(ctx, kind)
}

// Passes remembers over which paths of a network something has arrived. A path that has
// never carried anything does not exist here; one that has is broken if it no longer
// does. A nil Passes remembers nothing.
type Passes map[string]bool

// Note remembers that something has arrived over a path.
func (p Passes) Note(path string) {
	if p != nil {
		p[path] = true
	}
}
