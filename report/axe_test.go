package report_test

import (
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestAxe checks the page in Chromium with axe-core, the accessibility engine, which must
// not find anything serious or critical.
func TestAxe(t *testing.T) {
	chromium := needsProgram(t, "chromium", "chromium")
	axe := axeCore(t)
	for _, tt := range []struct {
		name, golden string
		width        int
		dark         bool
	}{
		{"phone", "three.html", 390, false},
		{"desk, dark", "three.html", 1400, true},
		{"desk, one topology, Chinese", "report.zh.html", 1400, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seen := axeFinds(t, chromium, pageWithAxe(t, tt.golden, axe), tt.width, tt.dark)
			if seen.Passes < 10 {
				t.Errorf("only %d rules passed", seen.Passes)
			}
			for _, v := range seen.Violations {
				if v.grave() {
					t.Errorf("%s (%s): %s: %s", v.ID, v.Impact, v.Help, v.Target)
				} else {
					t.Logf("%s (%s): %s: %s", v.ID, v.Impact, v.Help, v.Target)
				}
			}
		})
	}
	t.Run("a page with faults", func(t *testing.T) {
		page := filepath.Join(t.TempDir(), "page.html")
		text := `<html><head></head><body><main><h1>x</h1><img src="x.png"><p style="color:#ccc;background:#fff">pale</p>` + axeScript(axe) + `</main></body></html>`
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, v := range axeFinds(t, chromium, page, 390, false).Violations {
			if v.grave() {
				found = append(found, v.ID)
			}
		}
		slices.Sort(found)
		if want := []string{"color-contrast", "document-title", "html-has-lang", "image-alt"}; !slices.Equal(found, want) {
			t.Errorf("axe-core found %v, not %v", found, want)
		}
	})
}

type axeFound struct {
	Passes     int
	Violations []violation
}

type violation struct{ ID, Impact, Help, Target string }

func (v violation) grave() bool { return v.Impact == "serious" || v.Impact == "critical" }

// axeFinds opens a page that runs axe-core and returns its findings.
func axeFinds(t *testing.T, chromium, page string, width int, dark bool) axeFound {
	t.Helper()
	scheme := "1" // blink's PreferredColorScheme: 0 dark, 1 light
	if dark {
		scheme = "0"
	}
	dom := browse(t, chromium, "--allow-file-access-from-files", "--blink-settings=preferredColorScheme="+scheme,
		"--window-size="+strconv.Itoa(width)+",900", "--virtual-time-budget=20000", "--dump-dom", "file://"+page)
	_, rest, _ := strings.Cut(dom, "<title>")
	title, _, ok := strings.Cut(rest, "</title>")
	var seen axeFound
	if err := json.Unmarshal([]byte(html.UnescapeString(title)), &seen); !ok || err != nil {
		t.Fatalf("axe-core did not end: %v: %.300s", err, title)
	}
	return seen
}

// axeScript returns a script that runs axe-core and writes its findings into the page's
// title.
func axeScript(axe string) string {
	return `<script src="file://` + axe + `"></script><script>
axe.run().then(r => { document.title = JSON.stringify({Passes: r.passes.length, Violations: r.violations.map(v =>
  ({ID: v.id, Impact: v.impact, Help: v.help, Target: v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(" | ")}))}); },
  e => { document.title = String(e); });
</script>`
}

// pageWithAxe makes a copy of the page that allows scripts and runs axe-core.
func pageWithAxe(t *testing.T, golden, axe string) string {
	t.Helper()
	text, err := os.ReadFile(goldenPage(t, golden))
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), `<meta http-equiv="Content-Security-Policy"`)
	_, body, closed := strings.Cut(rest, "\n")
	if !ok || !closed {
		t.Fatal("the page has no Content-Security-Policy")
	}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(head+strings.Replace(body, "</body>", axeScript(axe)+"</body>", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// axeCore returns the path of axe-core, a single JavaScript file.
func axeCore(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "bin", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("axe-core is missing (make test gets it with npm into bin/)")
	}
	return path
}
