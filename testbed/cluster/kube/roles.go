package kube

import (
	"context"
	"slices"
)

// Role is one of the roles in manifests/cluster, and what the user lacks of it.
type Role struct {
	File    string   // in manifests/cluster
	Brings  string   // what a run can do with it
	Missing []string // permissions that the user does not hold
}

// optional says what each optional role brings.
var optional = []struct {
	Feature
	brings string
}{
	{Services, "measuring the paths that applications use"},
	{Policies, "measuring whether NetworkPolicy is enforced"},
	{Events, "quoting the cluster's events as the cause where a pod does not run"},
	{Install, "installing plugins on a disposable cluster"},
}

// ofDetection lists what may be read to detect a plugin, as in
// manifests/cluster/role-detect.yaml.
func ofDetection() []named {
	var all []named
	for _, name := range []string{"kube-flannel-cfg", "canal-config", "rke2-canal-config", "cilium-config", "calico-config", "eni-config", "antrea-config", "kube-proxy", "kube-proxy-config"} {
		all = append(all, named{permission{"get", "", "configmaps", ""}, name})
	}
	all = append(all, named{permission{"list", "apps", "daemonsets", ""}, ""})
	for _, group := range []string{"crd.projectcalico.org", "projectcalico.org"} {
		all = append(all, named{permission{"list", group, "ippools", ""}, ""}, named{permission{"get", group, "felixconfigurations", ""}, "default"})
	}
	return append(all, named{permission{"get", "operator.tigera.io", "installations", ""}, "default"})
}

// Roles asks the cluster which permissions of each role the user lacks. The namespace
// is the user's, or "" if runs create their own. The first role is the one that every
// run needs.
func (c *Client) Roles(ctx context.Context, namespace string) ([]Role, error) {
	base := Use{Namespace: namespace}
	all := []Role{{File: base.roles()[0], Brings: "measuring pods and nodes"}}
	if err := c.missing(ctx, &all[0], namespace, base.permissions()...); err != nil {
		return nil, err
	}
	detection := Role{File: "role-detect.yaml", Brings: "detecting the plugin and its settings from more than the nodes' annotations"}
	for _, n := range ofDetection() {
		if err := c.ask(ctx, &detection, n, ""); err != nil {
			return nil, err
		}
	}
	all = append(all, detection)
	for _, o := range optional {
		r := Role{File: o.Role, Brings: o.brings}
		if err := c.missing(ctx, &r, namespace, o.permissions...); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func (c *Client) missing(ctx context.Context, r *Role, namespace string, permissions ...permission) error {
	for _, p := range permissions {
		if err := c.ask(ctx, r, named{p, ""}, p.in(namespace)); err != nil {
			return err
		}
	}
	return nil
}

// ask adds a permission to those that a role lacks, if the user does not hold it.
func (c *Client) ask(ctx context.Context, r *Role, n named, namespace string) error {
	allowed, err := c.allowed(ctx, n, namespace)
	if text := n.String(); err == nil && !allowed && !slices.Contains(r.Missing, text) {
		r.Missing = append(r.Missing, text)
	}
	return err
}
