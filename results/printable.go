package results

import (
	"strings"
	"unicode"
)

// Printable makes text from agents and kernels safe for terminals and for formats with one entry
// per line: it replaces every character that is neither graphic nor a space with a space.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return r
		}
		return ' '
	}, s)
}
