package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cnibench/cnibench/results"
)

// prepare creates the run directory, either the named one or a new one, and writes run.json.
func prepare(dir string, run results.Run) (string, error) {
	started := time.Now()
	id := make([]byte, 3)
	rand.Read(id)
	run.ID, run.Started = started.UTC().Format("20060102T150405Z")+"-"+hex.EncodeToString(id), started
	if dir == "" {
		dir = filepath.Join("results", "runs", run.ID)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", usage("finding the run directory: %v", err)
	}
	if err := emptyDir(dir); err != nil {
		return "", usageError{err}
	}
	journal, err := results.Create(dir, run)
	if err != nil {
		return "", usageError{err}
	}
	return dir, journal.Close()
}

// emptyDir ensures that the run directory exists and is empty.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("creating the run directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the run directory: %w", err)
	}
	if results.Running(dir) {
		return fmt.Errorf("another run is writing to %s: choose another run directory with --out", dir)
	}
	if len(entries) > 0 {
		return fmt.Errorf("the run directory %s is not empty: choose another one with --out", dir)
	}
	return nil
}
