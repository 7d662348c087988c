package lab

import (
	"errors"
	"testing"
)

// TestFeatureIsTriedOnce counts the attempts at a feature.
func TestFeatureIsTriedOnce(t *testing.T) {
	for _, tt := range []struct {
		name     string
		result   error
		attempts int // of two calls
	}{
		{"a feature that is there", nil, 1},
		{"one that the kernel lacks", errLacks, 1},
		{"an attempt that failed", errors.New("no memory"), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			attempts := 0
			features[tt.name] = feature{try: func() error { attempts++; return tt.result }}
			defer delete(features, tt.name)
			for range 2 {
				if err := Feature(tt.name); !errors.Is(err, tt.result) {
					if attempts == 0 {
						t.Skip("no network namespace can be made here: ", err)
					}
					t.Errorf("%v", err)
				}
			}
			if attempts != tt.attempts {
				t.Errorf("tried %d times", attempts)
			}
		})
	}
}

// TestRemedies checks that every feature names its module and option.
func TestRemedies(t *testing.T) {
	for name, f := range features {
		if f.module == "" || f.option == "" {
			t.Errorf("%s names no module or no option", name)
		}
	}
}
