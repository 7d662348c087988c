package quantity

import (
	"math"
	"testing"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{956406000, "bit/s", "956 Mbit/s"}, {9.56e9, "bit/s", "9.56 Gbit/s"}, {1.61e-05, "s", "16.1 µs"}, {0.0123, "s", "12.3 ms"},
		{61000, "1/s", "61 k/s"}, {0, "1", "0"}, {46, "1", "46"}, {0.2734, "s/GB", "0.273 s/GB"}, {110100480, "byte", "105 MiB"}, {math.NaN(), "s", "? s"},
	} {
		if got := Format(c.v, c.unit); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}
