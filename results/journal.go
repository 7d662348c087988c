package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Journal is the record of a run while it is made. Its methods may be called
// from any goroutine.
type Journal struct {
	dir string

	mu   sync.Mutex
	file *os.File
}

// Create makes the folders of a run directory, writes run.json and starts an
// empty journal. The directory must exist; files of an earlier run in it are
// an error.
func Create(dir string, run Run) (*Journal, error) {
	run.Schema = RunSchema
	text, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", RunFile, err)
	}
	for _, sub := range []string{HistDir, CaptureDir, LogDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("making the run directory: %w", err)
		}
	}
	if err := writeNew(filepath.Join(dir, RunFile), append(text, '\n')); err != nil {
		return nil, fmt.Errorf("starting the record: %w", err)
	}
	return open(dir, os.O_CREATE|os.O_EXCL)
}

// Open goes on with the journal of a run that [Create] has started.
func Open(dir string) (*Run, *Journal, error) {
	run, err := readRun(dir)
	if err != nil {
		return nil, nil, err
	}
	j, err := open(dir, 0)
	return run, j, err
}

func open(dir string, flags int) (*Journal, error) {
	f, err := os.OpenFile(filepath.Join(dir, JournalFile), flags|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	// One run writes at a time; the lock ends with the process.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("the run in %s is still going on: %w", dir, err)
	}
	return &Journal{dir: dir, file: f}, nil
}

// Resume prepares an interrupted run to go on: a last line that was cut is
// removed from the journal, and an event says from which block on the run goes
// on and what differs now. It returns the record so far.
func Resume(dir, differs string) (*Recorded, error) {
	recorded, err := Load(dir)
	if err != nil {
		return nil, err
	}
	if recorded.Complete() {
		return nil, fmt.Errorf("the run in %s is complete: there is nothing to resume", dir)
	}
	j, err := open(dir, 0)
	if err != nil {
		return nil, err
	}
	next := recorded.NextBlock()
	text := fmt.Sprintf("the run was interrupted and resumed at round %d", next+1)
	if differs != "" {
		text += ", in another environment: " + differs
	}
	err = os.Truncate(j.Path(JournalFile), recorded.whole)
	if err == nil {
		err = j.Append(Record{Time: time.Now(), Event: &Event{Name: EventResumed, Block: next, Text: text}})
	}
	return recorded, errors.Join(err, j.Close())
}

// writeNew writes a file that must not exist yet and syncs it.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// Append adds one record as one line.
func (j *Journal) Append(r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding a record: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	// One write a line: what a crash leaves is whole lines and at most one
	// that is cut.
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing %s: %w", JournalFile, err)
	}
	return nil
}

// Sync makes all that was appended survive a crash of the machine.
func (j *Journal) Sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", JournalFile, err)
	}
	return nil
}

// Close syncs and closes the journal.
func (j *Journal) Close() error {
	err := j.Sync()
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(err, j.file.Close())
}

// Path returns where a file of the run directory lies.
func (j *Journal) Path(name string) string { return filepath.Join(j.dir, name) }

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9._+=-]+`)

// AddHistogram keeps a latency histogram beside the journal and returns its
// name below the run directory, for [Sample].
func (j *Journal) AddHistogram(name string, h *hdrhistogram.Histogram) (string, error) {
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return "", fmt.Errorf("encoding histogram %s: %w", name, err)
	}
	file := filepath.Join(HistDir, unsafeInName.ReplaceAllString(name, "_")+".hdr")
	if err := os.WriteFile(filepath.Join(j.dir, file), encoded, 0o644); err != nil {
		return "", fmt.Errorf("keeping histogram %s: %w", name, err)
	}
	return file, nil
}

const maxHistogram = 1 << 20

// Histogram reads a latency histogram of the run directory, by the name that a
// [Sample] carries.
func Histogram(dir, name string) (*hdrhistogram.Histogram, error) {
	if !filepath.IsLocal(name) || !strings.HasPrefix(filepath.ToSlash(name), HistDir+"/") {
		return nil, fmt.Errorf("histogram %q is not below %s", name, HistDir)
	}
	path := filepath.Join(dir, name)
	// Ten times what the widest histogram takes: the encoding is compressed,
	// and a damaged one must not fill the memory.
	if st, err := os.Stat(path); err == nil && st.Size() > maxHistogram {
		return nil, fmt.Errorf("histogram %s has %d bytes, more than %d", name, st.Size(), maxHistogram)
	}
	encoded, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a histogram: %w", err)
	}
	h, err := hdrhistogram.Decode(bytes.TrimSpace(encoded))
	if err != nil {
		return nil, fmt.Errorf("decoding histogram %s: %w", name, err)
	}
	return h, nil
}
