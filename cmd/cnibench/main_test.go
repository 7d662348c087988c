package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/testbed/lab"
)

// asProgram is the environment variable that makes the test binary run as cnibench,
// so that tests can start it as a process of its own. Its value is the folder of the
// plugins' programs.
const asProgram = "CNIBENCH_TEST_AS_PROGRAM"

// testCatalogue is the catalogue plus plugins that are broken on purpose.
var testCatalogue = append(catalogue.All(), faultyPlugins()...)

func TestMain(m *testing.M) {
	bin := os.Getenv(asProgram)
	// The lab starts this binary again, as its init and as workers.
	again := len(os.Args) > 1 && (os.Args[1] == lab.InitCommand || os.Args[1] == lab.GuestCommand || os.Args[1] == lab.WorkerCommand)
	if again || bin != "" {
		p := program{catalogue: testCatalogue, bin: bin, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
		os.Exit(p.process(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// builtPrograms is where make tools puts the plugins' programs.
func builtPrograms() string {
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		panic(err)
	}
	return bin
}

var featuresOnce = sync.OnceValues(func() (map[string]string, error) { return tryFeatures(context.Background()) })

// kernelLacks returns why the kernel lacks one of the features, or "" if it has all.
func kernelLacks(t *testing.T, features ...string) string {
	t.Helper()
	missing, err := featuresOnce()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range features {
		if missing[f] != "" {
			return missing[f]
		}
	}
	return ""
}

// needs skips a test that cannot run on this machine and says what is missing. In
// continuous integration nothing may be missing.
func needs(t *testing.T, plugins ...string) {
	t.Helper()
	var missing []string
	labMissing, err := featuresOnce()
	if err != nil {
		missing = append(missing, err.Error())
	}
	for _, name := range plugins {
		plugin := testCatalogue.Get(name)
		if plugin == nil {
			t.Fatalf("no plugin %s", name)
		}
		if here := (kernelSupport{machine: labMissing}).availability(builtPrograms(), plugin); here != "yes" {
			missing = append(missing, name+": "+here)
		}
	}
	skipFor(t, missing)
}

// needsGuest skips a test if this machine cannot run a kernel of the lab's own.
func needsGuest(t *testing.T) {
	t.Helper()
	needs(t)
	err := lab.GuestMissing()
	if cpu := new(lab.CPUError); errors.As(err, &cpu) {
		t.Skipf("missing here: %v", cpu) // no package brings another CPU
	}
	if err != nil {
		skipFor(t, []string{err.Error()})
	}
}

// skipFor skips a test if anything is missing.
func skipFor(t *testing.T, missing []string) {
	t.Helper()
	if len(missing) == 0 {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("missing here: %s", strings.Join(missing, "; "))
	}
	t.Skipf("missing here: %s", strings.Join(missing, "; "))
}

// sample returns a whole matrix of cases, or in make test (-short) those that stand
// for the rest.
func sample[T any](whole []T, standsForRest func(T) bool) []T {
	if !testing.Short() {
		return whole
	}
	return slices.DeleteFunc(slices.Clone(whole), func(c T) bool { return !standsForRest(c) })
}

// testProgram is the program with its output in buffers.
type testProgram struct {
	program
	out, log *bytes.Buffer
}

func newTestProgram() *testProgram {
	p := &testProgram{out: new(bytes.Buffer), log: new(bytes.Buffer)}
	p.program = program{catalogue: testCatalogue, bin: builtPrograms(), stdin: strings.NewReader(""), stdout: p.out, stderr: p.log}
	return p
}

// runProgram runs a command in the test's process and returns its output.
func runProgram(t *testing.T, args ...string) (code int, out, log string) {
	t.Helper()
	p := newTestProgram()
	code = p.run(t.Context(), args)
	return code, p.out.String(), p.log.String()
}

// measure makes a run and returns its report.
func measure(t *testing.T, args ...string) *model.Report {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	code, _, log := runProgram(t, append([]string{"run", "--out", dir}, args...)...)
	if code != exitDone {
		t.Fatalf("run %v: exit %d: %s", args, code, log)
	}
	return loadReport(t, dir)
}

func loadReport(t *testing.T, dir string) *model.Report {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	checkSchema(t, text)
	var r model.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// command returns a command that runs the program as a process of its own.
func command(workDir string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Dir = workDir
	cmd.Env = append(os.Environ(), asProgram+"="+builtPrograms())
	return cmd
}
