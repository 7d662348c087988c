package scenarios

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// withFacts is a run of a probe that varies and one that does not.
func withFacts(t *testing.T, rounds, deployments int) string {
	return createWith(t, func(a *results.Asked) {
		a.Probes, a.Redeploy = []string{"mtu", "udp-rr"}, deployments
	}, rounds, results.HostPlugin)
}

// factsOf returns the deployments and blocks of the samples of mtu that count, and what is said to
// have changed.
func factsOf(t *testing.T, dir string) (samples, changed []string) {
	t.Helper()
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	again := recorded.Superseded()
	for i, r := range recorded.Records {
		switch s := r.Sample; {
		case r.Finding != nil && r.Finding.Name == results.FindingMTUChanged:
			changed = append(changed, r.Finding.Text.String())
		case again[i] || s == nil || s.Probe != "mtu":
		case !s.Error.Empty():
			t.Errorf("mtu failed: %s", s.Error)
		default:
			samples = append(samples, fmt.Sprintf("%d.%d", s.Deployment, s.Block))
		}
	}
	return samples, changed
}

// TestFactsAtTheEnds checks that what does not vary is sampled at the start and at the end of a
// run.
func TestFactsAtTheEnds(t *testing.T) {
	for _, c := range []struct {
		name                string
		rounds, deployments int
		want                []string
	}{
		{"a run", 4, 1, []string{"0.0", "0.3"}},
		{"one round", 1, 1, []string{"0.0", "0.0"}},
		{"deployments", 4, 2, []string{"0.0", "1.3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := withFacts(t, c.rounds, c.deployments)
			if err := goOn(t.Context(), t, dir, redeployedBed(t, nil), "", false, nil); err != nil {
				t.Fatal(err)
			}
			if got, changed := factsOf(t, dir); !slices.Equal(got, c.want) || len(changed) > 0 {
				t.Errorf("samples %v, changed %v; want %v", got, changed, c.want)
			}
		})
	}
}

// TestFactsOfAResumedRun interrupts a run after each of its samples: two of facts and two others.
func TestFactsOfAResumedRun(t *testing.T) {
	for after := 1; after <= 3; after++ {
		t.Run(fmt.Sprintf("after sample %d", after), func(t *testing.T) {
			dir := withFacts(t, 2, 1)
			interruptAfter(t, dir, after)
			if err := goOn(t.Context(), t, dir, redeployedBed(t, nil), "", false, nil); err != nil {
				t.Fatal(err)
			}
			if got, _ := factsOf(t, dir); !slices.Equal(got, []string{"0.0", "0.1"}) {
				t.Errorf("samples %v", got)
			}
		})
	}
}

// TestChangedFact resumes a run at whose start another value was recorded.
func TestChangedFact(t *testing.T) {
	dir := withFacts(t, 2, 1)
	interruptAfter(t, dir, 3)
	path := filepath.Join(dir, results.JournalFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`"path":\d+`).ReplaceAll(text, []byte(`"path":1500`))
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := goOn(t.Context(), t, dir, redeployedBed(t, nil), "", false, nil); err != nil {
		t.Fatal(err)
	}
	want := "packets of 1500 bytes passed both ways at the start of the run and of 65535 at its end" // the largest on a loopback
	if _, changed := factsOf(t, dir); len(changed) != 1 || !strings.HasPrefix(changed[0], want) {
		t.Errorf("changed: %q", changed)
	}
}

// interruptAfter makes a run until a number of samples and prepares it to be resumed.
func interruptAfter(t *testing.T, dir string, samples int) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	err := goOn(ctx, t, dir, redeployedBed(t, nil), "", false, func(*results.Sample) {
		if samples--; samples == 0 {
			interrupt()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := results.Resume(dir, ""); err != nil {
		t.Fatal(err)
	}
}
