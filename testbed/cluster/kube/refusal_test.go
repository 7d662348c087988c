package kube

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestRefused reads the refusals of the rules that clusters have.
func TestRefused(t *testing.T) {
	forbidden := func(why string) error {
		return apierrors.NewForbidden(core.Resource("pods"), "pod-1", errors.New(why))
	}
	answered := func(code int32, message string) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Message: message}}
	}
	const none RefusedBy = -1
	for _, tt := range []struct {
		name string
		err  error
		by   RefusedBy
		says string
	}{
		{"Pod Security", forbidden(`violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)`), BySecurity,
			`the cluster refuses the pod: "restricted:latest": host namespaces (hostNetwork=true)`},
		{"OpenShift", forbidden("unable to validate against any security context constraint: [provider restricted-v2: .containers[0].runAsUser: Invalid value: 65532: must be in the ranges: [1000680000, 1000689999]]"), BySecurity,
			"the cluster refuses the pod: [provider restricted-v2: .containers[0].runAsUser: Invalid value: 65532: must be in the ranges: [1000680000, 1000689999]]"},
		{"Kyverno", answered(http.StatusBadRequest, "admission webhook \"validate.kyverno.svc-fail\" denied the request: \n\nresource Pod/x/pod-1 was blocked due to the following policies \n\nlimits:\n  check: It violates PodSecurity \"baseline:latest\""), ByPolicy,
			`the cluster refuses the pod: admission webhook "validate.kyverno.svc-fail" denied the request: resource Pod/x/pod-1 was blocked due to the following policies limits: check: It violates PodSecurity "baseline:latest"`},
		{"Gatekeeper", answered(http.StatusForbidden, `admission webhook "validation.gatekeeper.sh" denied the request: [repos] container <cnibench> has an invalid image repo`), ByPolicy,
			"[repos] container <cnibench> has an invalid image repo"},
		{"a webhook without words", answered(http.StatusBadRequest, `admission webhook "x" denied the request without explanation`), ByPolicy, `"x" denied the request without explanation`},
		{"a policy of the API server", answered(http.StatusUnprocessableEntity, `pods "pod-1" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`), ByPolicy, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"},
		{"a quota that is used up", forbidden("exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1"), ByAmount, "the cluster refuses the pod: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1"},
		{"a quota that demands amounts", forbidden("failed quota: q: must specify limits.cpu for: cnibench; requests.ephemeral-storage for: cnibench"), ByAmount, "(set it with --limits cpu=AMOUNT --requests ephemeral-storage=AMOUNT)"},
		{"a least amount", forbidden("minimum memory usage per Container is 100Mi, but request is 64Mi"), ByAmount, "minimum memory usage per Container is 100Mi, but request is 64Mi"},
		{"a ratio", forbidden("memory max limit to request ratio per Container is 1, but provided ratio is 2.000000"), ByAmount, "memory max limit to request ratio per Container is 1"},
		{"a missing permission", forbidden(`User "x" cannot create resource "pods"`), none, "cannot create"},
		{"a name that is taken", apierrors.NewAlreadyExists(core.Resource("pods"), "pod-1"), none, "already exists"},
		{"no answer", errors.New("exceeded quota: connection refused"), none, "connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Refused("pod", tt.err)
			var refused *RefusedError
			if errors.As(err, &refused) != (tt.by != none) || refused != nil && refused.By != tt.by {
				t.Errorf("%#v", err)
			}
			if !strings.Contains(err.Error(), tt.says) || !errors.Is(err, tt.err) {
				t.Errorf("it says %q", err)
			}
		})
	}
}

// FuzzRefused reads whatever a cluster may answer.
func FuzzRefused(f *testing.F) {
	f.Add(`admission webhook "x" denied the request: ` + strings.Repeat("é\x00\n", 500))
	f.Add("failed quota: q: must specify limits.cpu for: a; limits.cpu for: b")
	f.Fuzz(func(t *testing.T, message string) {
		err := Refused("pod", &apierrors.StatusError{ErrStatus: metav1.Status{Message: message}})
		var refused *RefusedError
		if errors.As(err, &refused) && (len([]rune(refused.Why)) > maxQuoted+1 || strings.ContainsAny(refused.Why, "\n\x00\x1b")) {
			t.Errorf("quoted %q", refused.Why)
		}
	})
}
