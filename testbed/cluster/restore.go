package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cnibench/cnibench/testbed"
)

const (
	// restoreWithin bounds the time in which a lost worker must be back: an API
	// server is restarted within it; a node that is gone stays away for longer.
	restoreWithin = 30 * time.Second
	// answersWithin is how long a worker may take to answer. It does so at once;
	// the API server and the kubelet are on the way.
	answersWithin = 3 * time.Second
)

var _ testbed.Restorer = (*network)(nil)

// pods are those that the network is measured with.
func (n *network) pods() []*pod {
	var all []*pod
	for _, e := range n.ends {
		for _, p := range []*pod{e.pod, e.node} {
			if p != nil && (len(all) == 0 || all[len(all)-1] != p) { // the baseline's pod is the node's
				all = append(all, p)
			}
		}
	}
	return all
}

// Restore starts workers again whose stream has ended or that do not answer,
// and makes pods again that are gone.
func (n *network) Restore(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, restoreWithin, fmt.Errorf("not back within %s: %w", restoreWithin, context.DeadlineExceeded))
	defer cancel()
	var said []string
	for _, p := range n.pods() {
		what, err := p.restore(ctx)
		if err != nil {
			return strings.Join(said, "; "), err
		}
		if what != "" {
			said = append(said, what)
		}
	}
	return strings.Join(said, "; "), nil
}

// restore makes sure that the pod's worker answers, and says what it took.
func (p *pod) restore(ctx context.Context) (string, error) {
	lost := p.answers(ctx)
	if lost == nil {
		return "", nil
	}
	if p.ended() {
		lost = errors.New(p.why())
	}
	p.worker.stop()
	for {
		how, err := p.again(ctx)
		if err == nil {
			return fmt.Sprintf("the worker in %s on %s was lost (%v) and %s", p.name, p.node, lost, how), nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the worker in %s on %s was lost (%w) and is %w; the last attempt: %w", p.name, p.node, lost, context.Cause(ctx), err)
		case <-time.After(pollEvery):
		}
	}
}

// answers asks the worker for a sign of life.
func (p *pod) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answersWithin, fmt.Errorf("no answer within %s: %w", answersWithin, context.DeadlineExceeded))
	defer cancel()
	return p.worker.Answers(ctx)
}

// again tries to start the worker once more, in a new pod where the old one is
// gone.
func (p *pod) again(ctx context.Context) (how string, err error) {
	how = "started again"
	pods := p.cluster.client.CoreV1().Pods(p.cluster.namespace)
	asking, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	found, err := pods.Get(asking, p.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		how = "its pod, which was deleted, made again"
		err = p.remake(ctx)
	case err != nil:
	case found.DeletionTimestamp != nil:
		err = fmt.Errorf("the pod %s is being deleted", p.name)
	case found.Status.Phase == core.PodFailed || found.Status.Phase == core.PodSucceeded:
		why, _ := waitingFor(found)
		how = fmt.Sprintf("its pod, which has ended (%s), made again", why)
		now := int64(0)
		if err = pods.Delete(asking, p.name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err == nil {
			err = p.remake(ctx)
		}
	}
	if err == nil {
		err = p.start()
	}
	if err != nil {
		return "", err
	}
	if err = p.answers(ctx); err != nil {
		if p.ended() {
			err = errors.New(p.why())
		}
		p.worker.stop()
	}
	return how, err
}

// remake makes the pod again; it has another address then.
func (p *pod) remake(ctx context.Context) error {
	made, err := p.cluster.makePod(ctx, p.name, p.node, !p.plain)
	if err != nil {
		return err
	}
	p.addr, p.host = made.addr, made.host
	return nil
}
