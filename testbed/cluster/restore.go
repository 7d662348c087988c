package cluster

import (
	"context"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

const (
	// restoreWithin bounds the replacement of a lost worker. It is long enough for
	// the restart of an API server and shorter than the outage of a node.
	restoreWithin = 30 * time.Second
	// answersWithin bounds the time to a worker's answer, which passes through the
	// kubelet and the API server.
	answersWithin = 3 * time.Second
)

var _ testbed.Restorer = (*network)(nil)

// pods returns the pods that the network is measured with.
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

// Restore restarts workers whose stream has ended or that do not answer, and
// recreates pods that are gone. See [testbed.Restorer].
func (n *network) Restore(ctx context.Context) (words.Text, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, restoreWithin, fmt.Errorf("not back within %s: %w", restoreWithin, context.DeadlineExceeded))
	defer cancel()
	var said []words.Text
	for _, p := range n.pods() {
		what, err := p.restore(ctx)
		if err != nil {
			return words.Clauses(said...), err
		}
		if !what.Empty() {
			said = append(said, what)
		}
	}
	return words.Clauses(said...), nil
}

// restore makes sure that the pod's worker answers, and says what was necessary.
func (p *pod) restore(ctx context.Context) (words.Text, error) {
	lost := p.answers(ctx)
	if lost == nil {
		return words.Text{}, nil
	}
	if p.ended() {
		lost = words.Error(p.why())
	}
	p.worker.stop()
	var how words.Text
	err := kube.Await(ctx, words.AnotherWorker, func(ctx context.Context) (err error) {
		how, err = p.again(ctx)
		return err
	})
	if err != nil {
		return words.Text{}, fmt.Errorf("the worker in %s on %s was lost (%w): %w", p.name, p.node, lost, err)
	}
	return words.WorkerLost.With(p.name, p.node, lost, how), nil
}

// answers checks that the worker answers.
func (p *pod) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answersWithin, fmt.Errorf("no answer within %s: %w", answersWithin, context.DeadlineExceeded))
	defer cancel()
	return p.worker.Answers(ctx)
}

// again tries to restart the worker, in a new pod if the old one is gone.
func (p *pod) again(ctx context.Context) (how words.Text, err error) {
	how = words.StartedAgain
	pods := p.set.space.CoreV1().Pods(p.set.space.Name)
	asking, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	found, err := pods.Get(asking, p.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		how = words.PodRecreated
		err = p.remake(ctx)
	case err != nil:
	case found.DeletionTimestamp != nil:
		err = fmt.Errorf("the pod %s is being deleted", p.name)
	case found.Status.Phase == core.PodFailed || found.Status.Phase == core.PodSucceeded:
		why, _ := kube.WaitingFor(found)
		how = words.EndedPodRecreated.With(why)
		now := int64(0)
		if err = pods.Delete(asking, p.name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err == nil {
			err = p.remake(ctx)
		}
	}
	if err == nil {
		err = p.start()
	}
	if err != nil {
		return words.Text{}, err
	}
	if err = p.answers(ctx); err != nil {
		if p.ended() {
			err = words.Error(p.why())
		}
		p.worker.stop()
	}
	return how, err
}

// remake recreates the pod, which may change its address.
func (p *pod) remake(ctx context.Context) error {
	made, err := p.set.make(ctx, p.name, p.node, !p.plain)
	if err != nil {
		return err
	}
	p.addr, p.host, p.altered = made.addr, made.host, made.altered
	return nil
}
