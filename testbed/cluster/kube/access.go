package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Use says what a run does in a cluster, and so which permissions it needs.
type Use struct {
	Namespace string    // the user's; "" if the run creates its own
	Features  []Feature // what it does beyond measuring pods
}

// Feature is something that a run does only with permissions beyond those of its basic
// role.
type Feature struct {
	Role        string // file in manifests/cluster that grants them
	permissions []permission
}

// The features of a run.
var (
	Services = Feature{"role-service.yaml", ofServices}      // creates Services
	Policies = Feature{"role-policy.yaml", ofPolicies}       // creates NetworkPolicies
	Events   = Feature{"role-events.yaml", ofEvents}         // reads why pods do not run
	Install  = Feature{"install-role.yaml", neededToInstall} // installs plugins
)

// Creating returns the feature of creating objects of a resource, such as "services".
func Creating(resource string) (f Feature, ok bool) {
	for _, f := range []Feature{Services, Policies} {
		if slices.ContainsFunc(f.permissions, func(p permission) bool { return p.verb == "create" && p.resource == resource }) {
			return f, true
		}
	}
	return Feature{}, false
}

// permission is something that the user must be allowed to do.
type permission struct{ verb, group, resource, subresource string }

func (p permission) String() string {
	name := p.resource
	if p.subresource != "" {
		name += "/" + p.subresource
	}
	if p.group != "" {
		name += "." + p.group
	}
	return p.verb + " " + name
}

// in returns the namespace in which the permission must hold, or "" for resources
// that are not namespaced.
func (p permission) in(namespace string) string {
	if p.resource == "nodes" || p.resource == "namespaces" {
		return ""
	}
	return namespace
}

// needed lists the permissions of a run, those in manifests/cluster/role.yaml.
var needed = []permission{
	{"list", "", "nodes", ""},
	{"create", "", "namespaces", ""}, {"get", "", "namespaces", ""}, {"list", "", "namespaces", ""}, {"delete", "", "namespaces", ""},
	{"create", "", "pods", ""}, {"get", "", "pods", ""}, {"list", "", "pods", ""}, {"delete", "", "pods", ""}, {"deletecollection", "", "pods", ""},
	{"create", "batch", "jobs", ""}, {"list", "batch", "jobs", ""}, {"delete", "batch", "jobs", ""},
	// A websocket opens with GET, SPDY with POST.
	{"get", "", "pods", "exec"}, {"create", "", "pods", "exec"},
}

// permissions returns the permissions that the use needs. In a user's namespace it
// needs none for namespaces.
func (u Use) permissions() []permission {
	all := needed
	for _, f := range u.Features {
		all = slices.Concat(all, f.permissions)
	}
	if u.Namespace == "" {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(p permission) bool { return p.resource == "namespaces" })
}

// ofServices lists the permissions that the service probe needs in addition,
// those in manifests/cluster/role-service.yaml.
var ofServices = []permission{{"create", "", "services", ""}, {"list", "", "services", ""}, {"delete", "", "services", ""}}

// ofPolicies lists the permissions that the policy probe needs in addition, those in
// manifests/cluster/role-policy.yaml.
var ofPolicies = []permission{{"create", networkingGroup, "networkpolicies", ""}, {"list", networkingGroup, "networkpolicies", ""}, {"delete", networkingGroup, "networkpolicies", ""}}

// ofEvents lists the permissions for reading why a pod does not run, those in
// manifests/cluster/role-events.yaml. A run that lacks them says so when it matters.
var ofEvents = []permission{{"list", "", "events", ""}}

// neededToInstall lists the permissions that installing plugins needs in addition,
// those in manifests/cluster/install-role.yaml.
var neededToInstall = slices.Concat(
	// What it creates, records and removes itself.
	verbsOn("", "configmaps", "create", "get", "delete"), verbsOn("", "serviceaccounts", "create", "get", "delete"),
	verbsOn("apps", "daemonsets", "create", "get", "list", "delete"),
	verbsOn(rbacGroup, "clusterroles", "create", "get", "delete"), verbsOn(rbacGroup, "clusterrolebindings", "create", "get", "delete"),
	verbsOn("apiextensions.k8s.io", "customresourcedefinitions", "create", "get", "list", "delete"),
	// Why agents do not start.
	verbsOn("", "pods/log", "get"), verbsOn("", "events", "list"),
	// What it grants to flannel and Calico.
	verbsOn("", "nodes", "get", "watch"), verbsOn("", "nodes/status", "patch", "update"),
	verbsOn("", "pods", "watch"), verbsOn("", "pods/status", "patch"), verbsOn("", "namespaces", "watch"),
	verbsOn("", "services", "get", "list", "watch"), verbsOn("", "endpoints", "get", "list", "watch"),
	verbsOn("", "serviceaccounts", "list", "watch"), verbsOn("", "serviceaccounts/token", "create"),
	verbsOn("discovery.k8s.io", "endpointslices", "list", "watch"), verbsOn(networkingGroup, "networkpolicies", "list", "watch"),
	verbsOn("crd.projectcalico.org", "*", "get", "list", "watch", "create", "update", "delete"),
)

// verbsOn returns the permissions for some verbs on one resource, which may have a
// subresource.
func verbsOn(group, resource string, verbs ...string) []permission {
	resource, subresource, _ := strings.Cut(resource, "/")
	var of []permission
	for _, verb := range verbs {
		of = append(of, permission{verb, group, resource, subresource})
	}
	return of
}

const (
	rbacGroup       = "rbac.authorization.k8s.io"
	networkingGroup = "networking.k8s.io"
)

// DeniedError names all permissions that a run needs and the user lacks.
type DeniedError struct {
	Missing []string
	Roles   []string // files in manifests/cluster that grant what is missing
}

func (e *DeniedError) Error() string {
	role := "the role in manifests/cluster/" + e.Roles[0]
	if len(e.Roles) > 1 {
		role = "the roles in manifests/cluster/" + strings.Join(e.Roles, " and ")
	}
	return "the cluster does not allow you to " + strings.Join(e.Missing, ", ") + ": ask for " + role
}

// roles returns the files whose roles grant what the use needs.
func (u Use) roles() []string {
	all := []string{"role.yaml"}
	if u.Namespace != "" {
		all = []string{"role-in-namespace.yaml"}
	}
	for _, f := range u.Features {
		all = append(all, f.Role)
	}
	return all
}

// CheckAccess asks the cluster for all permissions that a use needs. The error is
// a [*DeniedError] if any of them is missing.
func (c *Client) CheckAccess(ctx context.Context, u Use) error {
	return c.check(ctx, u.Namespace, u.permissions(), u.roles())
}

// CheckFeature asks the cluster for the permissions that a feature needs in addition.
// The error is a [*DeniedError] if any of them is missing.
func (c *Client) CheckFeature(ctx context.Context, namespace string, f Feature) error {
	return c.check(ctx, namespace, f.permissions, []string{f.Role})
}

func (c *Client) check(ctx context.Context, namespace string, all []permission, roles []string) error {
	var missing []string
	for _, p := range all {
		allowed, err := c.allowed(ctx, named{p, ""}, p.in(namespace))
		if err != nil {
			return err
		}
		if !allowed && !slices.Contains(missing, p.String()) {
			missing = append(missing, p.String())
		}
	}
	if len(missing) > 0 {
		return &DeniedError{missing, roles}
	}
	return nil
}

// named is a permission for an object of a certain name, or for all objects if the
// name is "".
type named struct {
	permission
	name string
}

func (n named) String() string {
	if n.name == "" {
		return n.permission.String()
	}
	return n.permission.String() + " " + n.name
}

// allowed asks the cluster whether the user holds a permission in a namespace, or
// everywhere if the namespace is "".
func (c *Client) allowed(ctx context.Context, n named, namespace string) (bool, error) {
	review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorization.ResourceAttributes{
		Namespace: namespace, Verb: n.verb, Group: n.group, Resource: n.resource, Subresource: n.subresource, Name: n.name}}}
	answer, err := c.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("asking the cluster for your permissions: %w", err)
	}
	return answer.Status.Allowed, nil
}
