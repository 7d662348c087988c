// Package machine writes a report and the samples behind it for programs:
// report.json, CSV, JUnit, the Go benchmark format and OpenMetrics.
package machine

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode"
	"unicode/utf16"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// JSONSchema describes report.json (JSON Schema 2020-12).
//
//go:embed schema.json
var JSONSchema []byte

// JSON writes report.json.
func JSON(out io.Writer, r *model.Report) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(bare(r)); err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	if _, err := out.Write(EscapeControls(b.Bytes())); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// bare is the report as report.json has it: topologies by their own names, and
// beside each the kernel, if it is not the machine's own.
func bare(r *model.Report) *model.Report {
	b := *r
	b.Cells = split(r.Cells, func(c *model.Cell) (*string, *string) { return &c.Topology, nil })
	b.Comparisons = split(r.Comparisons, func(c *model.Comparison) (*string, *string) { return &c.Topology, &c.Kernel })
	b.Implausible = split(r.Implausible, func(i *model.Implausible) (*string, *string) { return &i.Topology, &i.Kernel })
	b.Encapsulation = split(r.Encapsulation, func(e *results.Encapsulation) (*string, *string) { return &e.Topology, &e.Kernel })
	b.Adjacency = split(r.Adjacency, func(a *results.Adjacency) (*string, *string) { return &a.Topology, &a.Kernel })
	b.Reachability = split(r.Reachability, func(o *results.Reachability) (*string, *string) { return &o.Topology, &o.Kernel })
	b.Policy = split(r.Policy, func(p *results.Policy) (*string, *string) { return &p.Topology, &p.Kernel })
	b.Hops = split(r.Hops, func(h *results.Hops) (*string, *string) { return &h.Topology, &h.Kernel })
	b.Findings = split(r.Findings, func(f *results.Finding) (*string, *string) { return &f.Topology, &f.Kernel })
	b.Setup = split(r.Setup, func(s *model.Setup) (*string, *string) { return &s.Topology, &s.Kernel })
	b.Sensitivity.Changes = split(r.Sensitivity.Changes, func(c *model.Change) (*string, *string) { return &c.Topology, &c.Kernel })
	return &b
}

// split copies a list and takes the grounds in it apart; kernel may be nil
// where the item has it anyway.
func split[S ~[]T, T any](all S, of func(*T) (topology, kernel *string)) S {
	apart := slices.Clone(all)
	for i := range apart {
		topology, kernel := of(&apart[i])
		name, in := results.SplitGround(*topology)
		*topology = name
		if kernel != nil {
			*kernel = in
		}
	}
	return apart
}

// EscapeControls writes the characters that terminals obey and that JSON
// leaves as they are (C1 controls, marks of direction) as escapes. They occur
// in strings alone.
func EscapeControls(text []byte) []byte {
	if bytes.IndexFunc(text, invisible) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, c := range string(text) {
		switch {
		case !invisible(c):
			b.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.Bytes()
}

func invisible(c rune) bool { return c != '\n' && !unicode.IsGraphic(c) }
