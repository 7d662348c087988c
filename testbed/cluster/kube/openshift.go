package kube

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AssignsUsers reports whether the cluster assigns the user IDs of pods from ranges of
// their namespaces, and refuses a pod that names one (OpenShift documentation,
// authentication/managing-security-context-constraints). A cluster that does not say
// which API groups it has counts as one that does not.
func (c *Client) AssignsUsers() bool {
	groups, err := c.Discovery().ServerGroups()
	return err == nil && slices.ContainsFunc(groups.Groups, func(g metav1.APIGroup) bool { return g.Name == "security.openshift.io" })
}
