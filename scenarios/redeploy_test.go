package scenarios

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

func TestShare(t *testing.T) {
	for _, c := range []struct {
		name                string
		blocks, deployments int
		want                []int
	}{
		{"one deployment", 7, 1, []int{7}},
		{"even", 30, 6, []int{5, 5, 5, 5, 5, 5}},
		{"uneven", 14, 4, []int{4, 4, 3, 3}},
		{"one each", 3, 3, []int{1, 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []int
			for d := range c.deployments {
				got = append(got, share(c.blocks, c.deployments, d))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// redeployed is a testbed that counts how often a network is brought up and can refuse to do so.
type redeployed struct {
	*twoKernels
	ups    map[string]int
	refuse map[string]int // how often a network comes up before it does not; not in the map: always
}

func (b *redeployed) Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (testbed.Network, error) {
	b.ups[instance]++
	if n, is := b.refuse[instance]; is && b.ups[instance] > n {
		return nil, errors.New("no agent today")
	}
	return b.twoKernels.Up(ctx, p, instance, topology)
}

func redeployedBed(t *testing.T, refuse map[string]int) *redeployed {
	return &redeployed{&twoKernels{fragile: &fragile{t: t, lives: 100}}, map[string]int{}, refuse}
}

// deployed returns the networks of each deployment, with the blocks in which they were measured,
// in the order of the record.
func deployed(t *testing.T, dir string) (samples []string, setups []string, states map[string]results.Network) {
	t.Helper()
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, states := recorded.Superseded(), map[string]results.Network{}
	for i, r := range recorded.Records {
		switch {
		case again[i]:
		case r.Sample != nil:
			samples = append(samples, fmt.Sprintf("%d.%d %s", r.Sample.Deployment, r.Sample.Block, r.Sample.Plugin))
		case r.Setup != nil:
			setups = append(setups, fmt.Sprintf("%d %s", r.Setup.Deployment, r.Setup.Plugin))
		case r.Network != nil:
			states[r.Network.Plugin] = *r.Network
		}
	}
	return samples, setups, states
}

// redeploy is a run of 5 rounds in 3 deployments.
func redeploy(t *testing.T, plugins ...string) string {
	return createWith(t, func(a *results.Asked) { a.Redeploy = 3 }, 5, plugins...)
}

// TestRedeploy divides the rounds of a run among deployments.
func TestRedeploy(t *testing.T) {
	dir, bed := redeploy(t, results.HostPlugin, "flannel-vxlan"), redeployedBed(t, nil)
	if err := goOn(t.Context(), t, dir, bed, "", false, nil); err != nil {
		t.Fatal(err)
	}
	samples, setups, _ := deployed(t, dir)
	slices.Sort(samples)
	want := []string{"0.0", "0.1", "1.2", "1.3", "2.4"}
	for i, s := range samples {
		if len(samples) != 2*len(want) || !strings.HasPrefix(s, want[i/2]+" ") {
			t.Fatalf("samples %v", samples)
		}
	}
	if want := []string{"0 host", "0 flannel-vxlan", "1 host", "1 flannel-vxlan", "2 host", "2 flannel-vxlan"}; !slices.Equal(setups, want) {
		t.Errorf("set up %v", setups)
	}
}

// TestNotInALaterDeployment has a network that does not come up in each of the deployments.
func TestNotInALaterDeployment(t *testing.T) {
	for _, c := range []struct {
		name    string
		refuse  int // how often it comes up before
		ups     int
		samples int // of the plugin
		status  string
		cause   string
		round   int
	}{
		{"not in the first", 0, 1, 0, results.StatusFailed, "no agent today", 0},
		{"not in the second", 1, 2, 2, results.StatusBroke, "it did not come up in deployment 2: no agent today", 3},
		{"not in the third", 2, 3, 4, results.StatusBroke, "it did not come up in deployment 3: no agent today", 5},
		{"always", 3, 3, 5, results.StatusOK, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, bed := redeploy(t, results.HostPlugin, "flannel-vxlan"), redeployedBed(t, map[string]int{"flannel-vxlan": c.refuse})
			if err := goOn(t.Context(), t, dir, bed, "", false, nil); err != nil {
				t.Fatal(err)
			}
			samples, _, states := deployed(t, dir)
			of := map[string]int{}
			for _, s := range samples {
				of[s[strings.Index(s, " ")+1:]]++
			}
			if of[results.HostPlugin] != 5 || of["flannel-vxlan"] != c.samples || bed.ups["flannel-vxlan"] != c.ups {
				t.Errorf("samples %v, tried %d times", of, bed.ups["flannel-vxlan"])
			}
			if n := states["flannel-vxlan"]; n.Status != c.status || n.Cause.String() != c.cause || n.BrokeRound != c.round {
				t.Errorf("%+v", n)
			}
		})
	}
}

// TestResumeInADeployment interrupts a run of several deployments at every sample.
func TestResumeInADeployment(t *testing.T) {
	whole := redeploy(t, results.HostPlugin, "flannel-vxlan", "flannel-host-gw")
	if err := goOn(t.Context(), t, whole, redeployedBed(t, nil), "", false, nil); err != nil {
		t.Fatal(err)
	}
	want, setups, _ := deployed(t, whole)
	for after := 1; after < len(want); after++ {
		t.Run(fmt.Sprintf("after sample %d", after), func(t *testing.T) {
			if testing.Short() && after%3 != 0 {
				t.Skip("part of make test-long")
			}
			dir := redeploy(t, results.HostPlugin, "flannel-vxlan", "flannel-host-gw")
			interruptAfter(t, dir, after)
			if err := goOn(t.Context(), t, dir, redeployedBed(t, nil), "", false, nil); err != nil {
				t.Fatal(err)
			}
			got, again, _ := deployed(t, dir)
			if !slices.Equal(got, want) {
				t.Errorf("samples %v, want %v", got, want)
			}
			if !slices.Equal(again, setups) {
				t.Errorf("set up %v, want %v", again, setups)
			}
		})
	}
}

// TestDeploymentsFixTheRounds checks that a run with several deployments does not stop by the width of
// its intervals: what varies between deployments decides, which more rounds do not show.
func TestDeploymentsFixTheRounds(t *testing.T) {
	for _, c := range []struct {
		name                   string
		rounds, redeploy, want int
	}{
		{"one deployment stops by itself", 0, 1, 0},
		{"several take the most rounds", 0, 6, 60},
		{"or those requested", 30, 6, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Defaults()
			a.Plugins, a.Rounds, a.Redeploy = []string{"flannel-vxlan"}, c.rounds, c.redeploy
			if _, err := Check(&a, catalogue.All()); err != nil || a.Rounds != c.want {
				t.Errorf("%d rounds, %v", a.Rounds, err)
			}
		})
	}
}

// TestRedeployInTwoKernels divides the rounds of both parts of a run.
func TestRedeployInTwoKernels(t *testing.T) {
	dir := redeploy(t, results.HostPlugin, "flannel-vxlan", "flannel-ipip")
	bed := &twoKernels{fragile: &fragile{t: t, lives: 100}, lacks: true}
	if err := goOn(t.Context(), t, dir, lacking{bed, []string{"ipip"}}, "", true, nil); err != nil {
		t.Fatal(err)
	}
	bed.lacks = false
	if err := goOn(t.Context(), t, dir, bed, "uml 6.1", false, nil); err != nil {
		t.Fatal(err)
	}
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]int{} // by kernel and deployment
	for _, r := range recorded.Records {
		if s := r.Sample; s != nil && s.Plugin == results.HostPlugin {
			at := fmt.Sprintf("%s%d", r.Kernel, s.Deployment)
			blocks[at] = append(blocks[at], s.Block)
		}
	}
	want := map[string][]int{"0": {0, 1}, "1": {2, 3}, "2": {4}, "uml 6.10": {0, 1}, "uml 6.11": {2, 3}, "uml 6.12": {4}}
	if !reflect.DeepEqual(blocks, want) || !recorded.Complete() {
		t.Errorf("blocks %v, complete: %v", blocks, recorded.Complete())
	}
}
