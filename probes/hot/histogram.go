package hot

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency histograms cover 1 ns to 10 s with three significant digits, which
// takes 11 bits (2048 ≥ 2·10³) for each power of two.
const (
	latencyLeast  = int64(1)
	latencyMost   = int64(10 * time.Second)
	latencyDigits = 3
	slotBits      = 11
	// slots covers values up to 2³⁴ ns: 23 powers of two above the first 2048.
	slots = (34-slotBits)<<(slotBits-1) + 1<<slotBits
)

// Latencies counts latencies in ns in the same buckets as an HDR histogram of
// the same precision. Unlike hdrhistogram's, its Add may be called from a nosplit
// function.
type Latencies struct{ counts [slots]uint32 }

// Add counts one latency. Values beyond the range go into the last bucket.
//
//go:nosplit
func (l *Latencies) Add(ns int64) {
	v := uint64(max(ns, 0))
	shift := max(bits.Len64(v)-slotBits, 0)
	slot := uint64(shift)<<(slotBits-1) + v>>shift
	l.counts[min(slot, slots-1)]++
}

// Reset clears all counts.
func (l *Latencies) Reset() { clear(l.counts[:]) }

// slotValue returns the smallest value that a bucket counts.
func slotValue(slot int) int64 {
	shift := max(slot>>(slotBits-1)-1, 0)
	return int64(slot-shift<<(slotBits-1)) << shift
}

// histogram returns the counts as an HDR histogram.
func (l *Latencies) histogram() (*hdrhistogram.Histogram, error) {
	h := newHistogram()
	for slot, n := range l.counts {
		if n == 0 {
			continue
		}
		if err := h.RecordValues(slotValue(slot), int64(n)); err != nil {
			return nil, fmt.Errorf("building a histogram: %w", err)
		}
	}
	return h, nil
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(latencyLeast, latencyMost, latencyDigits)
}

// Encoded returns the counts as a histogram in HDR's V2 compressed encoding, in
// which a worker sends it to the controller.
func (l *Latencies) Encoded() ([]byte, error) {
	h, err := l.histogram()
	if err != nil {
		return nil, err
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encoding a histogram: %w", err)
	}
	return text, nil
}

// DecodeHistogram decodes a histogram that Encoded returned.
func DecodeHistogram(text []byte) (*hdrhistogram.Histogram, error) {
	h, err := hdrhistogram.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("decoding a histogram: %w", err)
	}
	if h.TotalCount() == 0 {
		return nil, fmt.Errorf("decoding a histogram: it is empty")
	}
	return h, nil
}

// Quantiles returns the latency metrics of a histogram, in seconds.
func Quantiles(h *hdrhistogram.Histogram) map[string]float64 {
	values := map[string]float64{}
	for name, percentile := range map[string]float64{"p50": 50, "p90": 90, "p99": 99, "p999": 99.9} {
		values[name] = float64(h.ValueAtPercentile(percentile)) / float64(time.Second)
	}
	return values
}
