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
	Namespace string // the user's; "" if the run creates its own
	Services  bool   // creates Services
	Install   bool   // installs plugins
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
	if u.Services {
		all = slices.Concat(all, ofServices)
	}
	if u.Install {
		all = slices.Concat(all, neededToInstall)
	}
	if u.Namespace == "" {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(p permission) bool { return p.resource == "namespaces" })
}

// ofServices lists the permissions that the service probe needs in addition,
// those in manifests/cluster/role-service.yaml.
var ofServices = []permission{{"create", "", "services", ""}, {"list", "", "services", ""}, {"delete", "", "services", ""}}

// neededToInstall lists the permissions that installing plugins needs in addition,
// those in manifests/cluster/install-role.yaml.
var neededToInstall = []permission{
	{"get", "", "nodes", ""}, {"watch", "", "nodes", ""}, {"patch", "", "nodes", "status"},
	{"create", "", "serviceaccounts", ""}, {"delete", "", "serviceaccounts", ""},
	{"create", "", "configmaps", ""}, {"delete", "", "configmaps", ""},
	{"create", "apps", "daemonsets", ""}, {"get", "apps", "daemonsets", ""}, {"delete", "apps", "daemonsets", ""},
	{"create", rbacGroup, "clusterroles", ""}, {"delete", rbacGroup, "clusterroles", ""},
	{"create", rbacGroup, "clusterrolebindings", ""}, {"delete", rbacGroup, "clusterrolebindings", ""},
}

const rbacGroup = "rbac.authorization.k8s.io"

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
	if u.Services {
		all = append(all, "role-service.yaml")
	}
	if u.Install {
		all = append(all, "install-role.yaml")
	}
	return all
}

// CheckAccess asks the cluster for all permissions that a use needs. The error is
// a [*DeniedError] if any of them is missing.
func (c *Client) CheckAccess(ctx context.Context, u Use) error {
	var missing []string
	for _, p := range u.permissions() {
		review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorization.ResourceAttributes{Namespace: p.in(u.Namespace), Verb: p.verb, Group: p.group, Resource: p.resource, Subresource: p.subresource}}}
		answer, err := c.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("asking the cluster for your permissions: %w", err)
		}
		if !answer.Status.Allowed && !slices.Contains(missing, p.String()) {
			missing = append(missing, p.String())
		}
	}
	if len(missing) > 0 {
		return &DeniedError{missing, u.roles()}
	}
	return nil
}
