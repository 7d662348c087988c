package install

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cnibench/cnibench/manifests"
	"github.com/cnibench/cnibench/plugins/calico"
	"github.com/cnibench/cnibench/plugins/flannel"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
)

// The plugins' own images. manifests/flannel follows the manifest of the same
// version (flannel v0.28.10, Documentation/kube-flannel.yml), and manifests/calico
// that of Calico v3.28.5 (manifests/calico.yaml).
const (
	DefaultFlannelImage    = "ghcr.io/flannel-io/flannel:v0.28.10"
	DefaultCalicoNodeImage = "quay.io/calico/node:v3.28.5"
	DefaultCalicoCNIImage  = "quay.io/calico/cni:v3.28.5"
)

// recipe is how a mode of the catalogue is installed.
type recipe struct {
	family string
	text   []byte // of the manifests
	images map[string]string
	// agentImage is the image of the agents, which has the iptables that they call.
	agentImage string
	// fill sets the fields of an object that differ from mode to mode.
	fill func(o *unstructured.Unstructured, network netip.Prefix) error
}

// recipe returns how a mode of the catalogue is installed.
func (i *Installer) recipe(plugin string) (recipe, error) {
	if _, err := flannel.NetConf(plugin, netip.Prefix{}); err == nil {
		return recipe{family: "flannel", text: manifests.Flannel, agentImage: i.FlannelImage,
			images: map[string]string{"flanneld": i.FlannelImage, "conf": i.Image},
			fill: func(o *unstructured.Unstructured, network netip.Prefix) error {
				if o.GetKind() != "ConfigMap" {
					return nil
				}
				conf, err := flannel.NetConf(plugin, network)
				if err != nil {
					return err
				}
				return unstructured.SetNestedField(o.Object, string(conf), "data", "net-conf.json")
			}}, nil
	}
	spec, backend, err := calico.PoolSpec(plugin)
	if err != nil {
		return recipe{}, fmt.Errorf("%s cannot be installed by its name: only modes of flannel and Calico can (others by manifests of your own, as NAME=DIR)", plugin)
	}
	return recipe{family: "calico", text: slices.Concat(manifests.CalicoKinds, []byte("\n---\n"), manifests.Calico), agentImage: i.CalicoNodeImage,
		images: map[string]string{"install-cni": i.CalicoCNIImage, "calico-node": i.CalicoNodeImage},
		fill: func(o *unstructured.Unstructured, network netip.Prefix) error {
			return fillCalico(o, network, spec, backend)
		}}, nil
}

// fillCalico sets the pool, the backend and the checks of readiness. With BGP the
// agents are ready only once their sessions are up.
func fillCalico(o *unstructured.Unstructured, network netip.Prefix, pool map[string]string, backend string) error {
	switch o.GetKind() {
	case "IPPool":
		if err := unstructured.SetNestedField(o.Object, network.String(), "spec", "cidr"); err != nil {
			return err
		}
		// Blocks of 64 addresses, as is Calico's default, or smaller ones in a pool that
		// has room for less than eight of those.
		size := int64(min(max(26, network.Bits()+3), 32))
		if err := unstructured.SetNestedField(o.Object, size, "spec", "blockSize"); err != nil {
			return err
		}
		for field, value := range pool {
			if err := unstructured.SetNestedField(o.Object, value, "spec", field); err != nil {
				return err
			}
		}
	case "ConfigMap":
		return unstructured.SetNestedField(o.Object, backend, "data", "backend")
	case "DaemonSet":
		if backend != "bird" {
			return nil
		}
		return eachOf(o, func(container map[string]any) {
			for _, probe := range []string{"startupProbe", "readinessProbe"} {
				check := container[probe].(map[string]any)["exec"].(map[string]any)
				check["command"] = append(check["command"].([]any), "-bird-ready")
			}
		}, "spec", "template", "spec", "containers")
	}
	return nil
}

// manifests returns the recipe's objects, filled in for this cluster.
func (r recipe) manifests(i *Installer, network netip.Prefix) (Manifests, error) {
	all, err := parse("the built-in manifests", r.text)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		o.SetLabels(map[string]string{kube.OwnerLabel: kube.OwnerName})
		if namespaced[o.GetKind()] {
			o.SetNamespace(i.Namespace)
		}
		err := r.fill(o, network)
		if err == nil && o.GetKind() == "ClusterRoleBinding" {
			err = eachOf(o, func(subject map[string]any) { subject["namespace"] = i.Namespace }, "subjects")
		}
		if err == nil && o.GetKind() == "DaemonSet" {
			err = r.fillAgents(o, i.PullSecret)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// namespaced lists the kinds in the recipes' manifests that are in the run's
// namespace.
var namespaced = map[string]bool{"ServiceAccount": true, "ConfigMap": true, "DaemonSet": true}

// fillAgents sets the agents' images.
func (r recipe) fillAgents(o *unstructured.Unstructured, pullSecret string) error {
	if pullSecret != "" {
		secrets := []any{map[string]any{"name": pullSecret}}
		if err := unstructured.SetNestedSlice(o.Object, secrets, "spec", "template", "spec", "imagePullSecrets"); err != nil {
			return err
		}
	}
	for _, of := range []string{"initContainers", "containers"} {
		if _, found, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", of); !found {
			continue
		}
		err := eachOf(o, func(container map[string]any) { container["image"] = r.images[container["name"].(string)] }, "spec", "template", "spec", of)
		if err != nil {
			return err
		}
	}
	return nil
}

// eachOf changes each element of a list in an object.
func eachOf(o *unstructured.Unstructured, change func(map[string]any), fields ...string) error {
	list, found, err := unstructured.NestedSlice(o.Object, fields...)
	if err == nil && !found {
		err = fmt.Errorf("the %s has no %s", o.GetKind(), strings.Join(fields, "."))
	}
	if err != nil {
		return err
	}
	for _, element := range list {
		change(element.(map[string]any))
	}
	return unstructured.SetNestedSlice(o.Object, list, fields...)
}
