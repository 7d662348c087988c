package install

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// Installable returns why a plugin of the catalogue cannot be installed by its name,
// or nil if it can.
func Installable(plugin string) error {
	_, err := (&Installer{}).recipe(plugin)
	return err
}

// BesideOthersFlag is the flag by which the user accepts that other users' pods may
// lose their network.
const BesideOthersFlag = "others-pods-may-lose-their-network"

// OthersError says that a cluster is not disposable because it runs other users'
// pods.
type OthersError struct{ Pods []string }

func (e *OthersError) Error() string {
	named := e.Pods
	more := ""
	if len(named) > 5 {
		named, more = named[:5], fmt.Sprintf(" and %d more", len(e.Pods)-5)
	}
	return fmt.Sprintf("--install is for a disposable cluster, but this one runs other pods, which would lose their network: %s%s (to install anyway, give --%s)",
		strings.Join(named, ", "), more, BesideOthersFlag)
}

// CheckDisposable checks that plugins may be installed: there are no other users'
// pods outside kube-system and no plugin on the nodes, and each node can run the
// run's image, which is for the architecture arch, to remove what a plugin leaves
// there.
func CheckDisposable(ctx context.Context, c *kube.Client, o Options, arch string) error {
	if !o.BesideOthers {
		others, err := othersPods(ctx, c)
		if err != nil {
			return err
		}
		if len(others) > 0 {
			return &OthersError{others}
		}
	}
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if why := kube.Foreign(n, arch); !why.Empty() {
			return fmt.Errorf("--install installs plugins on all nodes, but could not remove them from %s: %s", n.Name, why)
		}
	}
	return awaitBare(ctx, c)
}

// othersPods names the pods outside kube-system that no run has created.
func othersPods(ctx context.Context, c *kube.Client) (others []string, err error) {
	left, err := c.Left(ctx)
	if err != nil {
		return nil, err
	}
	ours := []string{metav1.NamespaceSystem}
	for _, n := range left {
		ours = append(ours, n.Name)
	}
	pods, err := c.ListPods(ctx, metav1.NamespaceAll, "")
	if err != nil {
		return nil, fmt.Errorf("looking for other users' pods: %w", err)
	}
	for _, p := range pods {
		if !slices.Contains(ours, p.Namespace) {
			others = append(others, p.Namespace+"/"+p.Name)
		}
	}
	return others, nil
}

// bareWithin is how long nodes may still report a network after a plugin was
// removed: the kubelet checks every 5 s and reports every 10 s (its
// nodeStatusUpdateFrequency).
const bareWithin = 20 * time.Second

// awaitBare waits until no node has a network for pods.
func awaitBare(ctx context.Context, c *kube.Client) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bareWithin, testbed.NotWithin(bareWithin))
	defer cancel()
	return kube.Await(ctx, words.Quote("nodes without a network plugin"), func(ctx context.Context) error {
		nodes, err := c.Nodes(ctx)
		if err != nil {
			return kube.Final(err)
		}
		if i := slices.IndexFunc(nodes, kube.Ready); i >= 0 {
			return fmt.Errorf("the node %s already has a network: remove its plugin first, or measure that plugin without --install", nodes[i].Name)
		}
		return nil
	})
}
