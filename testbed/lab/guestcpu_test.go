package lab

import (
	"errors"
	"testing"
)

func TestGuestOnCPU(t *testing.T) {
	for _, c := range []struct {
		name, flags, version string
		boots                bool
	}{
		{"AVX-512", " fpu avx2 avx512f avx512vl", "6.1.176", true},
		{"AMX, an old kernel", " fpu avx512f amx_bf16 amx_tile amx_int8", "6.1.176", false},
		{"AMX, the last flag", " fpu amx_tile", "5.10.9", false},
		{"AMX, a kernel that asks for the size", " fpu amx_tile amx_int8", "6.13", true},
		{"AMX, a newer kernel", " fpu amx_tile", "7.0.1", true},
	} {
		err := guestOn(c.flags, c.version)
		var cpu *CPUError
		if (err == nil) != c.boots || !c.boots && !errors.As(err, &cpu) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := guestOn(" fpu", "unknown"); err == nil {
		t.Error("a version that cannot be read is accepted")
	}
}
