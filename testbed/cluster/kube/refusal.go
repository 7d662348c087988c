package kube

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// RefusedBy is the kind of rule by which a cluster refuses a pod.
type RefusedBy int

// The kinds of rules.
const (
	// BySecurity: Pod Security, or OpenShift's security context constraints. They
	// limit what a pod may do, such as joining its node's network.
	BySecurity RefusedBy = iota
	// ByPolicy: an admission webhook (Kyverno, Gatekeeper) or a
	// ValidatingAdmissionPolicy, whose reasons are their own.
	ByPolicy
	// ByAmount: a ResourceQuota or a LimitRange.
	ByAmount
)

// RefusedError says that the cluster's rules refuse an object.
type RefusedError struct {
	Object string // such as "pod pod-1"
	By     RefusedBy
	Why    string // in the cluster's words
	err    error
}

func (e *RefusedError) Error() string { return e.Words().String() }

// Unwrap returns the API server's answer.
func (e *RefusedError) Unwrap() error { return e.err }

// Words returns the sentence that the error consists of, with the flags that set
// what a quota demands.
func (e *RefusedError) Words() words.Text {
	text := words.ClusterRefuses.With(e.Object, e.Why)
	if flags := demanded(e.Why); e.By == ByAmount && len(flags) > 0 {
		text = words.Aside(text, words.SetAmounts.With(strings.Join(flags, " ")))
	}
	return text
}

// refusals lists what refusals contain, with the kind of rule. Those of webhooks come
// first, because they may quote the others. Sources: k8s.io/apiserver v0.34.10,
// pkg/admission/plugin/{webhook/errors,policy/validating,resourcequota};
// k8s.io/kubernetes v1.34.10, plugin/pkg/admission/limitranger;
// k8s.io/pod-security-admission v0.34.10, admission; and for OpenShift
// pulp/pulp-operator issue 1319.
var refusals = []struct {
	pattern *regexp.Regexp
	by      RefusedBy
}{
	{regexp.MustCompile(`(admission webhook "[^"]*" denied the request.*)`), ByPolicy},
	{regexp.MustCompile(`(ValidatingAdmissionPolicy '[^']*' .*denied request.*)`), ByPolicy},
	{regexp.MustCompile(`violates PodSecurity (.*)`), BySecurity},
	{regexp.MustCompile(`unable to validate against any security context constraint: (.*)`), BySecurity},
	{regexp.MustCompile(`((?:exceeded|failed) quota: .*)`), ByAmount},
	{regexp.MustCompile(`(m(?:ax|in)imum \S+ usage per \S+ is .*)`), ByAmount},
	{regexp.MustCompile(`(\S+ max limit to request ratio per \S+ is .*)`), ByAmount},
}

// Refused returns err as a [*RefusedError] if the cluster's rules refused to create
// an object, and otherwise err itself.
func Refused(object string, err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err
	}
	said := quoted(status.Status().Message)
	for _, r := range refusals {
		if found := r.pattern.FindStringSubmatch(said); found != nil {
			return &RefusedError{object, r.by, found[1], err}
		}
	}
	return err
}

var amount = regexp.MustCompile(`\b(limits|requests)\.([a-z-]+)`)

// demanded returns the flags with which a user specifies the amounts that a quota
// demands ("must specify limits.cpu for: cnibench").
func demanded(why string) []string {
	_, must, _ := strings.Cut(why, "must specify ")
	var flags []string
	for _, found := range amount.FindAllStringSubmatch(must, -1) {
		if flag := "--" + found[1] + " " + found[2] + "=AMOUNT"; !slices.Contains(flags, flag) {
			flags = append(flags, flag)
		}
	}
	return flags
}

// maxQuoted bounds what is quoted of the cluster, in characters: its messages may
// hold whole lists.
const maxQuoted = 400

// quoted makes what a cluster says fit for a sentence.
func quoted(said string) string {
	runes := []rune(strings.Join(strings.Fields(results.Printable(said)), " "))
	if len(runes) > maxQuoted {
		return string(runes[:maxQuoted]) + "…"
	}
	return string(runes)
}
