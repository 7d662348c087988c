package catalogue

import (
	"fmt"
	"slices"
	"strings"
)

// OneOf returns an error unless the value is allowed. The error suggests the nearest
// allowed value; what says what the value is.
func OneOf(what, value string, allowed []string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("there is no %s %q; did you mean %s? (there are %s)", what, value, Nearest(value, allowed), strings.Join(allowed, ", "))
}

// Nearest returns the name with the smallest edit distance (Levenshtein) to s, for
// error messages about misspelt names.
func Nearest(s string, names []string) string {
	best, distance := "", -1
	for _, name := range names {
		if d := editDistance(s, name); distance < 0 || d < distance {
			best, distance = name, d
		}
	}
	return best
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
