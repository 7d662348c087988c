package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/cnibench/cnibench/words"
)

// Journal writes the record of a run in progress. Its methods are safe for concurrent use. After
// the first error it accepts no more records and keeps returning that error, so callers that
// cannot handle an error may leave it to [Journal.Close].
type Journal struct {
	dir string

	mu       sync.Mutex
	file     *os.File
	size     int64    // total bytes of complete lines
	unsynced []string // files that the journal refers to and that are not synced yet
	err      error    // the first one
}

// Create makes the subdirectories of a run directory, writes run.json and starts an empty
// journal. The directory must exist; it is an error if it contains files of an earlier run.
func Create(dir string, run Run) (*Journal, error) {
	run.Schema = RunSchema
	text, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", RunFile, err)
	}
	for _, sub := range []string{HistDir, CaptureDir, LogDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("creating the run directory: %w", err)
		}
	}
	path := filepath.Join(dir, RunFile)
	if err := writeNew(path, append(text, '\n')); err != nil {
		return nil, fmt.Errorf("starting the record: %w", err)
	}
	if err := syncFile(path); err != nil {
		return nil, fmt.Errorf("starting the record: %w", err)
	}
	return open(dir, os.O_CREATE|os.O_EXCL)
}

// Open opens the journal of a run started by [Create] for appending.
func Open(dir string) (*Run, *Journal, error) {
	recorded, j, err := Continue(dir)
	if err != nil {
		return nil, nil, err
	}
	return &recorded.Run, j, nil
}

// Continue opens the journal of a run started by [Create] for appending and returns the record so
// far. It locks the journal before reading it, so nobody else can write in between. A truncated
// last line is removed.
func Continue(dir string) (*Recorded, *Journal, error) {
	j, err := open(dir, 0)
	if err != nil {
		if _, none := readRun(dir); none != nil && errors.Is(err, fs.ErrNotExist) {
			err = none
		}
		return nil, nil, err
	}
	recorded, err := Load(dir)
	if err == nil {
		err = j.cut(recorded.whole)
	}
	if err != nil {
		j.file.Close()
		return nil, nil, err
	}
	return recorded, j, nil
}

func open(dir string, flags int) (*Journal, error) {
	f, err := os.OpenFile(filepath.Join(dir, JournalFile), flags|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	if err := lock(f, dir); err != nil {
		return nil, err
	}
	return &Journal{dir: dir, file: f}, nil
}

// Lock keeps all other processes on this kernel from writing the journal in dir until it is
// closed. [Open] and [Continue] lock the journal themselves; Lock is for callers that have the
// run written in another kernel, which does not share locks.
func Lock(dir string) (io.Closer, error) {
	f, err := os.Open(filepath.Join(dir, JournalFile))
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	if err := lock(f, dir); err != nil {
		return nil, err
	}
	return f, nil
}

// lock ensures that only one run writes at a time. It closes the file if it fails. The lock ends
// with the process.
func lock(f *os.File, dir string) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case err == nil:
		markRunning(f)
		return nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = fmt.Errorf("the run in %s is still going on: %w", dir, err)
	default:
		err = fmt.Errorf("locking the journal in %s: %w", dir, err)
	}
	return errors.Join(err, f.Close())
}

// Resume prepares an interrupted run for continuation: it removes a truncated last line from the
// journal and appends an event with the block to continue from and what is different now. It
// returns the record so far.
func Resume(dir, differs string) (*Recorded, error) {
	recorded, j, err := Continue(dir)
	if err != nil {
		return nil, err
	}
	if recorded.Complete() {
		return nil, errors.Join(fmt.Errorf("the run in %s is complete: there is nothing to resume", dir), j.Close())
	}
	next := recorded.NextBlock()
	text := words.RunWasResumed.With(next + 1)
	if differs != "" {
		text = words.List(text, words.Of(words.InAnotherEnvironment, words.Quote(differs)))
	}
	j.Append(Record{Time: time.Now(), Event: &Event{Name: EventResumed, Block: next, Text: text}})
	return recorded, j.Close()
}

// Append adds a record as one line. If the record has no time, Append sets it to the current
// time.
func (j *Journal) Append(r Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = j.append(r)
	}
	return j.err
}

func (j *Journal) append(r Record) error {
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	r.Words = words.Collect(r)
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding a record: %w", err)
	}
	// Never write a record that cannot be read back.
	if err := r.check(); err != nil {
		return fmt.Errorf("encoding a record: %w", err)
	}
	if len(line) > maxLine {
		return fmt.Errorf("encoding a record: it takes %d bytes, more than %d", len(line), maxLine)
	}
	// Write each line in one call, so that a crash leaves complete lines and at most one
	// truncated line. Remove what a failed write left behind, or the next line would be joined to
	// it.
	n, err := j.file.Write(append(line, '\n'))
	if err == nil {
		j.size += int64(n)
		return nil
	}
	err = fmt.Errorf("writing %s: %w", JournalFile, err)
	if n > 0 {
		err = errors.Join(err, j.cut(j.size))
	}
	return err
}

// cut removes everything after the complete lines.
func (j *Journal) cut(whole int64) error {
	j.size = whole
	if err := j.file.Truncate(whole); err != nil {
		return fmt.Errorf("removing a truncated line from %s: %w", JournalFile, err)
	}
	return nil
}

// Sync flushes all appended records, and the histograms that they refer to, to disk, so that they
// survive a crash of the machine. It returns the journal's first error.
func (j *Journal) Sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, file := range j.unsynced {
		if err := syncFile(j.Path(file)); err != nil && j.err == nil {
			j.err = fmt.Errorf("syncing %s: %w", file, err)
		}
	}
	j.unsynced = nil
	if err := j.file.Sync(); err != nil && j.err == nil {
		j.err = fmt.Errorf("syncing %s: %w", JournalFile, err)
	}
	return j.err
}

// Close syncs and closes the journal. It returns the journal's first error.
func (j *Journal) Close() error {
	err := j.Sync()
	j.mu.Lock()
	defer j.mu.Unlock()
	if closed := j.file.Close(); err == nil {
		err = closed
	}
	return err
}

// Path returns the path of a file in the run directory.
func (j *Journal) Path(name string) string { return filepath.Join(j.dir, name) }
