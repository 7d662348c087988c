package results

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cnibench/cnibench/words"
)

// shortWriteDir is the environment variable that makes the test binary act as the process that
// can write only part of a line.
const shortWriteDir = "CNIBENCH_TEST_SHORT_WRITE_DIR"

// TestShortWrite makes the system cut a record short (setrlimit(2), RLIMIT_FSIZE) and then allows
// writing again: the journal must keep the complete records, with nothing after them, and keep
// returning the first error.
func TestShortWrite(t *testing.T) {
	if dir := os.Getenv(shortWriteDir); dir != "" {
		shortWrite(t, dir)
		return
	}
	dir, text := smallJournal(t)
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestShortWrite$")
	cmd.Env = append(os.Environ(), shortWriteDir+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	after, err := os.ReadFile(filepath.Join(dir, JournalFile))
	if err != nil || string(after) != string(text) {
		t.Errorf("%v, the journal became %q", err, after[min(len(text), len(after)):])
	}
	if r, err := Load(dir); err != nil || len(r.Warnings) > 0 {
		t.Errorf("the journal does not load: %v, %q", err, r.Warnings)
	}
	if _, err := Resume(dir, ""); err != nil {
		t.Errorf("the run cannot go on: %v", err)
	}
}

func shortWrite(t *testing.T, dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	_, j, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dir, JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(st.Size()) + 20, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	event := Record{Event: &Event{Name: EventStopped}}
	first := j.Append(event)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if first == nil || !strings.Contains(first.Error(), "file too large") {
		t.Errorf("a short write: %v", first)
	}
	for what, err := range map[string]error{"the next record": j.Append(event), "syncing": j.Sync(), "closing": j.Close()} {
		if err != first {
			t.Errorf("%s: %v, want the first error: %v", what, err, first)
		}
	}
}

// TestNothingUnreadableIsWritten checks that records that [Load] would reject are refused.
func TestNothingUnreadableIsWritten(t *testing.T) {
	for _, c := range []struct {
		name   string
		record Record
		says   string
	}{
		{"no kind", Record{}, "has 0 kinds"},
		{"two kinds", Record{Event: &Event{Name: EventStopped}, Setup: &Setup{}}, "has 2 kinds"},
		{"longer than a line may be", Record{Event: &Event{Text: words.Quote(strings.Repeat("x", maxLine))}}, fmt.Sprintf("more than %d", maxLine)},
		{"no number", Record{Sample: &Sample{Values: map[string]float64{"p50": math.NaN()}}}, "NaN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, dir := newJournal(t)
			if err := j.Append(c.record); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			if err := j.Close(); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("closing: %v, want %q", err, c.says)
			}
			if r, err := Load(dir); err != nil || len(r.Records) != 0 {
				t.Errorf("%v, %+v", err, r)
			}
		})
	}
}

// TestRecordHasATime checks that a record without a time gets the current one.
func TestRecordHasATime(t *testing.T) {
	j, dir := newJournal(t)
	if err := j.Append(Record{Event: &Event{Name: EventStopped}}); err != nil {
		t.Fatal(err)
	}
	j.Close()
	if r, err := Load(dir); err != nil || time.Since(r.Records[0].Time) > time.Hour {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestResumeOfARunThatGoesOn checks that the record is left alone while another process may be
// writing it.
func TestResumeOfARunThatGoesOn(t *testing.T) {
	dir, text := smallJournal(t)
	cut := append(text, `{"time":"2026`...) // as it looks while a writer is at work
	writeJournal(t, dir, cut)
	lock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(dir, ""); err == nil || !strings.Contains(err.Error(), "still going on") {
		t.Errorf("resuming: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, JournalFile)); err != nil || string(after) != string(cut) {
		t.Errorf("%v, the journal became %q", err, after)
	}
	lock.Close()
	if _, err := Resume(dir, ""); err != nil {
		t.Errorf("after the end of the other: %v", err)
	}
}

// TestResumeLocksBeforeItReads pauses a resumption at the first file that it reads: no other
// process may start writing at this point, because whatever it wrote before the journal is
// truncated would be lost.
func TestResumeLocksBeforeItReads(t *testing.T) {
	dir, _ := smallJournal(t)
	path := filepath.Join(dir, RunFile)
	run, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	resumed := make(chan error, 1)
	go func() {
		_, err := Resume(dir, "")
		resumed <- err
	}()
	pipe, err := os.OpenFile(path, os.O_WRONLY, 0) // returns once a reader has opened it
	if err != nil {
		t.Fatal(err)
	}
	if lock, err := Lock(dir); err == nil {
		lock.Close()
		t.Error("another process may write while the record is read")
	}
	if _, err := pipe.Write(run); err != nil {
		t.Error(err)
	}
	pipe.Close()
	if err := <-resumed; err != nil {
		t.Error(err)
	}
}
