package hot

import (
	"testing"
)

// FuzzParseStat feeds arbitrary /proc/stat contents, as future kernels may write.
func FuzzParseStat(f *testing.F) {
	f.Add([]byte("cpu  1 2 3 4 5 6 7 8 9 10\nctxt 99\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if cpu, err := parseStat(text); err == nil && (cpu.User < 0 || cpu.Idle < 0) {
			t.Errorf("%+v", cpu)
		}
	})
}
