package results

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// WireNone is the wire profile without a rate limit: nothing is shaped.
const WireNone = "none"

var ratePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([kmg]?)bit$`)

// maxRate is one terabit per second; the traffic shaper's own limit is far above what one machine
// can carry.
const maxRate = 1e12

// ParseWire parses a wire profile: none, or a rate as tc(8) writes it (1gbit, 100mbit; decimal
// prefixes). It returns the rate in bit/s, or 0 for none.
func ParseWire(s string) (float64, error) {
	if s == WireNone {
		return 0, nil
	}
	m := ratePattern.FindStringSubmatch(strings.ToLower(s))
	if m == nil {
		return 0, fmt.Errorf("wire %q is neither none nor a rate such as 1gbit or 100mbit", s)
	}
	rate, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("reading the rate of wire %q: %w", s, err)
	}
	rate *= map[string]float64{"": 1, "k": 1e3, "m": 1e6, "g": 1e9}[m[2]]
	// Below 1 kbit/s, a single full-size frame takes longer than any sample.
	if rate < 1e3 || rate > maxRate {
		return 0, fmt.Errorf("the rate of wire %q is outside 1kbit to 1000gbit", s)
	}
	return rate, nil
}
