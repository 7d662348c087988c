package results

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Link is what the underlay does to packets between two machines, besides limiting their rate: in
// each direction it delays every packet by Delay and loses a share of them. The round-trip time
// grows by twice the delay.
type Link struct {
	Delay       time.Duration
	LossPercent float64
}

// Bounds of a link. The round trip between any two places in the world takes less than twice
// maxDelay; at a loss above maxLoss, TCP all but stops.
const (
	minDelay = time.Microsecond // the unit that netem is configured in
	maxDelay = 200 * time.Millisecond
	minLoss  = 0.0001 // %
	maxLoss  = 10     // %
)

// linkKeys are the keys that describe a link, in the order in which they are written.
var linkKeys = []string{"delay", "loss"}

// UnknownLinkKeyError reports a key that [ParseLink] does not know.
type UnknownLinkKeyError struct {
	Key   string
	Known []string
}

func (e *UnknownLinkKeyError) Error() string {
	return fmt.Sprintf("link has no %q (it has %s)", e.Key, strings.Join(e.Known, ", "))
}

// ParseLink parses a link such as "delay=20ms,loss=0.1%". The empty string is a link without
// delay or loss.
func ParseLink(s string) (Link, error) {
	var l Link
	if s == "" {
		return l, nil
	}
	seen := map[string]bool{}
	for item := range strings.SplitSeq(s, ",") {
		key, value, _ := strings.Cut(item, "=")
		if seen[key] {
			return Link{}, fmt.Errorf("link %q gives %s twice", s, key)
		}
		seen[key] = true
		var err error
		switch key {
		case "delay":
			l.Delay, err = parseDelay(value)
		case "loss":
			l.LossPercent, err = parseLoss(value)
		default:
			err = &UnknownLinkKeyError{key, linkKeys}
		}
		if err != nil {
			return Link{}, err
		}
	}
	return l, nil
}

func parseDelay(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf("the delay %q of a link is not a duration such as 20ms", s)
	case d < minDelay || d > maxDelay:
		return 0, fmt.Errorf("the delay %q of a link is outside %s to %s", s, minDelay, maxDelay)
	case d%minDelay != 0:
		return 0, fmt.Errorf("the delay %q of a link is not a whole number of microseconds", s)
	}
	return d, nil
}

var lossPattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)%$`)

func parseLoss(s string) (float64, error) {
	m := lossPattern.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("the loss %q of a link is not a percentage such as 0.1%%", s)
	}
	percent, err := strconv.ParseFloat(m[1], 64)
	if err != nil || percent < minLoss || percent > maxLoss {
		return 0, fmt.Errorf("the loss %q of a link is outside %g%% to %d%%", s, minLoss, maxLoss)
	}
	return percent, nil
}

// String returns the link in the form that [ParseLink] reads.
func (l Link) String() string {
	var parts []string
	if l.Delay > 0 {
		parts = append(parts, "delay="+l.Delay.String())
	}
	if l.LossPercent > 0 {
		parts = append(parts, "loss="+strconv.FormatFloat(l.LossPercent, 'f', -1, 64)+"%")
	}
	return strings.Join(parts, ",")
}

// MarshalText returns the link as [Link.String] does.
func (l Link) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText parses the link as [ParseLink] does.
func (l *Link) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLink(string(text))
	return err
}
