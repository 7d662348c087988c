// Package machine writes a report and its samples in formats for programs:
// report.json, CSV, JUnit, the Go benchmark format and OpenMetrics.
package machine

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"

	"github.com/cnibench/cnibench/report/model"
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
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	if _, err := out.Write(EscapeControls(b.Bytes())); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// EscapeControls escapes the characters that terminals interpret but JSON leaves unescaped (C1 controls,
// direction marks). They occur only in strings.
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
