package results

import (
	"strings"
	"unicode"
)

// Printable makes text from agents and kernels harmless on a terminal and in
// formats of one line an entry: what is no graphic character or space becomes
// a space.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return r
		}
		return ' '
	}, s)
}
