package scenarios

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/probes"
	probecatalogue "github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		if errors.Join(worker.Prepare(), probecatalogue.Serve(context.Background(), os.Stdin, os.Stdout)) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fragile is a testbed of one network whose server's worker is killed during the last of a number
// of samples, and again after each restart.
type fragile struct {
	t       *testing.T
	lives   int  // samples that a server's worker begins, the last of which kills it
	returns bool // whether it can be restarted
	left    int
	ends    [2]*worker.Worker
	kill    func()
	lost    error
}

// worker starts a worker in a process of its own.
func (f *fragile) worker() (*worker.Worker, func()) {
	cmd := exec.Command("/proc/self/exe", "worker")
	in, err := cmd.StdinPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	w := worker.Connect(in, out)
	f.t.Cleanup(func() {
		w.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return w, func() { cmd.Process.Kill() }
}

func (f *fragile) Up(context.Context, *plugins.Plugin, string, string) (testbed.Network, error) {
	f.ends[0], _ = f.worker()
	f.ends[1], f.kill = f.worker()
	f.left = f.lives
	return f, nil
}

// Ends is called when a sample begins, after a lost worker was restored.
func (f *fragile) Ends() (client, server probes.End) {
	end := probes.End{Addr: netip.MustParseAddr("127.0.0.1"), CPU: -1}
	if f.left == 0 && f.lost == nil {
		f.kill()
		f.lost = errors.New("its server was killed")
	}
	client, server = end, end
	client.Worker, server.Worker = f.ends[0], f.ends[1]
	return client, server
}

// took counts the samples.
func (f *fragile) took(p Progress) {
	if !strings.HasPrefix(p.Phase, "round") {
		return
	}
	f.left--
}

func (f *fragile) Err() error { return f.lost }

func (f *fragile) Restore(context.Context) (words.Text, error) {
	if !f.returns {
		return words.Text{}, errors.New("its server does not come back")
	}
	f.ends[1], f.kill = f.worker()
	f.left, f.lost = f.lives-1, nil // the sample about to begin already counts
	return words.Quote("its server was started again"), nil
}

func (f *fragile) Facts() (results.Network, results.Setup) {
	return results.Network{Plugin: results.HostPlugin, Topology: results.On("l2"), Status: results.StatusOK}, results.Setup{Plugin: results.HostPlugin, Topology: results.On("l2")}
}
func (f *fragile) SetWire(string) error       { return nil }
func (f *fragile) AgentTime() time.Duration   { return 0 }
func (f *fragile) Down(context.Context) error { return nil }
func (f *fragile) Close() error               { return nil }

// TestLostWorker loses a worker when a sample begins: that sample fails with its cause, and the
// run continues if the worker can be restarted.
func TestLostWorker(t *testing.T) {
	for _, tt := range []struct {
		name     string
		returns  bool
		failed   []int // samples, by their block
		status   string
		restored bool
	}{
		{"that comes back", true, []int{1, 3}, results.StatusOK, true},
		{"that does not", false, []int{1}, results.StatusBroke, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bed := &fragile{t: t, lives: 2, returns: tt.returns}
			recorded := runOn(t, bed, bed.took, "udp-rr", 5)
			var failed, all []int
			status, restored := "", false
			for _, r := range recorded.Records {
				switch {
				case r.Sample != nil:
					all = append(all, r.Sample.Block)
					if r.Sample.AgentWindow <= r.Sample.Seconds {
						t.Errorf("the agents were watched for %g s, but %g s were counted", r.Sample.AgentWindow, r.Sample.Seconds)
					}
					if !r.Sample.Error.Empty() {
						failed = append(failed, r.Sample.Block)
						if !strings.Contains(r.Sample.Error.String(), "its server was killed") {
							t.Errorf("the cause is %q", r.Sample.Error)
						}
					}
				case r.Network != nil:
					status = r.Network.Status
				case r.Event != nil && r.Event.Name == results.EventRestored:
					restored = true
				}
			}
			if !slices.Equal(failed, tt.failed) || status != tt.status || restored != tt.restored || tt.returns && len(all) != 5 || !tt.returns && len(all) != 2 {
				t.Errorf("samples %v, failed %v, the network is %s, restored: %v", all, failed, status, restored)
			}
		})
	}
}

// runOn measures the baseline and the named plugins on a testbed.
func runOn(t *testing.T, bed testbed.Testbed, progress func(Progress), probe string, rounds int, beside ...string) *results.Recorded {
	t.Helper()
	a := Defaults()
	a.Plugins, a.Topology, a.Wire = append([]string{results.HostPlugin}, beside...), []string{"l2"}, []string{results.WireNone}
	a.Probes, a.Rounds, a.Duration, a.Seed = []string{probe}, rounds, 0.1, 1
	dir := t.TempDir()
	journal, err := results.Create(dir, results.Run{ID: "x", Asked: a})
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), Config{Asked: a, Catalogue: catalogue.All(), Phases: Phases(bed, a), Journal: journal, CPUs: []int{-1}, Progress: progress})
	if err := errors.Join(err, journal.Close()); err != nil {
		t.Fatal(err)
	}
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return recorded
}
