package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // auth-provider of kubeconfig files: oidc
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// connect finds the credentials as kubectl does: the file that is named, then
// KUBECONFIG and ~/.kube/config, then those of the pod that this program runs
// in.
func connect(kubeconfig, context string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: context}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster's credentials (--kubeconfig, --context, KUBECONFIG): %w", err)
	}
	config.UserAgent = "cnibench"
	config.QPS, config.Burst = 20, 40 // a run makes a handful of requests, many of them at its start
	return config, nil
}

// permission is something that the person running must be allowed to do.
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

// in is where the permission must hold: in a namespace if the resource lies in
// one.
func (p permission) in(namespace string) string {
	if p.resource == "nodes" || p.resource == "namespaces" {
		return ""
	}
	return namespace
}

// needed are the permissions of a run, those of manifests/cluster/role.yaml.
var needed = []permission{
	{"list", "", "nodes", ""},
	{"create", "", "namespaces", ""}, {"get", "", "namespaces", ""}, {"list", "", "namespaces", ""}, {"delete", "", "namespaces", ""},
	{"create", "", "pods", ""}, {"get", "", "pods", ""}, {"list", "", "pods", ""}, {"delete", "", "pods", ""}, {"deletecollection", "", "pods", ""},
	{"create", "batch", "jobs", ""}, {"list", "batch", "jobs", ""}, {"delete", "batch", "jobs", ""},
	// A websocket opens with GET, SPDY with POST.
	{"get", "", "pods", "exec"}, {"create", "", "pods", "exec"},
}

// permissions are those that this run needs: in a namespace of the person's,
// none on namespaces.
func (c *Cluster) permissions() []permission {
	all := needed
	if c.config.Services {
		all = slices.Concat(all, ofServices)
	}
	if c.config.Install != nil {
		all = slices.Concat(all, neededToInstall)
	}
	if c.config.Namespace == "" {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(p permission) bool { return p.resource == "namespaces" })
}

// ofServices are those that the service probe needs on top, of
// manifests/cluster/role-service.yaml.
var ofServices = []permission{{"create", "", "services", ""}, {"list", "", "services", ""}, {"delete", "", "services", ""}}

// neededToInstall are those of a run that installs plugins, beyond needed: those
// of manifests/cluster/install-role.yaml.
var neededToInstall = []permission{
	{"get", "", "nodes", ""}, {"watch", "", "nodes", ""}, {"patch", "", "nodes", "status"},
	{"create", "", "serviceaccounts", ""}, {"delete", "", "serviceaccounts", ""},
	{"create", "", "configmaps", ""}, {"delete", "", "configmaps", ""},
	{"create", "apps", "daemonsets", ""}, {"get", "apps", "daemonsets", ""}, {"delete", "apps", "daemonsets", ""},
	{"create", rbacGroup, "clusterroles", ""}, {"delete", rbacGroup, "clusterroles", ""},
	{"create", rbacGroup, "clusterrolebindings", ""}, {"delete", rbacGroup, "clusterrolebindings", ""},
}

const rbacGroup = "rbac.authorization.k8s.io"

// DeniedError names everything that a run needs and the person may not do.
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

// roles are the files that grant what this run needs.
func (c *Cluster) roles() []string {
	all := []string{"role.yaml"}
	if c.config.Namespace != "" {
		all = []string{"role-in-namespace.yaml"}
	}
	if c.config.Services {
		all = append(all, "role-service.yaml")
	}
	if c.config.Install != nil {
		all = append(all, "install-role.yaml")
	}
	return all
}

// checkAccess asks the cluster about all permissions before anything is made.
func (c *Cluster) checkAccess(ctx context.Context) error {
	var missing []string
	for _, p := range c.permissions() {
		review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorization.ResourceAttributes{Namespace: p.in(c.config.Namespace), Verb: p.verb, Group: p.group, Resource: p.resource, Subresource: p.subresource}}}
		answer, err := c.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("asking the cluster what is allowed: %w", err)
		}
		if !answer.Status.Allowed && !slices.Contains(missing, p.String()) {
			missing = append(missing, p.String())
		}
	}
	if len(missing) > 0 {
		return &DeniedError{missing, c.roles()}
	}
	return nil
}
