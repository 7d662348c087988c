package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// NetworkLabel is on each pod of a run and says which network the pod is in: that
// of the plugin (PluginPod) or that of the node.
const (
	NetworkLabel = "cnibench.io/network"
	PluginPod    = "pod"
	HostPod      = "host"
)

const (
	// removeWithin bounds the removal of a plugin from all nodes.
	removeWithin = 3 * time.Minute
	// hangsAfter is how long an object may take to disappear after it was deleted. A
	// DaemonSet's pods have 30 s to end, unless its manifest gives them more.
	hangsAfter = 45 * time.Second
)

// Remove removes the plugin that the run has installed: first the run's pods, while
// the plugin can still take their networks down, then its objects in the reverse
// order of their creation, then what it left on the nodes. What is left after that
// and was not there before is returned.
func (i *Installer) Remove(ctx context.Context) ([]Left, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, removeWithin, testbed.NotWithin(removeWithin))
	defer cancel()
	var made record
	found, err := i.kept(ctx, recordName, &made)
	if err != nil || !found {
		return nil, err
	}
	if err := i.Client.RemovePods(ctx, i.Namespace, NetworkLabel+"="+PluginPod); err != nil {
		return nil, err
	}
	ran, err := i.agentsRan(ctx, made)
	if err != nil {
		return nil, err
	}
	removed := i.removeObjects(ctx, made)
	left, cleaned := i.cleanNodes(ctx, made, ran)
	if err := errors.Join(removed, cleaned); err != nil {
		return left, err
	}
	return left, i.unkeep(ctx, recordName)
}

// agentsRan returns the nodes on which the agents of a known plugin have run. Where
// they have not, because their image is missing, they have left nothing that needs
// that image to remove.
func (i *Installer) agentsRan(ctx context.Context, made record) (map[string]bool, error) {
	ran := map[string]bool{}
	if !made.Known {
		return ran, nil
	}
	pods, err := i.Client.ListPods(ctx, i.Namespace, "!"+NetworkLabel)
	if err != nil {
		return nil, err
	}
	for _, p := range pods {
		if slices.ContainsFunc(p.Status.ContainerStatuses, func(s core.ContainerStatus) bool { return s.ContainerID != "" && sameImage(p, s.Name, made.Image) }) {
			ran[p.Spec.NodeName] = true
		}
	}
	return ran, nil
}

// sameImage reports whether a container was made of an image.
func sameImage(p core.Pod, container, image string) bool {
	return slices.ContainsFunc(p.Spec.Containers, func(c core.Container) bool { return c.Name == container && c.Image == image })
}

// removeObjects deletes the recorded objects that carry the run's label, and waits
// for each until it is gone. It goes on if one of them hangs, and names it.
func (i *Installer) removeObjects(ctx context.Context, made record) error {
	var errs []error
	if !made.Known {
		// Whoever finishes objects of the new kinds may be about to be removed.
		for _, r := range made.Objects {
			if r.isKind() {
				errs = append(errs, i.finish(ctx, r))
			}
		}
	}
	for _, r := range slices.Backward(made.Objects) {
		if err := i.remove(ctx, r); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// remove deletes an object and waits until it is gone.
func (i *Installer) remove(ctx context.Context, r ref) error {
	ctx, cancel := context.WithTimeoutCause(ctx, hangsAfter, testbed.NotWithin(hangsAfter))
	defer cancel()
	if r.isNamespace() {
		// Others' objects in it are removed with it, as by kubectl delete.
		return i.removeNamespace(ctx, r)
	}
	deleted := false
	return kube.Await(ctx, words.Quote("the deletion of the "+r.String()), func(ctx context.Context) error {
		o, err := i.at(r).Get(ctx, r.Name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		case o.GetLabels()[kube.RunLabel] != i.run():
			return nil // it is somebody else's: it existed before, or was created since
		}
		if !deleted {
			if err := i.delete(ctx, r, o); err != nil && !apierrors.IsNotFound(err) {
				return err
			}
			deleted = true
		}
		return hanging(o)
	})
}

// delete deletes an object, if it is still the same one. A workload goes only after
// its pods.
func (i *Installer) delete(ctx context.Context, r ref, o *unstructured.Unstructured) error {
	how, uid := metav1.DeletePropagationBackground, o.GetUID()
	if r.Group == "apps" || r.Group == "batch" {
		how = metav1.DeletePropagationForeground
	}
	return i.at(r).Delete(ctx, r.Name, metav1.DeleteOptions{PropagationPolicy: &how, Preconditions: &metav1.Preconditions{UID: &uid}})
}

// hanging says why an object is not gone yet.
func hanging(o *unstructured.Unstructured) error {
	for _, c := range conditionsOf(o) {
		if c.is("Terminating", "True") && c.message != "" { // of CustomResourceDefinitions
			return errors.New(c.String())
		}
	}
	if f := o.GetFinalizers(); len(f) > 0 {
		return fmt.Errorf("its finalizers %s", strings.Join(f, ", "))
	}
	return errors.New("it is being deleted")
}

func (i *Installer) removeNamespace(ctx context.Context, r ref) error {
	n, err := i.Client.CoreV1().Namespaces().Get(ctx, r.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && n.Labels[kube.RunLabel] != i.run() {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for the %s: %w", r, err)
	}
	return i.Client.RemoveNamespace(ctx, r.Name)
}

// finish deletes the objects of a kind that have finalizers, while those who act on
// the finalizers still run.
func (i *Installer) finish(ctx context.Context, kind ref) error {
	ctx, cancel := context.WithTimeoutCause(ctx, hangsAfter, testbed.NotWithin(hangsAfter))
	defer cancel()
	definition, err := i.at(kind).Get(ctx, kind.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && definition.GetLabels()[kube.RunLabel] != i.run() {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for the %s: %w", kind, err)
	}
	group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "plural")
	version := servedVersion(definition)
	at := ref{Group: group, Version: version, Resource: plural}
	return kube.Await(ctx, words.Quote("the deletion of all "+kind.Name), func(ctx context.Context) error {
		list, err := i.at(at).List(ctx, metav1.ListOptions{Limit: 500})
		if apierrors.IsNotFound(err) {
			return nil // it was never served
		}
		if err != nil {
			return err
		}
		var held error
		for _, o := range list.Items {
			if len(o.GetFinalizers()) == 0 {
				continue // goes with its kind
			}
			one := at
			one.Kind, one.Namespace, one.Name = o.GetKind(), o.GetNamespace(), o.GetName()
			if o.GetDeletionTimestamp() == nil {
				if err := i.delete(ctx, one, &o); err != nil && !apierrors.IsNotFound(err) {
					return err
				}
			}
			held = fmt.Errorf("the %s: %w", one, hanging(&o))
		}
		return held
	})
}

// servedVersion returns a version in which a kind's objects can be asked for.
func servedVersion(definition *unstructured.Unstructured) string {
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	for _, v := range versions {
		version, _ := v.(map[string]any)
		if served, _ := version["served"].(bool); served {
			name, _ := version["name"].(string)
			return name
		}
	}
	return ""
}
