package main

import (
	"bytes"
	"context"
	"encoding/json"
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

// asProgram is the environment variable that makes the test binary act as cnibench, so that tests
// can start it as a separate process. Its value is the directory of the plugins' programs.
const asProgram = "CNIBENCH_TEST_AS_PROGRAM"

// testCatalogue returns the catalogue with additional plugins that are broken on purpose.
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

// builtPrograms is the directory in which make tools puts the plugins' programs.
func builtPrograms() string {
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		panic(err)
	}
	return bin
}

var featuresOnce = sync.OnceValues(func() (map[string]string, error) { return tryFeatures(context.Background()) })

// kernelLacks returns which of the features the kernel lacks, "" for none.
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

// needs skips a test that cannot run on this machine and names what is missing. In continuous
// integration, nothing may be missing.
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

// needsGuest skips a test that needs User-Mode Linux if that cannot run here.
func needsGuest(t *testing.T) {
	t.Helper()
	needs(t)
	if err := lab.GuestMissing(); err != nil {
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

// sample returns all cases, or with -short (make test) only those that represent the others.
func sample[T any](whole []T, standsForRest func(T) bool) []T {
	if !testing.Short() {
		return whole
	}
	return slices.DeleteFunc(slices.Clone(whole), func(c T) bool { return !standsForRest(c) })
}

// testProgram is a program whose output is captured.
type testProgram struct {
	program
	out, log *bytes.Buffer
}

func newTestProgram() *testProgram {
	p := &testProgram{out: new(bytes.Buffer), log: new(bytes.Buffer)}
	p.program = program{catalogue: testCatalogue, bin: builtPrograms(), stdin: strings.NewReader(""), stdout: p.out, stderr: p.log}
	return p
}

// runProgram runs a command to completion inside the test's process.
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

// command prepares the program to run as a separate process.
func command(workDir string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Dir = workDir
	cmd.Env = append(os.Environ(), asProgram+"="+builtPrograms())
	return cmd
}
