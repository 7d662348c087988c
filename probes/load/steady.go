package load

import (
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cnibench/cnibench/probes/hot"
)

// A stream's window begins when the flow is steady, which its receiver finds from
// how many bytes arrive in bins of equal length. The rule compares the first half of
// a frame of bins with the second and looks at differences only, in either
// direction: the level of the rate does not matter, so waiting for a steady flow does
// not favour a fast one.
const (
	steadyBins = 8
	// leastBin holds nine of the packets of 64 KB that the kernel passes on in one
	// piece at 1 Gbit/s.
	leastBin = 5 * time.Millisecond
	// binsPerRoundTrip makes half a frame as long as a round trip. During slow start
	// the second half then holds twice the bytes of the first, or has gaps.
	binsPerRoundTrip = 4
	// steadyTolerance is the difference of two halves without noise that still counts
	// as steady. Over the window, growth at that pace is a few percent.
	steadyTolerance = 0.05
)

// steady reports whether the latest bins show neither growth nor decline. While the
// bins are so short that some are empty, it looks at bins of twice the length.
func steady(bins []int64) bool {
	for width := 1; width*steadyBins <= len(bins); width *= 2 {
		var frame [steadyBins]int64
		for i, n := range bins[len(bins)-width*steadyBins:] {
			frame[i/width] += n
		}
		if slices.Min(frame[:]) > 0 {
			early, late := halfOf(frame[:steadyBins/2]), halfOf(frame[steadyBins/2:])
			return early.covers(late.median) && late.covers(early.median)
		}
	}
	return false
}

// half describes one half of a frame.
type half struct{ least, median, most float64 }

func halfOf(bins []int64) half {
	slices.Sort(bins)
	n := len(bins)
	return half{float64(bins[0]), float64(bins[(n-1)/2]+bins[n/2]) / 2, float64(bins[n-1])}
}

// covers reports whether a value lies between the half's extremes, apart from
// steadyTolerance.
func (h half) covers(v float64) bool {
	return v >= h.least*(1-steadyTolerance) && v <= h.most*(1+steadyTolerance)
}

// flow is what the receivers of a sample's streams share: the streams together become
// steady, not each for itself, and have one window.
type flow struct {
	begin    int64 // ns
	bin      int64 // ns
	earliest int64 // ns from begin until the window may begin
	patience int64 // ns from begin until it begins in any case
	bins     []atomic.Int64
	series   []int64 // a copy of bins for the first stream
	lag      int     // bins that other streams may not have counted yet
	from     atomic.Int64
	unsteady time.Duration // how long the flow was waited for in vain, or 0
}

func newFlow(args *StreamArgs, roundTrip time.Duration) *flow {
	f := &flow{begin: hot.Nanotime(), bin: int64(max(leastBin, roundTrip/binsPerRoundTrip)),
		earliest: int64(args.WarmUp), patience: int64(max(args.Patience, args.WarmUp))}
	f.bins = make([]atomic.Int64, f.patience/f.bin+1)
	f.series = make([]int64, len(f.bins))
	if args.Streams > 1 {
		f.lag = 1
	}
	return f
}

// judge is called after n bins. It sets the beginning of the window, a bin from now so
// that every stream can see it coming, if the flow is steady or the patience ends.
func (f *flow) judge(n int64) {
	next := (n + 1) * f.bin
	if next < f.earliest {
		return
	}
	known := max(min(int(n)-f.lag, len(f.bins)), 0)
	for i := range known {
		f.series[i] = f.bins[i].Load()
	}
	switch {
	case steady(f.series[:known]):
	case next < f.patience:
		return
	default:
		f.unsteady = time.Duration(next)
	}
	f.from.Store(f.begin + next)
}

// await receives until the window has begun, which the first stream decides. What it
// returns ends after that.
func (f *flow) await(fd int, b []byte, first bool) (hot.Arrivals, syscall.Errno) {
	for now := f.begin; ; {
		i := (now - f.begin) / f.bin
		var a hot.Arrivals
		if errno := a.Receive(fd, b, f.begin+(i+1)*f.bin); errno != 0 {
			return a, errno
		}
		now = a.Last
		if i < int64(len(f.bins)) {
			f.bins[i].Add(a.Bytes)
		}
		switch from := f.from.Load(); {
		case from != 0 && now >= from:
			return a, a.Drain(fd, b, now+int64(drainLimit))
		case from == 0 && first:
			f.judge((hot.Nanotime() - f.begin) / f.bin)
		}
	}
}
