package kube

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	authorization "k8s.io/api/authorization/v1"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/manifests"
)

// TestDeniedInOneList has the cluster deny two things.
func TestDeniedInOneList(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a kubetesting.Action) (bool, runtime.Object, error) {
		review := a.(kubetesting.CreateAction).GetObject().(*authorization.SelfSubjectAccessReview)
		of := review.Spec.ResourceAttributes
		review.Status.Allowed = of.Subresource != "exec"
		return true, review, nil
	})
	err := (&Client{API: client}).CheckAccess(t.Context(), Use{})
	var denied *DeniedError
	if !errors.As(err, &denied) || !slices.Equal(denied.Missing, []string{"get pods/exec", "create pods/exec"}) {
		t.Errorf("denied: %v", err)
	}
}

// TestRolesAreWhatIsChecked compares the documented roles with the permissions
// that a run asks for.
func TestRolesAreWhatIsChecked(t *testing.T) {
	for _, tt := range []struct {
		file  string
		asked []permission
	}{
		{"role.yaml", needed},
		{"install-role.yaml", neededToInstall},
		{"role-service.yaml", ofServices},
		{"role-in-namespace.yaml", Use{Namespace: "theirs"}.permissions()},
	} {
		t.Run(tt.file, func(t *testing.T) {
			text, err := os.ReadFile("../../../manifests/cluster/" + tt.file)
			if err != nil {
				t.Fatal(err)
			}
			var role rbac.ClusterRole
			if err := yaml.UnmarshalStrict(text, &role); err != nil {
				t.Fatal(err)
			}
			var granted, asked []string
			for _, r := range role.Rules {
				for _, of := range r.Resources {
					if r.APIGroups[0] != "" {
						of += "." + r.APIGroups[0]
					}
					for _, verb := range r.Verbs {
						granted = append(granted, verb+" "+of)
					}
				}
			}
			for _, p := range tt.asked {
				asked = append(asked, p.String())
			}
			slices.Sort(granted)
			slices.Sort(asked)
			if !slices.Equal(granted, asked) {
				t.Errorf("the role grants %v, a run asks for %v", granted, asked)
			}
		})
	}
}

// TestFlannelsRoleIsHeld checks that whoever may install flannel holds the
// permissions that its role grants: Kubernetes refuses the role otherwise.
func TestFlannelsRoleIsHeld(t *testing.T) {
	first, _, _ := strings.Cut(string(manifests.Flannel), "\n---\n")
	var role rbac.ClusterRole
	if err := yaml.UnmarshalStrict([]byte(first), &role); err != nil || role.Kind != "ClusterRole" {
		t.Fatal(role.Kind, err)
	}
	mine := Use{Install: true}.permissions()
	for _, r := range role.Rules {
		for _, of := range r.Resources {
			resource, subresource, _ := strings.Cut(of, "/")
			for _, verb := range r.Verbs {
				if !slices.Contains(mine, permission{verb, "", resource, subresource}) {
					t.Errorf("flannel is granted %s %s, which is not checked", verb, of)
				}
			}
		}
	}
}
