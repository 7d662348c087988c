package detect

import (
	"errors"
	"testing"

	"github.com/cnibench/cnibench/results"
)

func TestSame(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b results.Cluster
		same bool
		err  error
	}{
		{"the same UID, a new certificate", results.Cluster{UID: "1", CA: "x"}, results.Cluster{UID: "1", CA: "y"}, true, nil},
		{"another UID", results.Cluster{UID: "1", CA: "x"}, results.Cluster{UID: "2", CA: "x"}, false, nil},
		{"the certificate where the UID may not be read", results.Cluster{UID: "1", CA: "x"}, results.Cluster{CA: "x"}, true, nil},
		{"another certificate", results.Cluster{CA: "x"}, results.Cluster{CA: "y"}, false, nil},
		{"nothing in common", results.Cluster{UID: "1"}, results.Cluster{CA: "x"}, false, ErrUnidentified},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if same, err := Same(tt.a, tt.b); same != tt.same || !errors.Is(err, tt.err) {
				t.Errorf("%v, %v", same, err)
			}
		})
	}
}
