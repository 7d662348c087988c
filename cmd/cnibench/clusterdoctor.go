package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster"
)

// kubeconfigs lists where distributions of Kubernetes put the administrator's
// kubeconfig file, which kubectl does not read by itself: k3s, RKE2, MicroK8s, k0s and
// kubeadm.
var kubeconfigs = []string{"/etc/rancher/k3s/k3s.yaml", "/etc/rancher/rke2/rke2.yaml", "/var/snap/microk8s/current/credentials/client.config",
	"/var/lib/k0s/pki/admin.conf", "/etc/kubernetes/admin.conf"}

// otherKubeconfigs names those of the files that exist on this machine.
func otherKubeconfigs() string {
	var found []string
	for _, file := range kubeconfigs {
		if _, err := os.Stat(file); err == nil || errors.Is(err, fs.ErrPermission) {
			found = append(found, file)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return "; this machine has " + strings.Join(found, ", ") + ", which --kubeconfig can name"
}

// doctorOf says what a run lacks on a cluster. It changes nothing there.
func (p *program) doctorOf(ctx context.Context, flags clusterFlags) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	broken := false
	say := func(mark, what, text string) {
		broken = broken || mark == "MISSING"
		fmt.Fprintf(w, "%s\t%s\t%s\n", mark, what, results.Printable(text))
	}
	seen, err := cluster.Inspect(ctx, cluster.Config{Kubeconfig: flags.kubeconfig, Context: flags.context, Namespace: flags.namespace, Arch: runtime.GOARCH})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case seen == nil:
		say("MISSING", "kubeconfig", err.Error()+otherKubeconfigs())
	case err != nil:
		say("ok", "kubeconfig", "the API server is "+seen.Server)
		say("MISSING", "API server", err.Error())
	default:
		say("ok", "kubeconfig", "the API server is "+seen.Server)
		say("ok", "API server", "Kubernetes "+cmp.Or(seen.Kubernetes, "of an unknown version")+", kube-proxy "+cmp.Or(seen.KubeProxy, "in an unknown mode"))
		sayRoles(say, seen)
		sayNodes(say, seen)
	}
	if broken {
		w.Flush()
		return exitStatus(exitBroke)
	}
	return nil
}

// sayRoles says which roles the user holds. Only the first is needed for every run.
func sayRoles(say func(mark, what, text string), seen *cluster.Inspection) {
	for i, r := range seen.Roles {
		switch {
		case len(r.Missing) == 0:
			say("ok", r.File, "for "+r.Brings)
		case i == 0:
			say("MISSING", r.File, "for "+r.Brings+", you may not "+strings.Join(r.Missing, ", ")+": ask for the role in manifests/cluster/"+r.File)
		default:
			say("no", r.File, "for "+r.Brings+", you may not "+strings.Join(r.Missing, ", "))
		}
	}
}

// sayNodes says which nodes can be measured with this program's image, and what the
// cluster's plugin is.
func sayNodes(say func(mark, what, text string), seen *cluster.Inspection) {
	if seen.NoNodes != nil {
		say("MISSING", "nodes", seen.NoNodes.Error())
		return
	}
	text := fmt.Sprintf("%d can be measured with an image for %s", len(seen.Fit), runtime.GOARCH)
	if !seen.Others.Empty() {
		text += "; not " + seen.Others.String()
	}
	mark := "ok"
	if len(seen.Fit) < 2 {
		mark, text = "MISSING", text+" (a run needs two)"
	}
	say(mark, "nodes", text)
	mark = "ok"
	if seen.Found.Plugin == "" {
		mark = "no"
	}
	say(mark, "plugin", seen.Found.Name()+": "+seen.Found.Words.String())
	for _, f := range seen.Found.Findings {
		say("no", f.Name, f.Text.String())
	}
}
