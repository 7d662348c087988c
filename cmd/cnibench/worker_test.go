package main

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/testbed/lab"
)

// initTrace is a line of GODEBUG=inittrace=1 about a package of this program.
var initTrace = regexp.MustCompile(`(?m)^init (github\.com/cnibench/cnibench/\S+) .* clock, (\d+) bytes, (\d+) allocs$`)

// TestWorkersLoadNoReports starts a probe worker and checks what packages of this program
// initialise before main: several workers run during every sample, and they do not need what
// reports and the advice read from their files.
func TestWorkersLoadNoReports(t *testing.T) {
	const most = 128 << 10 // bytes; the files of the advice took 800 kB
	cmd := command(t.TempDir(), lab.WorkerCommand)
	cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("a worker without input: %v: %s", err, log.String())
	}
	seen := map[string]bool{}
	for _, m := range initTrace.FindAllStringSubmatch(log.String(), -1) {
		seen[m[1]] = true
		if strings.HasSuffix(m[1], "/cmd/cnibench") {
			continue // with what this package's tests prepare
		}
		if n, err := strconv.Atoi(m[2]); err != nil || n > most {
			t.Errorf("%s initialises %s bytes with %s allocations in every worker, more than %d", m[1], m[2], m[3], most)
		}
	}
	if !seen["github.com/cnibench/cnibench/report/advice"] {
		t.Errorf("the trace names only %v: %s", seen, log.String())
	}
}
