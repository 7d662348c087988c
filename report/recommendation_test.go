package report_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report"
	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// reported writes a described run, loads it and builds its report.
func (d *described) reported(t *testing.T) *model.Report {
	t.Helper()
	dir := t.TempDir()
	d.write(t, dir)
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Build(recorded, catalogue.All())
	if err != nil {
		t.Fatal(err)
	}
	validate(t, r)
	return r
}

// advised is what a run must be advised.
type advised struct {
	plugin string // "" if nothing fits
	// level is the confidence if there are enough deployments; with fewer it is medium at most.
	level string
	// lowered lists the rules that lower the confidence, apart from few-deployments, which holds wherever
	// speeds were compared in too few.
	lowered []string
	// says and unsaid are parts of the summary; rests is part of what the confidence rests on.
	says, unsaid, rests []string
	// because and rejected are parts of reasons: "[rule] text", after the plugin for those against one.
	because, rejected []string
	unbeaten          string // names joined by commas
}

// TestRecommendationOfJournals holds the recommendation and its confidence against described runs, each
// written as a journal and read again.
func TestRecommendationOfJournals(t *testing.T) {
	cases := slices.Concat(tiesAndWins, fewSamples, doubts, circumstances)
	if len(cases) < 45 {
		t.Errorf("only %d cases", len(cases))
	}
	lowered := map[string]bool{}
	ran := 0
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := c.run.reported(t)
			if len(r.Recommendation) != 1 {
				t.Fatalf("%d recommendations", len(r.Recommendation))
			}
			got := &r.Recommendation[0]
			c.want.check(t, r, got)
			t.Logf("%s\nconfidence %s: %s\nbecause %q\nrejected %q", got.Summary, got.Confidence.Level, got.Confidence.RestsOn, reasons("", got.Because), rejections(got))
			ran++
			for _, l := range got.Confidence.Lowered {
				lowered[l.Rule] = true
			}
		})
	}
	for _, rule := range loweringRules(t) {
		if ran == len(cases) && !lowered[rule] {
			t.Errorf("no case lowers the confidence by %s", rule)
		}
	}
}

// loweringRules returns the rules by which the confidence may be lowered, from the schema, which every
// report follows.
func loweringRules(t *testing.T) []string {
	t.Helper()
	var schema struct {
		Defs struct {
			Recommendation struct {
				Properties struct {
					Confidence struct {
						Properties struct {
							Lowered struct {
								Items struct {
									Properties struct {
										Rule struct{ Enum []string }
									}
								}
							}
						}
					}
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(machine.JSONSchema, &schema); err != nil {
		t.Fatal(err)
	}
	rules := schema.Defs.Recommendation.Properties.Confidence.Properties.Lowered.Items.Properties.Rule.Enum
	if len(rules) == 0 {
		t.Error("the schema names no rules")
	}
	return rules
}

func (w *advised) check(t *testing.T, r *model.Report, got *advice.Recommendation) {
	t.Helper()
	if got.Plugin != w.plugin {
		t.Errorf("recommended %q, want %q", got.Plugin, w.plugin)
	}
	n := deploymentsOf(r)
	compared := strings.Contains(got.Confidence.RestsOn.String(), "comparison")
	few := compared && n < stats.MinDeployments
	level := w.level
	if few && level == "high" {
		level = "medium"
	}
	if got.Confidence.Level.String() != level {
		t.Errorf("confidence %s, want %s", got.Confidence.Level, level)
	}
	var lowered []string
	isFew := false
	for _, l := range got.Confidence.Lowered {
		if l.Rule == "few-deployments" {
			isFew = true
			continue
		}
		lowered = append(lowered, l.Rule)
	}
	if !slices.Equal(lowered, w.lowered) {
		t.Errorf("confidence lowered by %q, want %q", lowered, w.lowered)
	}
	if isFew != few {
		t.Errorf("few deployments: %v with %d of them, compared: %v", isFew, n, compared)
	}
	if w.unbeaten != strings.Join(got.Unbeaten, ",") {
		t.Errorf("unbeaten %q, want %s", got.Unbeaten, w.unbeaten)
	}
	w.checkTexts(t, got)
}

// checkTexts looks for the parts of texts, and for English in the Chinese form.
func (w *advised) checkTexts(t *testing.T, got *advice.Recommendation) {
	t.Helper()
	in := func(where string, parts []string, texts ...string) {
		for _, part := range parts {
			if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, part) }) {
				t.Errorf("%q is not in the %s", part, where)
			}
		}
	}
	in("summary", w.says, got.Summary.String())
	in("confidence", w.rests, got.Confidence.RestsOn.String())
	in("reasons", w.because, reasons("", got.Because)...)
	in("reasons against others", w.rejected, rejections(got)...)
	for _, part := range w.unsaid {
		if strings.Contains(got.Summary.String(), part) {
			t.Errorf("%q is in the summary", part)
		}
	}
	zh := chinese(t)
	for _, text := range []words.Text{got.Summary, got.Confidence.RestsOn} {
		said := strings.ReplaceAll(zh.Say(text), "no route to host", "")
		if left := english.FindString(said); left != "" {
			t.Errorf("left in English: %q in %s", left, said)
		}
	}
}

// deploymentsOf returns the least number of deployments that a verdict between two plugins rests on.
func deploymentsOf(r *model.Report) int {
	least := math.MaxInt
	for _, c := range r.Comparisons {
		if c.B != results.HostPlugin {
			least = min(least, c.Deployments)
		}
	}
	return least
}

func reasons(plugin string, all []advice.Reason) []string {
	var said []string
	for _, r := range all {
		said = append(said, strings.TrimSpace(fmt.Sprintf("%s [%s] %s (%s; %s)", plugin, r.Rule, r.Text, r.Evidence, r.Source)))
	}
	return said
}

func rejections(r *advice.Recommendation) []string {
	var said []string
	for _, other := range r.Rejected {
		said = append(said, reasons(other.Plugin, other.Because)...)
	}
	return said
}
