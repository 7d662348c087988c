package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
)

const (
	aMap       = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	aNamespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: space}\n"
	aKind      = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions: [{name: v1, served: true, storage: true}]
`
	aThing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: {large: 9007199254740993}\n"
)

// TestReadManifests reads files, directories and standard input.
func TestReadManifests(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string // one of them named "-" for standard input
		want  string            // the kinds
		wrong string            // part of the error
	}{
		{"several documents", map[string]string{"-": "# a comment\n---\n" + aMap + "---\n---\n" + aNamespace}, "ConfigMap Namespace", ""},
		{"JSON", map[string]string{"-": `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}`}, "ConfigMap", ""},
		{"a list", map[string]string{"-": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n"}, "ConfigMap Secret", ""},
		{"a directory", map[string]string{"2.yaml": aMap, "1.yml": aNamespace, "notes.txt": "none", "3.json": `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}`}, "Namespace ConfigMap Secret", ""},
		{"no object", map[string]string{"-": "# nothing\n"}, "", "holds no objects"},
		{"an empty directory", map[string]string{"notes.txt": aMap}, "", "holds no objects"},
		{"the same twice", map[string]string{"1.yaml": aMap, "2.yaml": aMap}, "", "ConfigMap a twice"},
		{"not YAML", map[string]string{"1.yaml": aMap + "---\n a: [1\n"}, "", "1.yaml, document 2"},
		{"a chart of helm that is not rendered", map[string]string{"1.yaml": "{{- if .Values.x }}\nkind: A\n{{- end }}\n"}, "", "1.yaml, document 1"},
		{"values of helm", map[string]string{"values.yaml": "replicas: 2\n"}, "", "no object of Kubernetes"},
		{"a text", map[string]string{"-": "hello\n"}, "", "document 1"},
		{"a list of texts", map[string]string{"-": "apiVersion: v1\nkind: List\nitems: [a, b]\n"}, "", "document 1"},
		{"no name", map[string]string{"-": "apiVersion: v1\nkind: ConfigMap\n"}, "", "has no name"},
		{"too large", map[string]string{"-": strings.Repeat("# and so on\n", mostBytes/12+1)}, "", "larger than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, dir := "-", t.TempDir()
			for name, text := range tt.files {
				if name == "-" {
					continue
				}
				from = dir
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			all, err := ReadManifests(from, strings.NewReader(tt.files["-"]))
			if (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Fatalf("%v", err)
			}
			var kinds []string
			for _, o := range all {
				kinds = append(kinds, o.GetKind())
			}
			if got := strings.Join(kinds, " "); got != tt.want {
				t.Errorf("%s", got)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{aMap, aNamespace + "---\n" + aKind, aThing, "a: [", "kind: List\napiVersion: v1\nitems: [{}]", "\"\"", "null", "---\n---\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parse("fuzz", []byte(text))
		if err != nil {
			return
		}
		for _, o := range all {
			if o.GetName() == "" || o.GetKind() == "" {
				t.Errorf("an object without a name or kind of %q", text)
			}
		}
		all.images()
		all.folders()
		kinds := map[schema.GroupVersionKind]ref{}
		for _, o := range all {
			kindsOf(o, kinds)
		}
	})
}

// TestResolve orders objects and finds out where they are served.
func TestResolve(t *testing.T) {
	client, set := kubetest.Client()
	kubetest.Serve(set)
	i := &Installer{Client: client, Namespace: "cnibench-x"}
	for _, tt := range []struct {
		name, text, want, wrong string
	}{
		{"namespaces and kinds first", aThing + "---\n" + aMap + "---\n" + aKind + "---\n" + aNamespace,
			"Namespace space, CustomResourceDefinition things.example.com, Thing default/t, ConfigMap default/a", ""},
		{"its own namespace", strings.Replace(aMap, "name: a", "name: a, namespace: space", 1), "ConfigMap space/a", ""},
		{"a kind that nobody serves", aThing, "", "serves no Thing of example.com/v1"},
		{"a version that nobody serves", strings.Replace(aMap, "v1", "v9", 1), "", "serves no ConfigMap of v9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, err := parse("test", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			objects, err := i.resolve(all)
			if (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Fatalf("%v", err)
			}
			var got []string
			for _, o := range objects {
				got = append(got, o.String())
				if o.GetLabels()[kube.RunLabel] != "x" || o.GetLabels()[kube.OwnerLabel] != "" {
					t.Errorf("%s has the labels %v", o.ref, o.GetLabels())
				}
				if o.Kind == "Thing" {
					if large := o.Object["spec"].(map[string]any)["large"]; large != int64(9007199254740993) {
						t.Errorf("a large integer became %v", large)
					}
				}
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("%s", strings.Join(got, ", "))
			}
		})
	}
}

func TestParseCondition(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Condition // empty for an error
	}{
		{"deployment/kube-system/coredns=Available", Condition{"deployment", "kube-system", "coredns", "Available"}},
		{"crd/things.example.com=Established", Condition{Kind: "crd", Name: "things.example.com", Type: "Established"}},
		{"deployment=Available", Condition{}},
		{"a/b/c/d=X", Condition{}},
		{"a//c=X", Condition{}},
		{"a/b/c", Condition{}},
		{"a/b=", Condition{}},
		{"", Condition{}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			got, err := ParseCondition(tt.text)
			if got != tt.want || (err != nil) != (tt.want == Condition{}) {
				t.Errorf("%+v, %v", got, err)
			}
			if err == nil && got.String() != tt.text {
				t.Errorf("written as %s", got)
			}
		})
	}
}

func FuzzParseCondition(f *testing.F) {
	f.Add("deployment/kube-system/coredns=Available")
	f.Add("a/b=c=d")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCondition(text); err == nil && c.String() != text {
			t.Errorf("%q is written as %q", text, c)
		}
	})
}
