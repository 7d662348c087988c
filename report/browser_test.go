package report_test

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// checker is a page that shows another one in a frame of a given width and writes the
// problems of that page into its own title: elements that would scroll sideways, and the
// failures of WCAG 2.1 A and AA that a program can detect. axe-core, which detects more of
// them, is neither a Debian package nor a Go module.
//
//go:embed testdata/checker.html
var checker string

// TestPageInABrowser opens the page in Chromium. It saves screenshots in the directory
// that CNIBENCH_SCREENSHOTS names.
func TestPageInABrowser(t *testing.T) {
	chromium := needsProgram(t, "chromium", "chromium")
	for _, tt := range []struct {
		name, golden string
		width        int
		dark         bool
	}{
		{"phone", "three.html", 390, false}, {"phone, dark", "three.html", 390, true},
		{"desk", "three.html", 1400, false}, {"desk, dark", "three.html", 1400, true},
		{"phone, one topology", "report.html", 390, false}, {"desk, one topology, dark", "report.html", 1400, true},
		{"phone, Chinese", "three.zh.html", 390, false}, {"desk, Chinese", "three.zh.html", 1400, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page := goldenPage(t, tt.golden)
			dir := t.TempDir()
			text := strings.NewReplacer("PAGE", "file://"+page, "WIDTH", strconv.Itoa(tt.width)).Replace(checker)
			path := filepath.Join(dir, "checker.html")
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			scheme := "1" // blink's PreferredColorScheme: 0 dark, 1 light
			if tt.dark {
				scheme = "0"
			}
			dom := browse(t, chromium, "--allow-file-access-from-files", "--blink-settings=preferredColorScheme="+scheme,
				"--window-size="+strconv.Itoa(tt.width+40)+",900", "--virtual-time-budget=5000", "--dump-dom", "file://"+path)
			_, rest, _ := strings.Cut(dom, "<title>")
			title, _, ok := strings.Cut(rest, "</title>")
			var seen struct {
				Dark            bool
				Elements, Texts int
				Wrong           []string
			}
			if err := json.Unmarshal([]byte(html.UnescapeString(title)), &seen); !ok || err != nil {
				t.Fatalf("the page was not checked: %v: %.300s", err, dom)
			}
			if seen.Dark != tt.dark {
				t.Errorf("the scheme is dark: %v", seen.Dark)
			}
			if seen.Elements < 100 || seen.Texts < 50 {
				t.Errorf("only %d elements and %d texts were checked", seen.Elements, seen.Texts)
			}
			if shots := os.Getenv("CNIBENCH_SCREENSHOTS"); shots != "" {
				name := filepath.Join(shots, strings.ReplaceAll(tt.name, ", ", "-")+".png")
				browse(t, chromium, "--blink-settings=preferredColorScheme="+scheme, "--hide-scrollbars",
					"--window-size="+strconv.Itoa(tt.width)+",3000", "--screenshot="+name, "file://"+page)
			}
			for _, w := range seen.Wrong {
				t.Error(w)
			}
		})
	}
}

// TestPagePrints prints the page to a PDF.
func TestPagePrints(t *testing.T) {
	chromium := needsProgram(t, "chromium", "chromium")
	pdf := filepath.Join(t.TempDir(), "report.pdf")
	browse(t, chromium, "--print-to-pdf="+pdf, "--no-pdf-header-footer", "file://"+goldenPage(t, "three.html"))
	text, err := os.ReadFile(pdf)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(text, []byte("%PDF-")) || bytes.Count(text, []byte("/Type /Page\n")) < 2 {
		t.Errorf("%d bytes that begin with %.20q contain no pages", len(text), text)
	}
}

// needsProgram skips the test if a program that "make test" installs is missing. In
// continuous integration the test fails instead.
func needsProgram(t *testing.T, name, debian string) string {
	t.Helper()
	if path, err := filepath.Abs(filepath.Join("..", "bin", name)); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%s is missing (Debian package %s; make test installs it): %v", name, debian, err)
	default:
		t.Skipf("%s is missing (Debian package %s; make test installs it): %v", name, debian, err)
	}
	return path
}

func goldenPage(t *testing.T, name string) string {
	page, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// browse runs Chromium without a window and returns what it prints.
func browse(t *testing.T, chromium string, args ...string) string {
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	home := t.TempDir()
	cmd := exec.CommandContext(ctx, chromium, append([]string{"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-extensions", "--no-first-run", "--user-data-dir=" + filepath.Join(home, "profile"),
		// Any request of the page to the network would fail and be logged.
		"--host-resolver-rules=MAP * ~NOTFOUND"}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v: %.2000s", err, &log)
	}
	return out.String()
}
