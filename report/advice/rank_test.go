package advice

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/stats"
)

// TestOrderIsTransitive checks that the preferences are transitive over plugins with some unknown
// figures: if a is preferred to b and b to c, then a is preferred to c.
func TestOrderIsTransitive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []*subject
	for i := range 60 {
		p := &Plugin{Name: fmt.Sprint("p", i), Fidelity: []string{"agent", DataPath}[r.IntN(2)], Memory: int64(r.IntN(3)) << 20}
		if bytes := r.IntN(4); bytes > 0 {
			p.Overhead = &bytes
		}
		all = append(all, &subject{plugin: p, mode: mode{Agents: r.IntN(3)}})
	}
	before := func(a, b *subject) bool { _, c, _ := prefer(a, b); return c < 0 }
	for _, a := range all {
		for _, b := range all {
			if a != b && before(a, b) == before(b, a) {
				t.Fatalf("%+v and %+v: neither or both are preferred", a.plugin, b.plugin)
			}
			for _, c := range all {
				if before(a, b) && before(b, c) && !before(a, c) {
					t.Fatalf("a cycle: %+v, %+v, %+v", a.plugin, b.plugin, c.plugin)
				}
			}
		}
	}
}

// TestNoReasonFromTheUnknown checks that no reason claims a figure that a plugin does not have.
func TestNoReasonFromTheUnknown(t *testing.T) {
	bytes := 50
	for _, c := range []struct {
		name string
		a, b subject
		rule string
		says string
	}{
		{"both seen on the wire", subject{plugin: &Plugin{Name: "a", Overhead: new(int)}}, subject{plugin: &Plugin{Name: "b", Overhead: &bytes}}, "fewer-bytes", "fewer bytes"},
		{"one seen on the wire", subject{plugin: &Plugin{Name: "b", Overhead: &bytes}}, subject{plugin: &Plugin{Name: "a"}}, "fewer-bytes", "the other was not"},
		{"one documented", subject{plugin: &Plugin{Name: "b"}, mode: mode{Agents: 3}}, subject{plugin: &Plugin{Name: "a"}}, "fewer-moving-parts", "the other has not"},
		{"memory of one", subject{plugin: &Plugin{Name: "b", Memory: 1 << 30}}, subject{plugin: &Plugin{Name: "a"}}, "less-memory", "the other had not"},
		{"nothing known", subject{plugin: &Plugin{Name: "a"}}, subject{plugin: &Plugin{Name: "b"}}, "by-name", "by name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, order, evidence := prefer(&c.a, &c.b)
			if order >= 0 || p.rule != c.rule || !strings.Contains(p.text.String(), c.says) {
				t.Errorf("%d, %s: %s", order, p.rule, p.text)
			}
			if known := c.says == "fewer bytes"; known != (!evidence.Empty()) {
				t.Errorf("figures: %q", evidence)
			}
		})
	}
}

// TestRankIgnoresOrder ranks random plugins, some in another kernel and some never compared, by verdicts
// that may contradict each other, and checks that the answer does not depend on the order in which
// anything was recorded.
func TestRankIgnoresOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		f := randomFacts(r)
		want := ranked(f)
		for range 5 {
			r.Shuffle(len(f.Plugins), func(i, j int) { f.Plugins[i], f.Plugins[j] = f.Plugins[j], f.Plugins[i] })
			r.Shuffle(len(f.Comparisons), func(i, j int) { f.Comparisons[i], f.Comparisons[j] = f.Comparisons[j], f.Comparisons[i] })
			if got := ranked(f); got != want {
				t.Fatalf("%q, or %q in another order of %+v", want, got, f)
			}
		}
	}
}

func ranked(f *Facts) string {
	var fit []*subject
	for i := range f.Plugins {
		fit = append(fit, &subject{plugin: &f.Plugins[i], facts: f})
	}
	o := choose(f, fit)
	return fmt.Sprint(o.winner.plugin.Name, namesOf(o.leaders), o.why)
}

func randomFacts(r *rand.Rand) *Facts {
	f := &Facts{}
	for i := range 2 + r.IntN(5) {
		f.Plugins = append(f.Plugins, Plugin{Name: fmt.Sprint("p", i), Memory: int64(r.IntN(3)) << 20, Kernel: []string{"", "", "uml 6.1"}[r.IntN(3)]})
	}
	for i, a := range f.Plugins {
		for _, b := range f.Plugins[i+1:] {
			if a.Kernel != b.Kernel || r.IntN(5) == 0 {
				continue
			}
			for probe, metric := range map[string]string{"tcp-stream": "goodput", "tcp-rr": "p50"} {
				f.Comparisons = append(f.Comparisons, Comparison{A: a.Name, B: b.Name, Probe: probe, Metric: metric, Ratio: 1, Holds: true,
					Verdict: []stats.Verdict{stats.Faster, stats.Slower, stats.Equivalent, stats.Inconclusive}[r.IntN(4)]})
			}
		}
	}
	return f
}

// TestLeaders checks which plugins lead for given direct wins.
func TestLeaders(t *testing.T) {
	for _, c := range []struct {
		name string
		all  string // names of one letter
		wins string // "ab": a beats b
		want string
		loop bool
	}{
		{"no wins", "abc", "", "abc", false},
		{"one beats all", "abc", "ab ac", "a", false},
		{"a win against a third makes no difference", "abc", "ac", "ab", false},
		{"a chain without its short cut", "abc", "ab bc", "a", false},
		{"each of two is beaten by another", "abcd", "ac bd", "ab", false},
		{"a circle", "abc", "ab bc ca", "abc", true},
		{"a circle that beats another", "abcd", "ab bc ca ad", "abc", true},
		{"a circle below a circle", "abcdef", "ab bc ca de ef fd ad", "abc", true},
		{"two circles that nothing connects", "abcdef", "ab bc ca de ef fd", "abcdef", true},
		{"one above a circle", "abcd", "ab bc ca da", "d", false},
		{"one beside a circle", "abcd", "ab bc ca", "d", false},
		{"a larger circle through a smaller", "abcd", "ab bc ca cd da", "abcd", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &ranking{tallies: map[pair]tally{}}
			byName := map[byte]*subject{}
			for i := range len(c.all) {
				s := &subject{plugin: &Plugin{Name: c.all[i : i+1]}}
				byName[c.all[i]] = s
				r.contenders = append(r.contenders, s)
			}
			for _, w := range strings.Fields(c.wins) {
				r.tallies[pair{byName[w[0]], byName[w[1]]}] = tally{net: 1}
				r.tallies[pair{byName[w[1]], byName[w[0]]}] = tally{net: -1}
			}
			r.lead()
			got := ""
			for _, s := range r.leaders {
				got += s.plugin.Name
			}
			if got != c.want || r.cycle != c.loop {
				t.Errorf("%s lead, cycle %v; want %s, %v", got, r.cycle, c.want, c.loop)
			}
		})
	}
}
