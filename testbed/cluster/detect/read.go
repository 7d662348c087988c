package detect

import (
	"context"
	"errors"
	"slices"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// Kinds of objects that are read. manifests/cluster/role-detect.yaml grants all of
// them.
var (
	daemonSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"}
	// manifests/calico.yaml of Calico v3.28.5; the second group holds the same objects
	// where Calico's API server or its native v3 objects (v3.32) serve them
	calicoGroups = []schema.GroupVersion{{Group: "crd.projectcalico.org", Version: "v1"}, {Group: "projectcalico.org", Version: "v3"}}
	// manifests/ocp/operator.tigera.io_installations_crd.yaml of Calico v3.28.5
	installations = schema.GroupVersionResource{Group: "operator.tigera.io", Version: "v1", Resource: "installations"}
)

// state is what was read from a cluster. Readers of the plugins' configuration
// are functions of it.
type state struct {
	nodes []core.Node // those that may be measured
	sets  []daemonSet // that run pods
	// setsRead says that the list of DaemonSets is complete.
	setsRead     bool
	maps         map[at]map[string]string // the data of ConfigMaps
	pools        []pool
	poolsRead    bool // the user may list Calico's pools, which may be none
	felix        felix
	installation installation
	unread       []string     // what the user may not read
	failed       []words.Text // what could not be read for another reason
}

// at is the place of an object in a namespace.
type at struct{ namespace, name string }

func (a at) configMap() words.Text {
	return words.Quote(results.Printable("ConfigMap " + a.namespace + "/" + a.name))
}

// read reads everything that may say something about the plugin.
func read(ctx context.Context, c *kube.Client, nodes []core.Node) *state {
	s := &state{nodes: nodes, maps: map[at]map[string]string{}}
	s.readSets(ctx, c)
	for _, place := range s.places() {
		m, err := c.CoreV1().ConfigMaps(place.namespace).Get(ctx, place.name, metav1.GetOptions{})
		if s.may(err, readMaps) {
			s.maps[place] = m.Data
		}
	}
	s.readCalico(ctx, c)
	slices.SortStableFunc(s.unread, func(a, b string) int { return slices.Index(readOrder, a) - slices.Index(readOrder, b) })
	return s
}

// What is read, in the order in which it is named to a user who may not read it.
const (
	readMaps          = "ConfigMaps"
	readPools         = "IPPools of Calico"
	readSets          = "DaemonSets"
	readFelix         = "FelixConfigurations of Calico"
	readInstallations = "Installations of Calico's operator"
)

var readOrder = []string{readMaps, readPools, readSets, readFelix, readInstallations}

// may reports whether something was read. It notes why not, unless the object does
// not exist, which is no evidence.
func (s *state) may(err error, what string) bool {
	switch {
	case err == nil:
		return true
	case apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err):
		if !slices.Contains(s.unread, what) {
			s.unread = append(s.unread, what)
		}
	case apierrors.IsNotFound(err) || errors.Is(err, context.Canceled):
	default:
		if t := words.CannotRead.With(what, results.Printable(err.Error())); !slices.Contains(s.failed, t) {
			s.failed = append(s.failed, t)
		}
	}
	return false
}

// daemonSet is the part of a DaemonSet that tells which agent it runs.
type daemonSet struct {
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Template struct {
			Spec struct {
				NodeSelector map[string]string `json:"nodeSelector"`
				Containers   []container       `json:"containers"`
				Volumes      []struct {
					ConfigMap struct {
						Name string `json:"name"`
					} `json:"configMap"`
				} `json:"volumes"`
			} `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
	Status struct {
		// Desired is nil if no controller has counted the nodes yet.
		Desired *int64 `json:"desiredNumberScheduled"`
	} `json:"status"`
}

type container struct {
	Name    string   `json:"name"`
	Image   string   `json:"image"`
	Command []string `json:"command"`
	Args    []string `json:"args"`
	Env     []struct {
		Name      string `json:"name"`
		Value     string `json:"value"`
		ValueFrom struct {
			ConfigMap struct {
				Name string `json:"name"`
				Key  string `json:"key"`
			} `json:"configMapKeyRef"`
		} `json:"valueFrom"`
	} `json:"env"`
}

func (d daemonSet) text() words.Text {
	return words.Quote(results.Printable("DaemonSet " + d.Metadata.Namespace + "/" + d.Metadata.Name))
}

// mounted lists the ConfigMaps that a DaemonSet's pods mount. Generators of manifests
// append hashes to their names.
func (d daemonSet) mounted() []at {
	var all []at
	for _, v := range d.Spec.Template.Spec.Volumes {
		if name := v.ConfigMap.Name; name != "" {
			all = append(all, at{d.Metadata.Namespace, name})
		}
	}
	return all
}

// commandLine returns the options of a DaemonSet's containers.
func (d daemonSet) commandLine() []string {
	var all []string
	for _, c := range d.Spec.Template.Spec.Containers {
		all = append(append(all, c.Command...), c.Args...)
	}
	return all
}

// runs reports whether a DaemonSet has pods: its controller wants some or, if
// that has not counted yet, a node matches its selector.
func (d daemonSet) runs(nodes []core.Node) bool {
	if d.Status.Desired != nil {
		return *d.Status.Desired > 0
	}
	selector := d.Spec.Template.Spec.NodeSelector
	return len(selector) == 0 || slices.ContainsFunc(nodes, func(n core.Node) bool {
		for key, value := range selector {
			if n.Labels[key] != value {
				return false
			}
		}
		return true
	})
}

// readSets reads the DaemonSets that run pods.
func (s *state) readSets(ctx context.Context, c *kube.Client) {
	list, err := c.Dynamic.Resource(daemonSets).List(ctx, metav1.ListOptions{})
	if !s.may(err, readSets) {
		return
	}
	s.setsRead = true
	for _, item := range list.Items {
		var d daemonSet
		if decode(item, &d) && d.runs(s.nodes) {
			s.sets = append(s.sets, d)
		}
	}
}

// decode reads the fields of an object. An object with fields of other types is no
// evidence.
func decode(from unstructured.Unstructured, into any) bool {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(from.Object, into) == nil
}

// places lists the ConfigMaps that are read: those of the manifests, and those
// beside agents that run in other namespaces.
func (s *state) places() []at {
	all := slices.Concat(flannelMaps, ciliumMaps, []at{terwayMap, antreaMap, calicoMap})
	for _, d := range s.sets {
		a, known := agentOf(d)
		if !known || a.config == "" {
			continue
		}
		for _, place := range append([]at{{d.Metadata.Namespace, a.config}}, d.mounted()...) {
			if !slices.Contains(all, place) {
				all = append(all, place)
			}
		}
	}
	return all
}

// env returns the value of an environment variable of a DaemonSet's containers, and
// whether one sets it. A value from a ConfigMap is known if that was read.
func (s *state) env(d daemonSet, name string) (string, bool) {
	for _, c := range d.Spec.Template.Spec.Containers {
		for _, e := range c.Env {
			if e.Name != name {
				continue
			}
			if from := e.ValueFrom.ConfigMap; from.Name != "" {
				value, ok := s.maps[at{d.Metadata.Namespace, from.Name}][from.Key]
				return value, ok
			}
			return e.Value, true
		}
	}
	return "", false
}

// setOf returns the DaemonSet that runs an agent of a family.
func (s *state) setOf(f family) (daemonSet, bool) {
	for _, d := range s.sets {
		if a, known := agentOf(d); known && a.family == f {
			return d, true
		}
	}
	return daemonSet{}, false
}

// runsProxy reports whether kube-proxy runs as a DaemonSet.
func (s *state) runsProxy() bool {
	return slices.ContainsFunc(s.sets, func(d daemonSet) bool { return d.Metadata.Name == "kube-proxy" })
}

// labelled returns how many nodes have a label with one of the values, and how many
// there are.
func (s *state) labelled(key string, values ...string) (some, all int) {
	for _, n := range s.nodes {
		if slices.Contains(values, n.Labels[key]) {
			some++
		}
	}
	return some, len(s.nodes)
}
