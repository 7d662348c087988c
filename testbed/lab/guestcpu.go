package lab

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
)

// CPUError says that the guest's kernel cannot run on this machine's CPU. No
// package remedies that.
type CPUError struct{ Version string }

func (e *CPUError) Error() string {
	return fmt.Sprintf("User-Mode Linux %s cannot run on this CPU, which has AMX; 6.13 and later can", e.Version)
}

// guestCPU returns a [CPUError] if the guest's kernel cannot run on this CPU.
// Versions before 6.13 save a process's vector registers in a buffer of 2696 bytes
// (HOST_FP_SIZE in arch/x86/um/user-offsets.c). With AMX they take 11008 bytes, so
// that the first process is killed ("ptrace set fp regs failed"). Version 6.13 asks
// the machine for the size (commit 3f17fed21491).
var guestCPU = sync.OnceValue(func() error {
	path, err := GuestKernel.Path("")
	if err != nil {
		return nil // GuestMissing says so
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return fmt.Errorf("asking %s for its version: %w", path, err)
	}
	var flags string
	eachLine("/proc/cpuinfo", func(line string) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "flags" {
			flags = value
		}
	})
	return guestOn(flags, string(bytes.TrimSpace(out)))
})

// guestOn is guestCPU for a CPU's flags, as in /proc/cpuinfo, and the version of
// the guest's kernel.
func guestOn(flags, version string) error {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("reading the version %q of User-Mode Linux: %w", version, err)
	}
	if strings.Contains(flags+" ", " amx_tile ") && (major < 6 || major == 6 && minor < 13) {
		return &CPUError{version}
	}
	return nil
}
