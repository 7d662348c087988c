package scenarios

import (
	"slices"
	"testing"

	"github.com/cnibench/cnibench/probes"
)

// TestSpareCPUs checks that the spare CPUs are those that the two ends do not use.
func TestSpareCPUs(t *testing.T) {
	for _, tt := range []struct {
		name           string
		cpus           []int
		placement      string
		client, server int
		spare          []int
	}{
		{"1 CPU", []int{0}, probes.Same, 0, 0, nil},
		{"2 CPUs", []int{0, 1}, probes.Split, 0, 1, nil},
		{"2 CPUs, together", []int{0, 1}, probes.Same, 1, 1, []int{0}},
		{"4 CPUs", []int{0, 1, 2, 3}, probes.Split, 0, 3, []int{1, 2}},
		{"4 of 8 CPUs", []int{2, 3, 6, 7}, probes.Split, 2, 7, []int{3, 6}},
		{"8 CPUs, together", []int{0, 1, 2, 3, 4, 5, 6, 7}, probes.Same, 7, 7, []int{0, 1, 2, 3, 4, 5, 6}},
		{"not ours to choose", []int{-1}, probes.Same, -1, -1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := stage{cpus: tt.cpus}
			client, server := r.pin(tt.placement)
			if spare := r.spare(client, server); client != tt.client || server != tt.server || !slices.Equal(spare, tt.spare) {
				t.Errorf("client on %d, server on %d, left %v", client, server, spare)
			}
		})
	}
}
