package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

// barWidth is the width of the progress bar in characters.
const barWidth = 20

// progress shows how far a run has come: on a terminal a bar that is redrawn in place, elsewhere
// a line for each new phase.
type progress struct {
	out   io.Writer
	fd    int // of the terminal, -1 if there is none
	phase string
	drawn bool

	verbose bool // print a line for each sample
}

func newProgress(out io.Writer) *progress {
	b := &progress{out: out, fd: -1}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.fd = int(f.Fd())
	}
	return b
}

// show displays the current progress.
func (b *progress) show(p scenarios.Progress) {
	if b.fd < 0 || b.verbose {
		b.line(p)
		return
	}
	width, _, err := term.GetSize(b.fd)
	if err != nil || width < 20 {
		width = 80
	}
	text := p.Phase + ": " + p.Now
	if p.Total > 0 {
		full := barWidth * p.Done / p.Total
		text = fmt.Sprintf("[%s%s] %3d %%  %s left  %s", strings.Repeat("#", full), strings.Repeat("-", barWidth-full),
			100*p.Done/p.Total, left(p.Left), text)
	}
	if p.Precision != "" {
		text += "  " + p.Precision
	}
	if len(text) >= width {
		text = text[:width-1]
	}
	fmt.Fprintf(b.out, "\r\x1b[K%s", text)
	b.drawn = true
}

// line prints each phase once. Within rounds it does not print the samples, which would be too
// many.
func (b *progress) line(p scenarios.Progress) {
	phase := p.Phase
	if p.Total == 0 {
		phase += ": " + p.Now
	}
	if phase == b.phase {
		return
	}
	b.phase = phase
	if p.Total > 0 {
		phase += fmt.Sprintf(" (%d of %d samples, %s left)", p.Done, p.Total, left(p.Left))
		if p.Precision != "" {
			phase += ", " + p.Precision
		}
	}
	fmt.Fprintln(b.out, phase)
}

// took prints a sample's figures, or why there are none.
func (b *progress) took(s *results.Sample) {
	if !b.verbose {
		return
	}
	said := "failed: " + results.Printable(s.Error.String())
	if s.Error.Empty() {
		var figures []string
		for _, name := range slices.Sorted(maps.Keys(s.Values)) {
			figures = append(figures, fmt.Sprintf("%s=%.4g", name, s.Values[name]))
		}
		said = strings.Join(figures, " ")
	}
	fmt.Fprintf(b.out, "  %d.%d %s %s %s %s: %s\n", s.Block+1, s.Position+1, s.Plugin, s.Topology, s.Wire, s.Probe, said)
}

// left formats a remaining time in minutes and seconds.
func left(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// close clears the terminal's line.
func (b *progress) close() {
	if b.drawn {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
