package lab

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// Machine describes this machine from /proc and /sys. Values that cannot be read
// are "unknown".
func Machine() results.Host {
	h := results.Host{
		Kernel:            lineOf("/proc/sys/kernel/osrelease"),
		CPU:               "unknown",
		CPUs:              runtime.NumCPU(),
		CongestionControl: lineOf("/proc/sys/net/ipv4/tcp_congestion_control"),
		Virtualization:    "none",
	}
	hypervisor := false
	eachLine("/proc/cpuinfo", func(line string) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "model name", "Model":
			h.CPU = strings.TrimSpace(value)
		case "flags":
			// CPUID.1:ECX bit 31, which hypervisors set for their guests.
			hypervisor = hypervisor || strings.Contains(value+" ", " hypervisor ")
		}
	})
	if hypervisor {
		h.Virtualization = lineOf("/sys/class/dmi/id/sys_vendor")
		if h.Virtualization == "unknown" {
			h.Virtualization = "virtual machine"
		}
	}
	eachLine("/proc/meminfo", func(line string) {
		var kib uint64
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &kib); err == nil {
			h.MemoryBytes = kib << 10
		}
	})
	return h
}

func lineOf(path string) string {
	text, err := os.ReadFile(path)
	line, _, _ := strings.Cut(string(text), "\n")
	if err != nil || line == "" {
		return "unknown"
	}
	return line
}

func eachLine(path string, f func(string)) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		f(lines.Text())
	}
}
