package results

import (
	"slices"
	"testing"
)

func TestPairs(t *testing.T) {
	for _, c := range []struct {
		name      string
		instances []string
		want      [][2]string
	}{
		{"nothing", nil, nil},
		{"the baseline is the second one", []string{"host", "a", "b"}, [][2]string{{"a", "host"}, {"b", "host"}, {"a", "b"}}},
		{"a copy meets its original only", []string{"host", "a", "b", "a+control"},
			[][2]string{{"a", "host"}, {"b", "host"}, {"a", "b"}, {"a+control", "a"}}},
		{"a copy whose original failed meets nobody", []string{"host", "b", "a+control"}, [][2]string{{"b", "host"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Pairs(c.instances); !slices.Equal(got, c.want) {
				t.Errorf("%v", got)
			}
		})
	}
}
