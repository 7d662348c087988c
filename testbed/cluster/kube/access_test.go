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
		{"role-policy.yaml", ofPolicies},
		{"role-events.yaml", ofEvents},
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

// TestDetectionsRoleIsWhatIsChecked compares the documented role with the permissions
// that doctor asks for.
func TestDetectionsRoleIsWhatIsChecked(t *testing.T) {
	text, err := os.ReadFile("../../../manifests/cluster/role-detect.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbac.ClusterRole
	if err := yaml.UnmarshalStrict(text, &role); err != nil {
		t.Fatal(err)
	}
	var granted, asked []string
	for _, r := range role.Rules {
		for _, name := range append(slices.Clone(r.ResourceNames), "")[:max(len(r.ResourceNames), 1)] {
			granted = append(granted, named{permission{r.Verbs[0], r.APIGroups[0], r.Resources[0], ""}, name}.String())
		}
		if len(r.Verbs) != 1 || len(r.APIGroups) != 1 || len(r.Resources) != 1 {
			t.Errorf("a rule grants several things: %v", r)
		}
	}
	for _, n := range ofDetection() {
		asked = append(asked, n.String())
	}
	slices.Sort(granted)
	slices.Sort(asked)
	if !slices.Equal(granted, asked) {
		t.Errorf("the role grants %v, doctor asks for %v", granted, asked)
	}
}

// TestRolesNamesWhatIsMissing has the cluster deny what only some roles hold.
func TestRolesNamesWhatIsMissing(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a kubetesting.Action) (bool, runtime.Object, error) {
		review := a.(kubetesting.CreateAction).GetObject().(*authorization.SelfSubjectAccessReview)
		of := review.Spec.ResourceAttributes
		review.Status.Allowed = of.Name != "cilium-config" && of.Resource != "services" && (of.Resource != "pods" || of.Namespace == "mine")
		return true, review, nil
	})
	roles, err := (&Client{API: client}).Roles(t.Context(), "mine")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"role-in-namespace.yaml": nil, "role-detect.yaml": {"get configmaps cilium-config"},
		"role-service.yaml": {"create services", "list services", "delete services"}, "install-role.yaml": {"get services", "list services", "watch services"}}
	for _, r := range roles {
		if !slices.Equal(r.Missing, want[r.File]) || r.Brings == "" {
			t.Errorf("%s lacks %v, want %v", r.File, r.Missing, want[r.File])
		}
	}
	files, err := os.ReadDir("../../../manifests/cluster")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files { // role-in-namespace.yaml takes the place of role.yaml
		known := slices.ContainsFunc(roles, func(r Role) bool { return r.File == f.Name() })
		if strings.Contains(f.Name(), "role") && f.Name() != "role.yaml" && !known {
			t.Errorf("doctor does not know %s", f.Name())
		}
	}
}

// TestGrantedRolesAreHeld checks that whoever may install a plugin holds the
// permissions that its roles grant: Kubernetes refuses the roles otherwise.
func TestGrantedRolesAreHeld(t *testing.T) {
	mine := Use{Features: []Feature{Install}}.permissions()
	roles := 0
	for _, manifest := range [][]byte{manifests.Flannel, manifests.Calico} {
		for _, text := range strings.Split(string(manifest), "\n---\n") {
			var role rbac.ClusterRole
			if err := yaml.Unmarshal([]byte(text), &role); err != nil || role.Kind != "ClusterRole" {
				continue
			}
			roles++
			for _, r := range role.Rules {
				for _, of := range r.Resources {
					resource, subresource, _ := strings.Cut(of, "/")
					for _, verb := range r.Verbs {
						held := func(p permission) bool {
							return p.verb == verb && p.group == r.APIGroups[0] && p.subresource == subresource && (p.resource == resource || p.resource == "*")
						}
						if !slices.ContainsFunc(mine, held) {
							t.Errorf("%s is granted %s %s, which is not checked", role.Name, verb, of)
						}
					}
				}
			}
		}
	}
	if roles != 3 {
		t.Errorf("%d roles", roles)
	}
}
