package install

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// ref is where the API serves an object. It is what is recorded of it.
type ref struct {
	Kind      string `json:"kind"`
	Group     string `json:"group,omitempty"`
	Version   string `json:"version"`
	Resource  string `json:"resource"`
	Namespace string `json:"namespace,omitempty"` // "" for an object of the cluster
	Name      string `json:"name"`
}

// String returns the object's name as a person reads it.
func (r ref) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

func (r ref) served() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Resource}
}

func (r ref) isKind() bool      { return r.Group == kindsGroup && r.Kind == "CustomResourceDefinition" }
func (r ref) isNamespace() bool { return r.Group == "" && r.Kind == "Namespace" }

// kindsGroup is the API group of CustomResourceDefinitions.
const kindsGroup = "apiextensions.k8s.io"

// rank orders the creation: namespaces, kinds, the rest.
func (r ref) rank() int {
	switch {
	case r.isNamespace():
		return 0
	case r.isKind():
		return 1
	}
	return 2
}

func (i *Installer) at(r ref) dynamic.ResourceInterface {
	if r.Namespace == "" {
		return i.Client.Dynamic.Resource(r.served())
	}
	return i.Client.Dynamic.Resource(r.served()).Namespace(r.Namespace)
}

// mapper returns what the cluster serves.
func (i *Installer) mapper() (meta.RESTMapper, error) {
	groups, err := restmapper.GetAPIGroupResources(i.Client.Discovery())
	if err != nil {
		return nil, fmt.Errorf("asking the cluster for its resources: %w", err)
	}
	return restmapper.NewDiscoveryRESTMapper(groups), nil
}

// resolve finds out where the API serves each object, or will serve it once the
// kinds among the manifests are there, and puts the objects into the order of their
// creation.
func (i *Installer) resolve(manifest Manifests) ([]object, error) {
	mapper, err := i.mapper()
	if err != nil {
		return nil, err
	}
	defined := map[schema.GroupVersionKind]ref{}
	for _, o := range manifest {
		kindsOf(o, defined)
	}
	var all []object
	for _, o := range manifest {
		made := object{o.DeepCopy(), ref{Kind: o.GetKind(), Name: o.GetName()}}
		kind := o.GroupVersionKind()
		if at, is := defined[kind]; is {
			made.Group, made.Version, made.Resource, made.ref.Namespace = at.Group, at.Version, at.Resource, at.Namespace
		} else {
			mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
			if meta.IsNoMatchError(err) {
				return nil, fmt.Errorf("the cluster serves no %s of %s, and no CustomResourceDefinition among the manifests defines it", kind.Kind, o.GetAPIVersion())
			}
			if err != nil {
				return nil, fmt.Errorf("asking the cluster for the kind %s: %w", kind.Kind, err)
			}
			made.Group, made.Version, made.Resource = mapping.Resource.Group, mapping.Resource.Version, mapping.Resource.Resource
			if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
				made.ref.Namespace = metav1.NamespaceDefault
			}
		}
		if made.ref.Namespace != "" {
			made.ref.Namespace = cmp.Or(o.GetNamespace(), made.ref.Namespace)
			made.SetNamespace(made.ref.Namespace)
		}
		labels := made.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[kube.RunLabel] = i.run()
		made.SetLabels(labels)
		all = append(all, made)
	}
	slices.SortStableFunc(all, func(a, b object) int { return a.rank() - b.rank() })
	return all, nil
}

// kindsOf adds the kinds that a CustomResourceDefinition defines. Namespace is that
// of objects whose manifest names none, or "" for objects of the cluster.
func kindsOf(o *unstructured.Unstructured, defined map[schema.GroupVersionKind]ref) {
	if o.GetKind() != "CustomResourceDefinition" {
		return
	}
	group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
	plural, _, _ := unstructured.NestedString(o.Object, "spec", "names", "plural")
	scope, _, _ := unstructured.NestedString(o.Object, "spec", "scope")
	versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
	for _, v := range versions {
		version, _ := v.(map[string]any)
		name, _ := version["name"].(string)
		at := ref{Kind: kind, Group: group, Version: name, Resource: plural}
		if scope == "Namespaced" {
			at.Namespace = metav1.NamespaceDefault
		}
		defined[schema.GroupVersionKind{Group: group, Version: name, Kind: kind}] = at
	}
}

// record is what the run's namespace keeps of the installed plugin, so that another
// run can remove it.
type record struct {
	Plugin string `json:"plugin"`
	// Known says that the catalogue's manifests were installed, and not the user's.
	Known bool `json:"known,omitempty"`
	// Image is that of a known plugin's agents.
	Image string `json:"image,omitempty"`
	// Network contains the pods' addresses of a known plugin.
	Network netip.Prefix `json:"network,omitzero"`
	Objects []ref        `json:"objects"`
}

// recordName is the name of the ConfigMap that holds the record.
const recordName = "installed"

// create records the objects and creates them in order. It waits until new kinds
// are served before it creates anything else.
func (i *Installer) create(ctx context.Context, made record, objects []object) error {
	for _, o := range objects {
		if err := i.absent(ctx, o); err != nil {
			return err
		}
		made.Objects = append(made.Objects, o.ref)
	}
	if err := i.keep(ctx, recordName, made); err != nil {
		return fmt.Errorf("recording what is installed: %w", err)
	}
	for k, o := range objects {
		if k > 0 && o.rank() != objects[k-1].rank() {
			if err := i.awaitKinds(ctx, objects[:k]); err != nil {
				return err
			}
		}
		if err := i.apply(ctx, o, made.Known); err != nil {
			return fmt.Errorf("creating the %s: %w", o.ref, err)
		}
	}
	return i.awaitKinds(ctx, objects)
}

// absent checks that an object does not exist. Those of kinds that are still to be
// created do not.
func (i *Installer) absent(ctx context.Context, o object) error {
	_, err := i.at(o.ref).Get(ctx, o.GetName(), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case apierrors.IsForbidden(err):
		return nil // creating it is refused if it exists, or not allowed either
	case err != nil:
		return fmt.Errorf("looking for the %s: %w", o.ref, err)
	}
	return fmt.Errorf("the %s exists already, and this run has not created it: remove it first, or leave it out of the manifests", o.ref)
}

// fieldManager is the program's name in the record that Kubernetes keeps of an
// object's fields.
const fieldManager = "cnibench"

// servedWithin is how long the API server may take to serve a kind after it has
// reported that the kind is established.
const servedWithin = 10 * time.Second

// apply creates an object: the user's by server-side apply, as large ones need, the
// others by a request that fails if the object exists, so that a role need not allow
// changing any.
func (i *Installer) apply(ctx context.Context, o object, known bool) error {
	end := time.Now().Add(servedWithin)
	return kube.Await(ctx, words.Quote("the API server to serve "+o.Kind), func(ctx context.Context) error {
		var err error
		if known {
			_, err = i.at(o.ref).Create(ctx, o.Unstructured, metav1.CreateOptions{FieldManager: fieldManager})
		} else {
			_, err = i.at(o.ref).Apply(ctx, o.GetName(), o.Unstructured, metav1.ApplyOptions{FieldManager: fieldManager})
		}
		if err != nil && !(apierrors.IsNotFound(err) && time.Now().Before(end)) {
			return kube.Final(err)
		}
		return err
	})
}

// awaitKinds waits until the kinds among the objects are established.
func (i *Installer) awaitKinds(ctx context.Context, objects []object) error {
	for _, o := range objects {
		if !o.isKind() {
			continue
		}
		err := kube.Await(ctx, words.Quote("the "+o.String()+" to be established"), func(ctx context.Context) error {
			found, err := i.at(o.ref).Get(ctx, o.GetName(), metav1.GetOptions{})
			if err != nil {
				return err
			}
			return established(found)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// established returns nil if a kind is served, and otherwise what the API server
// says against it.
func established(kind *unstructured.Unstructured) error {
	why := "the API server has not looked at it yet"
	for _, c := range conditionsOf(kind) {
		switch {
		case c.is("Established", "True"):
			return nil
		case c.is("NamesAccepted", "False"), c.is("Established", "False"):
			why = c.String()
		}
		if c.is("NamesAccepted", "False") {
			return fmt.Errorf("%s", why)
		}
	}
	return errors.New(why)
}

// keep stores a value as JSON in a new ConfigMap of the run's namespace.
func (i *Installer) keep(ctx context.Context, name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if len(text) > core.MaxSecretSize { // which the API server applies to ConfigMaps too
		return fmt.Errorf("the %d bytes of %s do not fit into a ConfigMap", len(text), name)
	}
	m := &core.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{kube.OwnerLabel: kube.OwnerName, kube.RunLabel: i.run()}},
		Data: map[string]string{keptFile: string(text)}}
	_, err = i.Client.CoreV1().ConfigMaps(i.Namespace).Create(ctx, m, metav1.CreateOptions{})
	return err
}

// keptFile is the key under which a ConfigMap holds what is kept.
const keptFile = "kept.json"

// kept reads what keep has stored. found is false if there is nothing of that name.
func (i *Installer) kept(ctx context.Context, name string, value any) (found bool, err error) {
	m, err := i.Client.CoreV1().ConfigMaps(i.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(m.Data[keptFile]), value)
	}
	if err != nil {
		return false, fmt.Errorf("reading the ConfigMap %s: %w", name, err)
	}
	return true, nil
}

// unkeep deletes what keep has stored.
func (i *Installer) unkeep(ctx context.Context, name string) error {
	err := i.Client.CoreV1().ConfigMaps(i.Namespace).Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting the ConfigMap %s: %w", name, err)
	}
	return nil
}
