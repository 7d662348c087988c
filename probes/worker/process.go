package worker

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/cnibench/cnibench/probes/hot"
)

const (
	// spareProcs is the number of Ps left for everything but hot loops: control
	// lines, timers and their readers.
	spareProcs = 8
)

// Memory is the number of bytes at which a worker's garbage collector, which is
// otherwise off, starts. A worker takes some 20 MB. A limit on the whole process must
// leave room for memory that Go does not count, such as socket buffers.
const Memory = 40 << 20

// workerEnv contains the settings that the runtime reads only when it starts.
// Asynchronous preemption would interrupt the hot loops' system calls with
// signals every 10 ms. The garbage collector and a change of GOMAXPROCS (which Go
// makes on its own when cgroup limits change, unless the variable is set) stop the
// world, but a thread in a hot loop does not stop.
var workerEnv = map[string]string{
	"GODEBUG":    "asyncpreemptoff=1",
	"GOGC":       "off",
	"GOMEMLIMIT": strconv.Itoa(Memory),
	"GOMAXPROCS": strconv.Itoa(hot.MaxHotThreads + spareProcs),
}

// preparedEnv marks a process that has re-executed itself with workerEnv.
const preparedEnv = "CNIBENCH_WORKER_PREPARED"

// Prepare gives the process the runtime settings that a worker needs. It must be
// the first thing that a worker's main calls: it re-executes the program once, in
// the same process and with the same arguments. If that fails, it applies the
// settings that can be applied to a running process and returns an error. The
// worker is then still usable, but measures with more noise.
func Prepare() error {
	if os.Getenv(preparedEnv) == "1" {
		return os.Unsetenv(preparedEnv)
	}
	env := []string{preparedEnv + "=1"}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); workerEnv[name] == "" {
			env = append(env, v)
		}
	}
	for name, value := range workerEnv {
		env = append(env, name+"="+value)
	}
	err := syscall.Exec("/proc/self/exe", os.Args, env)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(Memory)
	return fmt.Errorf("re-executing the worker with its runtime settings: %w", err)
}
