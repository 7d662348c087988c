package accept

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// unitRatio is the unit of ratios: shares of one, or percent.
const unitRatio = "ratio"

// Bound is a limit as written in the spec: a number in the figure's own unit, or a
// number with a unit ("900 Mbit/s", "95 %").
type Bound struct {
	value float64
	unit  string // a base unit; "" for a plain number
	text  string // as written
}

// written maps the units that bounds may have to multiples of base units.
var written = map[string]struct {
	base string
	by   float64
}{
	"bit/s": {"bit/s", 1}, "kbit/s": {"bit/s", 1e3}, "Mbit/s": {"bit/s", 1e6}, "Gbit/s": {"bit/s", 1e9},
	"s": {"s", 1}, "ms": {"s", 1e-3}, "µs": {"s", 1e-6}, "us": {"s", 1e-6}, "ns": {"s", 1e-9},
	"B": {"byte", 1}, "byte": {"byte", 1}, "kB": {"byte", 1e3}, "MB": {"byte", 1e6}, "GB": {"byte", 1e9},
	"KiB": {"byte", 1 << 10}, "MiB": {"byte", 1 << 20}, "GiB": {"byte", 1 << 30},
	"/s": {"1/s", 1}, "1/s": {"1/s", 1}, "k/s": {"1/s", 1e3}, "M/s": {"1/s", 1e6},
	"s/GB": {"s/GB", 1}, "1/GB": {"1/GB", 1}, "s/kpkt": {"s/kpkt", 1}, "%": {unitRatio, 0.01},
}

var boundPattern = regexp.MustCompile(`^([-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?) ?(\S*)$`)

// UnmarshalJSON reads a number, or a string of a number and a unit.
func (b *Bound) UnmarshalJSON(text []byte) error {
	var number float64
	if json.Unmarshal(text, &number) == nil {
		*b = Bound{value: number, text: string(text)}
		return nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return errors.New("a bound is a number, or a number with a unit such as 900 Mbit/s")
	}
	m := boundPattern.FindStringSubmatch(s)
	if m == nil {
		return fmt.Errorf("the bound %q is neither a number nor a number with a unit such as 900 Mbit/s", s)
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil || math.IsInf(v, 0) {
		return fmt.Errorf("the bound %q is out of range", s)
	}
	if m[2] == "" {
		*b = Bound{value: v, text: s}
		return nil
	}
	unit, ok := written[m[2]]
	if !ok {
		return fmt.Errorf("the bound %q has an unknown unit", s)
	}
	*b = Bound{value: v * unit.by, unit: unit.base, text: s}
	return nil
}

// in returns the bound in the unit of a figure. A plain number already has that unit.
func (b *Bound) in(unit string) (float64, error) {
	switch {
	case b.unit == "" || b.unit == unit:
		return b.value, nil
	case b.unit == "s" && unit == "ms":
		return b.value * 1000, nil
	}
	return 0, fmt.Errorf("the bound %s cannot be compared with a figure in %s", b.text, unit)
}

// Word is the value of a fact that is not a number: a word, true or false.
type Word string

// UnmarshalJSON reads a word, a number, true or false.
func (w *Word) UnmarshalJSON(text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	switch v.(type) {
	case string, bool, float64:
		*w = Word(strings.TrimSpace(fmt.Sprint(v)))
		return nil
	}
	return errors.New("the key is takes a word, true or false")
}
