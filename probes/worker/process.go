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

// Settings of a worker's runtime.
const (
	// spareProcs are the Ps left for everything else: control lines, timers,
	// the readers of both.
	spareProcs = 8
)

// Memory is the number of bytes at which a worker's garbage collector,
// which is otherwise off, starts. A worker takes some 20 MB; what confines it
// must leave room for what Go does not count, such as the buffers of sockets.
const Memory = 40 << 20

// workerEnv are the settings that the runtime reads only at its start.
// Asynchronous preemption would interrupt the hot loops' system calls with
// signals every 10 ms; the collector and a change of GOMAXPROCS (which Go
// makes by itself when cgroup limits change, unless it is set) stop the
// world, and a thread in a hot loop does not stop.
var workerEnv = map[string]string{
	"GODEBUG":    "asyncpreemptoff=1",
	"GOGC":       "off",
	"GOMEMLIMIT": strconv.Itoa(Memory),
	"GOMAXPROCS": strconv.Itoa(hot.MaxHotThreads + spareProcs),
}

// preparedEnv marks a process that has been started again with workerEnv.
const preparedEnv = "CNIBENCH_WORKER_PREPARED"

// Prepare gives the process the runtime settings that a worker needs.
// It must be the first thing that a worker's main does: it starts the program
// again in the same process, with the same arguments, once. When that is not
// possible it applies what can be applied to a running process and returns an
// error; the worker then works, with more noise.
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
	return fmt.Errorf("starting the worker again with runtime settings: %w", err)
}
