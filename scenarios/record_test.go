package scenarios

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// twoKernels is a testbed whose first kernel supports none of the plugins.
type twoKernels struct {
	*fragile
	lacks bool
}

func (b *twoKernels) Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (testbed.Network, error) {
	if b.lacks && instance != results.HostPlugin {
		return nil, &testbed.UnsupportedError{Cause: words.Quote("kernel lacks ipip"), Lacks: "ipip"}
	}
	if _, err := b.fragile.Up(ctx, p, instance, topology); err != nil {
		return nil, err
	}
	n := *b.fragile
	return &named{&n, instance}, nil
}

// named is a network that is not the baseline.
type named struct {
	*fragile
	plugin string
}

func (n *named) Facts() (results.Network, results.Setup) {
	facts, setup := n.fragile.Facts()
	facts.Plugin, setup.Plugin = n.plugin, n.plugin
	return facts, setup
}

// goOn resumes the run in a directory.
func goOn(ctx context.Context, t *testing.T, dir string, bed testbed.Testbed, kernel string, next bool, took func(*results.Sample)) error {
	t.Helper()
	recorded, journal, err := results.Continue(dir)
	if err != nil {
		t.Fatal(err)
	}
	a := recorded.Run.Asked
	err = Run(ctx, Config{Asked: a, Catalogue: catalogue.All(), Phases: Phases(bed, a), Journal: journal, CPUs: []int{-1}, Recorded: recorded,
		Progress: func(Progress) {}, Kernel: kernel, NextKernel: next, Took: took})
	return errors.Join(err, journal.Close())
}

func create(t *testing.T, rounds int, plugins ...string) string {
	t.Helper()
	return createWith(t, func(*results.Asked) {}, rounds, plugins...)
}

// createWith makes the directory of a run whose options are changed.
func createWith(t *testing.T, change func(*results.Asked), rounds int, plugins ...string) string {
	t.Helper()
	a := Defaults()
	a.Plugins, a.Topology, a.Wire = plugins, []string{"l2"}, []string{results.WireNone}
	a.Probes, a.Rounds, a.Duration, a.Seed = []string{"udp-rr"}, rounds, 0.1, 1
	change(&a)
	dir := t.TempDir()
	journal, err := results.Create(dir, results.Run{ID: "x", Asked: a})
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// histograms returns the number of samples with a histogram in the record, and checks that no two
// refer to the same file and that each file exists.
func histograms(t *testing.T, dir string) int {
	t.Helper()
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range recorded.Records {
		s := r.Sample
		if s == nil || s.Hist == "" {
			continue
		}
		if seen[s.Hist] {
			t.Errorf("%s is named by two samples", s.Hist)
		}
		seen[s.Hist] = true
		if strings.Contains(s.Hist, "kernel=") != (r.Kernel != "") {
			t.Errorf("%s is of kernel %q", s.Hist, r.Kernel)
		}
		if _, err := results.Histogram(dir, s.Hist); err != nil {
			t.Error(err)
		}
	}
	if files, err := os.ReadDir(filepath.Join(dir, results.HistDir)); err != nil || len(files) != len(seen) {
		t.Errorf("%v: %d files, %d samples name one", err, len(files), len(seen))
	}
	return len(seen)
}

// TestHistogramsOfTwoKernels measures the baseline in both kernels, in blocks of the same
// numbers.
func TestHistogramsOfTwoKernels(t *testing.T) {
	dir := create(t, 2, results.HostPlugin, "flannel-vxlan", "flannel-ipip")
	bed := &twoKernels{fragile: &fragile{t: t, lives: 100}, lacks: true}
	if err := goOn(t.Context(), t, dir, lacking{bed, []string{"ipip"}}, "", true, nil); err != nil {
		t.Fatal(err)
	}
	bed.lacks = false
	if err := goOn(t.Context(), t, dir, bed, "uml 6.1", false, nil); err != nil {
		t.Fatal(err)
	}
	if n := histograms(t, dir); n != 2+3*2 { // the baseline alone, then all three
		t.Errorf("%d histograms", n)
	}
}

// TestHistogramsOfAResumedBlock interrupts a block after its first sample and measures it again.
func TestHistogramsOfAResumedBlock(t *testing.T) {
	dir := create(t, 2, results.HostPlugin, "flannel-vxlan")
	bed := &twoKernels{fragile: &fragile{t: t, lives: 100}}
	ctx, interrupt := context.WithCancel(t.Context())
	if err := goOn(ctx, t, dir, bed, "", false, func(s *results.Sample) {
		if s.Block == 1 {
			interrupt()
		}
	}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := results.Resume(dir, ""); err != nil {
		t.Fatal(err)
	}
	if err := goOn(t.Context(), t, dir, bed, "", false, nil); err != nil {
		t.Fatal(err)
	}
	if n := histograms(t, dir); n != 5 { // four that count and one that does not
		t.Errorf("%d histograms", n)
	}
}

// TestFilesOfParts checks that files of different parts of a run have different names.
func TestFilesOfParts(t *testing.T) {
	for _, c := range []struct {
		name  string
		asked results.Asked
	}{
		{"the baselines of two clusters", results.Asked{Plugins: []string{"a", "b"}, Contexts: []string{"x", "y"}}},
		{"deployments", results.Asked{Plugins: []string{"host", "a"}, Redeploy: 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			phases, names := Phases(nil, c.asked), map[string]bool{}
			for i, p := range phases {
				w := writer{part: partOf(c.asked, p, i+1)}
				names[results.FileName(w.fileParts(results.HostPlugin, "cluster", "encap", "1")...)] = true
			}
			if len(phases) < 2 || len(names) != len(phases) {
				t.Errorf("files of %d parts are named %v", len(phases), names)
			}
		})
	}
}
