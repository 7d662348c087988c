// Package machine writes a report and the samples behind it for programs:
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
