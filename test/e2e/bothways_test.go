package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/probes"
	probecatalogue "github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster"
)

const (
	// insideEnv is the environment variable with a kubeconfig file. If it is set, this test's
	// program measures inside the cluster's namespaces, in pods with the image in imageEnv.
	insideEnv = "CNIBENCH_E2E_BOTH_WAYS"
	imageEnv  = "CNIBENCH_E2E_IMAGE"
	// bothWaysPairs pairs of samples are taken. The medians of the two kinds of workers may
	// differ by bothWaysMargin.
	bothWaysPairs  = 30
	bothWaysMargin = 0.03
)

func TestMain(m *testing.M) {
	if kubeconfig := os.Getenv(insideEnv); kubeconfig != "" {
		if err := measureBothWays(context.Background(), kubeconfig, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// bothWays measures between the same two network namespaces, alternating between workers started
// by exec through the API server and workers started directly, as in the lab. The figures must
// agree, because exec only carries control messages and never data.
func bothWays(t *testing.T, k *kube) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// Do not use ip netns exec, which hides the control groups.
	cmd := k.inside(ctx, "nsenter", "--net=/run/netns/k8s-cp", self)
	cmd.Env = append(os.Environ(), insideEnv+"="+k.config(), imageEnv+"="+k.image)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &log)
	}
	byExec, directly := map[int]float64{}, map[int]float64{}
	for line := range strings.Lines(string(out)) {
		var pair int
		var a, b float64
		if _, err := fmt.Sscan(line, &pair, &a, &b); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		byExec[pair], directly[pair] = a, b
	}
	r := stats.Paired(byExec, directly)
	if r.N != bothWaysPairs || r.CI == nil {
		t.Fatalf("%d pairs: %s", r.N, out)
	}
	t.Logf("tcp-rr p50 by exec is ×%.4f [%.4f, %.4f] of that by workers started directly, %d pairs", r.Ratio, r.CI.Low, r.CI.High, r.N)
	if r.CI.Low > 1+bothWaysMargin || r.CI.High < 1/(1+bothWaysMargin) {
		t.Errorf("the two methods differ by more than %.0f %%", 100*bothWaysMargin)
	}
	k.nothingLeft(t)
}

// measureBothWays prints, pair by pair, the median round-trip time by exec and directly. Both run
// on one CPU.
func measureBothWays(ctx context.Context, kubeconfig string, out io.Writer) (err error) {
	bed, err := cluster.New(ctx, cluster.Config{Kubeconfig: kubeconfig, Image: os.Getenv(imageEnv), Unprivileged: true,
		Life: 5 * time.Minute, Event: func(results.Event) {}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bed.Close()) }()
	logs, err := os.MkdirTemp("", "both-ways")
	if err != nil {
		return err
	}
	defer os.RemoveAll(logs)
	bed.Record("both-ways", logs)
	network, err := bed.Up(ctx, catalogue.All().Get("flannel-host-gw"), "flannel-host-gw", testbed.ClusterTopology)
	if err != nil {
		return err
	}
	byExec, directly := site(network.Ends()), site(network.Ends())
	for _, end := range []*probes.End{&directly.Client, &directly.Server} {
		if end.Worker, err = startDirectly(ctx, end.Addr); err != nil {
			return err
		}
		defer end.Worker.Close()
	}
	probe, params, err := probecatalogue.Parse("tcp-rr")
	if err != nil {
		return err
	}
	byExec.Params, directly.Params = params, params
	for pair := range bothWaysPairs {
		order := []*probes.Site{byExec, directly}
		if pair%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		median := map[*probes.Site]float64{}
		for _, s := range order {
			measured, err := probe.Measure(ctx, s)
			if err != nil {
				return err
			}
			median[s] = measured.Values["p50"]
		}
		fmt.Fprintln(out, pair, median[byExec], median[directly])
	}
	return nil
}

func site(client, server probes.End) *probes.Site {
	client.CPU, server.CPU = 0, 0
	return &probes.Site{Client: client, Server: server, Duration: 300 * time.Millisecond}
}

// startDirectly starts a worker in the namespaces and the control groups of the pod that has an
// address, with the privileges of that pod's user. Its streams are pipes of this process. All of
// this matters: outside the control groups and as root, a round trip was a fifth shorter.
func startDirectly(ctx context.Context, addr netip.Addr) (*worker.Worker, error) {
	pid, err := holder(ctx, addr)
	if err != nil {
		return nil, err
	}
	const enter = `cut -d: -f2- /proc/$1/cgroup | while IFS=: read -r ctl path; do
  case $ctl in "") m=unified;; name=*) m=${ctl#name=};; *) m=$ctl;; esac
  echo $$ > /sys/fs/cgroup/$m$path/cgroup.procs
done || exit
exec nice -n 10 nsenter -t $1 -m -n -p --setuid 65532 --setgid 65532 /cnibench worker`
	cmd := exec.CommandContext(ctx, "sh", "-c", enter, "sh", strconv.Itoa(pid))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return worker.Connect(in, out), nil
}

// holder returns the waiting process of the pod that has an address.
func holder(ctx context.Context, addr netip.Addr) (int, error) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, path := range lines {
		text, err := os.ReadFile(path)
		if err != nil || string(text) != "/cnibench\x00"+cluster.HoldCommand+"\x00" {
			continue
		}
		pid := filepath.Base(filepath.Dir(path))
		if exec.CommandContext(ctx, "nsenter", "-t", pid, "-m", "-n", "/cnibench", cluster.NICCommand, addr.String()).Run() == nil {
			return strconv.Atoi(pid)
		}
	}
	return 0, fmt.Errorf("no pod has the address %s", addr)
}
