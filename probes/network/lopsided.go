package network

import (
	"context"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/load"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

const (
	// lopsidedDuration is the length of the stream in one direction, which is long
	// enough to fill the buffers of a slow path.
	lopsidedDuration = 300 * time.Millisecond
	// lopsidedShare is the share of the better direction's goodput below which
	// the worse one is a finding. The directions of a healthy path differ by less
	// than half even while the machine is busy with something else.
	lopsidedShare = 0.1
)

// lopsided sends a short stream in each direction between the two pods. Samples of
// goodput measure only one direction, so a return path that passes datagrams but
// hardly any stream would otherwise go unnoticed. It returns no findings for pods
// that cannot reach each other. A difference counts if it shows up twice.
func lopsided(ctx context.Context, s *probes.Site, reached []results.Reachability) ([]probes.Finding, error) {
	open := 0
	for _, r := range reached {
		if r.Reachable && r.From == s.Client.NodeName && r.To == s.Server.NodeName || r.Reachable && r.From == s.Server.NodeName && r.To == s.Client.NodeName {
			open++
		}
	}
	if open < 2 {
		return nil, nil
	}
	back := *s
	back.Client, back.Server = s.Server, s.Client
	ways := []*probes.Site{s, &back}
	var carried [2]float64 // the better result of each direction, byte/s
	for range 2 {
		for i, way := range ways {
			short := *way
			short.Duration = max(s.Limit(lopsidedDuration), 4*s.Delay)
			var w load.OneWay
			if err := w.Measure(ctx, &short, 1, 0); err != nil {
				if ctx.Err() != nil {
					return nil, err
				}
				return []probes.Finding{{Name: results.FindingTCPDoesNotPass, Text: words.TCPDoesNotPass.With(s.Client.NodeName, s.Server.NodeName, way.Client.NodeName, way.Server.NodeName, err)}}, nil
			}
			carried[i] = max(carried[i], w.Server.Rate)
		}
		if min(carried[0], carried[1]) >= lopsidedShare*max(carried[0], carried[1]) {
			return nil, nil
		}
	}
	slow := 0
	if carried[1] < carried[0] {
		slow = 1
	}
	from, to := ways[slow].Client.NodeName, ways[slow].Server.NodeName
	return []probes.Finding{{Name: results.FindingOneDirectionSlow, Text: words.DirectionSlow.With(from, to, carried[slow]/carried[1-slow], to, from)}}, nil
}
