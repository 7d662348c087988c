package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cnibench/cnibench/testbed/cluster/install"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

const (
	// podMemory is a pod's memory limit: enough for a worker (worker.Memory), the
	// program that waits beside it, and what Go's limits do not count of the two.
	podMemory = "64Mi"
	// holdMemory is the soft limit (GOMEMLIMIT) of the waiting program, which takes
	// about 7 MB.
	holdMemory = "12MiB"
)

// HoldCommand is the hidden command that waits in a pod until it is removed.
const HoldCommand = install.HoldCommand

// pod is a running pod of the run.
type pod struct {
	name, node string
	plain      bool // connected by the plugin, not in the node's own network
	addr, host netip.Addr
	altered    []words.Text // what the cluster changed about it that matters to figures
	set        *podSet
	worker     *podWorker
}

// podSet holds the run's pods. Each is created once and serves all networks that
// are measured with it.
type podSet struct {
	config *Config
	space  *kube.Space
	logs   string // directory for the workers' logs

	mu      sync.Mutex
	made    map[string]*pod         // by name
	noImage map[string]error        // nodes that cannot get the image
	subnets map[string]netip.Prefix // of the nodes' own addresses, by node
	workers []*podWorker
	// assignsUsers says that the cluster assigns a pod's user ID, and refuses others
	// (OpenShift's security context constraints).
	assignsUsers bool
}

// has reports whether a pod has been created.
func (s *podSet) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made[name] != nil
}

// get returns the pod of that name. The first call creates it.
func (s *podSet) get(ctx context.Context, name, node string, hostNetwork bool) (*pod, error) {
	s.mu.Lock()
	p, absent := s.made[name], s.noImage[node]
	s.mu.Unlock()
	if p != nil {
		return p, nil
	}
	if absent != nil {
		return nil, absent
	}
	p, err := s.make(ctx, s.space.PodName(name), node, hostNetwork)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made[name] = p
	return p, nil
}

// forgetPlain stops the workers in the pods that a plugin connects, and forgets
// those pods.
func (s *podSet) forgetPlain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range s.made {
		if !p.plain {
			continue
		}
		if p.worker != nil {
			p.worker.stop()
			s.workers = slices.DeleteFunc(s.workers, func(w *podWorker) bool { return w == p.worker })
		}
		delete(s.made, name)
	}
}

// stopAll stops all workers.
func (s *podSet) stopAll() {
	var stopping sync.WaitGroup
	for _, w := range s.workers { // each takes a moment to end
		stopping.Go(w.stop)
	}
	stopping.Wait()
	s.workers = nil
}

// spec returns the specification of a pod. A plain pod conforms to the restricted
// Pod Security Standard; one in the node's network may also capture packets, and
// nothing else.
func (s *podSet) spec(name, node string, hostNetwork bool) *core.Pod {
	yes, no, user := true, false, int64(65532)
	security := &core.SecurityContext{AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, RunAsNonRoot: &yes, RunAsUser: &user,
		Capabilities:   &core.Capabilities{Drop: []core.Capability{"ALL"}},
		SeccompProfile: &core.SeccompProfile{Type: core.SeccompProfileTypeRuntimeDefault}}
	if s.assignsUsers {
		security.RunAsUser = nil
	}
	if hostNetwork {
		root := int64(0) // Kubernetes grants capabilities only to root
		security.RunAsNonRoot, security.RunAsUser = &no, &root
		security.Capabilities.Add = []core.Capability{"NET_RAW"}
	}
	life, grace := int64(s.config.Life.Seconds()), int64(0)
	p := &core.Pod{ObjectMeta: s.space.Meta(name)}
	p.Labels[podLabel], p.Labels[install.NetworkLabel] = name, install.PluginPod
	if hostNetwork {
		p.Labels[install.NetworkLabel] = install.HostPod
	}
	refuseProxies(&p.ObjectMeta)
	p.Spec = core.PodSpec{HostNetwork: hostNetwork, RestartPolicy: core.RestartPolicyNever, ActiveDeadlineSeconds: &life, TerminationGracePeriodSeconds: &grace,
		DNSPolicy: core.DNSClusterFirst, EnableServiceLinks: &no, AutomountServiceAccountToken: &no,
		NodeSelector: s.config.NodeSelector, Tolerations: s.config.Tolerations,
		Affinity: kube.OnNode(node),
		Containers: []core.Container{{Name: kube.Container, Image: s.config.Image, ImagePullPolicy: core.PullIfNotPresent, Args: []string{HoldCommand},
			Env:             []core.EnvVar{{Name: "GOMEMLIMIT", Value: holdMemory}},
			SecurityContext: security, Resources: core.ResourceRequirements{
				Requests: s.config.requests(),
				Limits:   s.config.limits()}}}}
	if s.config.PullSecret != "" {
		p.Spec.ImagePullSecrets = []core.LocalObjectReference{{Name: s.config.PullSecret}}
	}
	if s.config.Install != nil {
		p.Spec.Tolerations = slices.Concat(p.Spec.Tolerations, kube.TolerateNetworkTaints())
	}
	return p
}

// requests returns the resources that a pod requests.
func (c *Config) requests() core.ResourceList {
	all := core.ResourceList{core.ResourceMemory: resource.MustParse(podMemory), core.ResourceCPU: resource.MustParse("50m")}
	maps.Copy(all, c.Requests)
	return all
}

// limits returns the resources that a pod may use at most. The CPU is not limited
// unless the user does so, because a limit would be measured instead of the network.
func (c *Config) limits() core.ResourceList {
	all := core.ResourceList{core.ResourceMemory: resource.MustParse(podMemory)}
	maps.Copy(all, c.Limits)
	return all
}

// make creates a pod and waits until it runs on its node. A pod that does not run
// is deleted, so that the next network can try again.
func (s *podSet) make(ctx context.Context, name, node string, hostNetwork bool) (*pod, error) {
	p, err := s.try(ctx, name, node, hostNetwork)
	if err != nil && !apierrors.IsAlreadyExists(err) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), kube.RemoveWithin)
		defer cancel()
		grace := int64(0)
		if s.config.Install != nil && !hostNetwork {
			grace = 1 // so that its node takes it down while the plugin is there, see kube.Client.RemovePods
		}
		deleted := s.space.CoreV1().Pods(s.space.Name).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &grace})
		if deleted != nil && !apierrors.IsNotFound(deleted) {
			err = errors.Join(err, fmt.Errorf("deleting the pod %s: %w", name, deleted))
		}
	}
	return p, err
}

func (s *podSet) try(ctx context.Context, name, node string, hostNetwork bool) (p *pod, err error) {
	pods := s.space.CoreV1().Pods(s.space.Name)
	if _, err := pods.Create(ctx, s.spec(name, node, hostNetwork), metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("creating the pod %s: %w", name, kube.Refused("pod", err))
	}
	lacksImage := false
	err = kube.Await(ctx, words.PodToRun.With(name, node), func(ctx context.Context) error {
		found, err := pods.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if found.Status.Phase == core.PodRunning && found.Status.PodIP != "" {
			if p, err = s.placed(found, node, hostNetwork); err != nil {
				return kube.Final(err)
			}
			return nil
		}
		why, final := kube.WaitingFor(found)
		if !final {
			return words.Error(why)
		}
		lacksImage = kube.LacksImage(found)
		return kube.Final(words.Error(words.PodCannotRun.With(name, node, why)))
	})
	if err != nil {
		err = s.explained(ctx, name, err)
	}
	if lacksImage {
		s.noteImage(node, err)
	}
	return p, err
}

// eventsWithin bounds the reading of a pod's events.
const eventsWithin = 5 * time.Second

// explained adds to the error of a pod that does not run what the cluster reports of
// the pod, unless the error says it already or the run was interrupted.
func (s *podSet) explained(ctx context.Context, name string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventsWithin)
	defer cancel()
	said, failed := s.space.LastWarning(ctx, s.space.Name, name)
	switch {
	case apierrors.IsForbidden(failed):
		return words.Error(words.EventsNotAllowed.With(err), err)
	case failed != nil:
		return words.Error(words.EventsUnread.With(err, failed), err)
	case said.Message == "" || strings.Contains(err.Error(), said.Message):
		return err
	}
	return words.Error(words.ClusterReports.With(err, said.Words()), err)
}

// noteImage remembers that a node cannot get the image, so that later pods need
// not find out again.
func (s *podSet) noteImage(node string, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noImage[node] = cause
}

// placed checks that a pod runs where it should.
func (s *podSet) placed(p *core.Pod, node string, hostNetwork bool) (*pod, error) {
	addr, err := netip.ParseAddr(p.Status.PodIP)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the pod %s: %w", p.Name, err)
	}
	host, err := netip.ParseAddr(p.Status.HostIP)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the node %s: %w", node, err)
	}
	switch {
	case p.Spec.NodeName != node:
		return nil, fmt.Errorf("the pod %s runs on %s and not on %s", p.Name, p.Spec.NodeName, node)
	case hostNetwork != (addr == host):
		return nil, fmt.Errorf("the pod %s has the address %s on a node with %s: it is not in the network that was asked for", p.Name, addr, host)
	}
	return &pod{name: p.Name, node: node, plain: !hostNetwork, addr: addr, host: host, altered: s.config.alterations(p), set: s}, nil
}
