package load

import (
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cnibench/cnibench/probes/hot"
)

// A stream's window begins when the flow is steady, which its receiver finds from
// how many bytes arrive in bins of equal length. The rule looks for a rate that only
// rises or only falls, as in slow start. It must not wait for anything else: the level
// of the rate does not matter, and a rule that waited for calm, or for bins that are
// not empty, would favour the fast moments of a busy machine.
const (
	steadyBins = 8
	// leastBin holds nine of the packets of 64 KB that the kernel passes on in one
	// piece at 1 Gbit/s. A bin is also at least as long as a round trip: slow start
	// sends in bursts, of which each then falls into one bin and is twice the one before.
	leastBin = 5 * time.Millisecond
	// steadyTolerance is the difference between the medians of two halves that still
	// counts as steady.
	steadyTolerance = 0.05
)

// steady reports whether a flow's latest bins show neither growth nor decline: no bin of
// one half is as large as any of the other. Noise without a trend does that once in
// 35 times, equally often in either direction.
func steady(bins []int64) bool {
	arrived := slices.ContainsFunc(bins, func(n int64) bool { return n > 0 })
	if len(bins) < steadyBins || !arrived {
		return false
	}
	var frame [steadyBins]int64
	copy(frame[:], bins[len(bins)-steadyBins:])
	early, late := halfOf(frame[:steadyBins/2]), halfOf(frame[steadyBins/2:])
	apart := early.most < late.least || late.most < early.least
	return !apart || max(early.median, late.median) <= (1+steadyTolerance)*min(early.median, late.median)
}

// half describes one half of a frame.
type half struct{ least, median, most float64 }

func halfOf(bins []int64) half {
	slices.Sort(bins)
	n := len(bins)
	return half{float64(bins[0]), float64(bins[(n-1)/2]+bins[n/2]) / 2, float64(bins[n-1])}
}

// flow is what the receivers of a sample's streams share: the streams together become
// steady, not each for itself, and have one window.
type flow struct {
	begin    int64 // ns
	bin      int64 // ns
	earliest int64 // ns from begin until the window may begin
	patience int64 // ns from begin until it begins in any case
	bins     []atomic.Int64
	judged   int64   // bins after which the flow was judged
	series   []int64 // a copy of bins for the first stream
	lag      int     // bins that other streams may not have counted yet
	from     atomic.Int64
	unsteady time.Duration // how long the flow was waited for in vain, or 0
}

func newFlow(args *StreamArgs, roundTrip time.Duration) *flow {
	f := &flow{begin: hot.Nanotime(), bin: int64(max(leastBin, roundTrip)),
		earliest: int64(args.WarmUp), patience: int64(max(args.Patience, args.WarmUp))}
	f.bins = make([]atomic.Int64, f.patience/f.bin+1)
	f.series = make([]int64, len(f.bins))
	if args.Streams > 1 {
		f.lag = 1
	}
	return f
}

// judge decides whether the window begins, as if a clock asked at the end of each bin:
// a receiver that is asked only when data arrives would skip the pauses in which its
// windows begin. With one stream the beginning may therefore be past; streams that
// share a window must all see it coming.
func (f *flow) judge(last int64) {
	now := (last - f.begin) / f.bin
	if f.lag > 0 {
		now = (hot.Nanotime() - f.begin) / f.bin
		f.judged = max(f.judged, now-1)
	}
	for f.judged < now && f.from.Load() == 0 {
		f.judged++
		f.judgeAt(f.judged)
	}
}

// judgeAt sets the beginning of the window to a bin after the first n if the flow is
// steady then, or if the patience ends.
func (f *flow) judgeAt(n int64) {
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
		if first {
			f.judge(now)
		}
		if from := f.from.Load(); from != 0 && now >= from {
			return a, a.Drain(fd, b, now+int64(drainLimit))
		}
	}
}
