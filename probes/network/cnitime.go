package network

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

const paramPods = "pods"

// CNITime measures how long it takes to add and remove pods.
func CNITime() *probes.Probe {
	return &probes.Probe{
		Name: "cni-time", Title: "CNI ADD and DEL, and the time from ADD to the first packet from another node",
		Metrics: []results.Metric{
			{Name: "add", Unit: "s", Better: "lower"},
			{Name: "ready", Unit: "s", Better: "lower"},
			{Name: "del", Unit: "s", Better: "lower"},
			{Name: "all-ready", Unit: "s", Better: "lower"},
		},
		Params:    []probes.Param{{Name: paramPods, Title: "pods added on one node at once; add, ready and del are their medians", Default: "1", Min: 1, Max: 100}},
		Placement: probes.Same, Pods: true,
		Measure: measureCNITime, Longest: cniTakes,
	}
}

func measureCNITime(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	pods, err := s.Number(paramPods, 1)
	if err != nil {
		return nil, err
	}
	if s.AddPods == nil {
		return nil, &probes.NotHereError{Why: words.NoPodsAdded}
	}
	begin := time.Now()
	times, err := s.AddPods(ctx, pods)
	if err != nil {
		return nil, err
	}
	if len(times) != pods {
		return nil, fmt.Errorf("%d of %d pods came up", len(times), pods)
	}
	var add, ready, del []float64
	last := 0.0
	for _, t := range times {
		add = append(add, t.Add.Seconds())
		ready = append(ready, t.Ready.Seconds())
		del = append(del, t.Del.Seconds())
		last = max(last, t.Ready.Seconds())
	}
	return &probes.Measurement{
		Values:  map[string]float64{"add": median(add), "ready": median(ready), "del": median(del), "all-ready": last},
		Seconds: time.Since(begin).Seconds(), Params: map[string]string{paramPods: strconv.Itoa(pods)},
	}, nil
}

// median sorts values and returns the middle one, the lower of two.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

func cniTakes(*probes.Site) time.Duration { return probes.PodsWithin }
