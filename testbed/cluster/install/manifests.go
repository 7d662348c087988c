package install

import (
	"bytes"
	encoding "encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Manifests are the objects that install a plugin, in the order of their files.
type Manifests []*unstructured.Unstructured

// Bounds of the user's manifests: Cilium's, rendered by helm, take some 100 KB and
// 40 objects, and Calico's kinds 400 KB.
const (
	mostBytes   = 16 << 20
	mostObjects = 2000
)

// ReadManifests reads the manifests that a name stands for: a file, the files
// *.yaml, *.yml and *.json of a directory in the order of their names (those of its
// subdirectories are not read, as by kubectl apply -f), or what stdin holds if the
// name is "-".
func ReadManifests(name string, stdin io.Reader) (Manifests, error) {
	if name == "-" {
		return readOne("standard input", stdin)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	if !info.IsDir() {
		return readFile(name)
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	var all Manifests
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); e.IsDir() || ext != ".yaml" && ext != ".yml" && ext != ".json" {
			continue
		}
		more, err := readFile(filepath.Join(name, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all.checked(name)
}

func readFile(name string) (Manifests, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	defer f.Close()
	return readOne(name, f)
}

func readOne(name string, from io.Reader) (Manifests, error) {
	text, err := io.ReadAll(io.LimitReader(from, mostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading manifests from %s: %w", name, err)
	}
	if len(text) > mostBytes {
		return nil, fmt.Errorf("reading manifests from %s: they are larger than %d MiB", name, mostBytes>>20)
	}
	all, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	return all.checked(name)
}

// parse reads the YAML or JSON documents of a file. The objects of a List take its
// place.
func parse(name string, text []byte) (Manifests, error) {
	var all Manifests
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for k := 1; ; k++ {
		var document encoding.RawMessage
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		o := &unstructured.Unstructured{}
		if err == nil && len(document) > 0 {
			err = json.Unmarshal(document, &o.Object) // with integers as Kubernetes has them
		}
		if err != nil {
			return nil, fmt.Errorf("%s, document %d: %w", name, k, err)
		}
		if len(o.Object) == 0 {
			continue // comments alone
		}
		more := Manifests{o}
		if o.IsList() {
			list, err := o.ToList()
			if err != nil {
				return nil, fmt.Errorf("%s, document %d: %w", name, k, err)
			}
			more = nil
			for _, item := range list.Items {
				more = append(more, &item)
			}
		}
		for _, o := range more {
			if err := whole(o); err != nil {
				return nil, fmt.Errorf("%s, document %d: %w", name, k, err)
			}
		}
		if all = append(all, more...); len(all) > mostObjects {
			return nil, fmt.Errorf("%s holds more than %d objects", name, mostObjects)
		}
	}
}

// whole checks that an object says what it is.
func whole(o *unstructured.Unstructured) error {
	switch {
	case o.GetAPIVersion() == "" || o.GetKind() == "":
		return errors.New("this is no object of Kubernetes: it has no apiVersion or no kind")
	case o.GetName() == "":
		return fmt.Errorf("the %s has no name", o.GetKind())
	}
	return nil
}

// checked rejects manifests that cannot install a plugin.
func (m Manifests) checked(name string) (Manifests, error) {
	if len(m) == 0 {
		return nil, fmt.Errorf("%s holds no objects (manifests are files *.yaml, *.yml and *.json; charts of helm and kustomizations have to be rendered first)", name)
	}
	if len(m) > mostObjects {
		return nil, fmt.Errorf("%s holds more than %d objects", name, mostObjects)
	}
	seen := map[string]bool{}
	for _, o := range m {
		id := o.GroupVersionKind().GroupKind().String() + " " + o.GetNamespace() + "/" + o.GetName()
		if seen[id] {
			return nil, fmt.Errorf("%s holds the %s %s twice", name, o.GetKind(), o.GetName())
		}
		seen[id] = true
	}
	return m, nil
}

// images lists the images of the workloads' containers.
func (m Manifests) images() []string {
	var all []string
	m.eachPod(func(pod map[string]any) {
		for _, of := range []string{"initContainers", "containers"} {
			containers, _, _ := unstructured.NestedSlice(pod, of)
			for _, c := range containers {
				container, _ := c.(map[string]any)
				if image, _ := container["image"].(string); image != "" && !slices.Contains(all, image) {
					all = append(all, image)
				}
			}
		}
	})
	return all
}

// folders lists the nodes' directories that the workloads' pods mount.
func (m Manifests) folders() []string {
	var all []string
	m.eachPod(func(pod map[string]any) {
		volumes, _, _ := unstructured.NestedSlice(pod, "volumes")
		for _, v := range volumes {
			volume, _ := v.(map[string]any)
			if path, found, _ := unstructured.NestedString(volume, "hostPath", "path"); found && !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
	})
	return all
}

// eachPod calls f with the specification of the pods of each workload.
func (m Manifests) eachPod(f func(map[string]any)) {
	for _, o := range m {
		if pod, found, err := unstructured.NestedMap(o.Object, "spec", "template", "spec"); found && err == nil {
			f(pod)
		}
	}
}
