package plugins

import (
	"fmt"
	"sync"
)

// Leases gives every pod an address or an interface of its own. It keeps the ones
// that pods return and reuses them before it asks the cloud for more.
type Leases[T any] struct {
	// Ask requests another one from the cloud.
	Ask func(n Node) (T, error)
	// Conf returns the CNI configuration of a pod that has it.
	Conf func(n Node, t T) ([]byte, error)
	// Begin prepares the node for the pod, and End undoes that. Either may be nil.
	Begin, End func(n Node, t T) error

	mu   sync.Mutex
	free map[Node][]T
	used map[string]T // by node and CNI configuration
}

// Deployment returns a deployment whose pods hold leases.
func (l *Leases[T]) Deployment() *Deployment {
	l.free, l.used = map[Node][]T{}, map[string]T{}
	return &Deployment{ConfList: l.confList, Release: l.release}
}

func (l *Leases[T]) confList(n Node) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, err := l.take(n)
	if err != nil {
		return nil, err
	}
	if l.Begin != nil {
		if err := l.Begin(n, t); err != nil {
			return nil, fmt.Errorf("preparing %s for a pod: %w", n.Name(), err)
		}
	}
	list, err := l.Conf(n, t)
	if err != nil {
		return nil, err
	}
	l.used[n.Name()+string(list)] = t
	return list, nil
}

func (l *Leases[T]) take(n Node) (T, error) {
	if free := l.free[n]; len(free) > 0 {
		t := free[0]
		l.free[n] = free[1:]
		return t, nil
	}
	return l.Ask(n)
}

func (l *Leases[T]) release(n Node, list []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := n.Name() + string(list)
	t, ok := l.used[key]
	if !ok {
		return fmt.Errorf("releasing a pod's lease: no pod on %s has this CNI configuration", n.Name())
	}
	delete(l.used, key)
	l.free[n] = append(l.free[n], t)
	if l.End == nil {
		return nil
	}
	return l.End(n, t)
}
