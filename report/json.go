package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
)

// JSONSchema describes report.json (JSON Schema 2020-12).
//
//go:embed schema.json
var JSONSchema []byte

// JSON writes report.json.
func (r *Report) JSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	return nil
}
