package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cnibench/cnibench/words"
)

// maxLine is the maximum length of a record; the longest ones quote agents' logs.
const maxLine = 1 << 20

// Recorded is the content of a run directory.
type Recorded struct {
	Dir     string
	Run     Run
	Records []Record
	// Warnings say what was dropped: at most a last line that a crash truncated.
	Warnings []words.Text

	whole int64 // total bytes of the journal's complete lines
}

// Load reads a run directory. It drops a truncated last line with a warning; any other damage is
// an error that names the file and line.
func Load(dir string) (*Recorded, error) {
	run, err := readRun(dir)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, JournalFile))
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	defer f.Close()
	r := &Recorded{Dir: dir, Run: *run}
	return r, r.read(f)
}

// readRun reads and checks run.json.
func readRun(dir string) (*Run, error) {
	text, err := os.ReadFile(filepath.Join(dir, RunFile))
	if err != nil {
		return nil, fmt.Errorf("%s is not a run directory: %w", dir, err)
	}
	var run Run
	if err := json.Unmarshal(text, &run); err != nil {
		return nil, fmt.Errorf("%s: %w", RunFile, err)
	}
	if run.Schema != RunSchema {
		return nil, fmt.Errorf("%s has schema %q; this program reads %s", RunFile, run.Schema, RunSchema)
	}
	return &run, nil
}

// read reads the journal's lines.
func (r *Recorded) read(journal io.Reader) error {
	in := bufio.NewReaderSize(journal, 1<<16)
	for number := 1; ; number++ {
		line, err := readLine(in)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, io.EOF):
			r.Warnings = append(r.Warnings, words.LastLineWasCut.With(JournalFile, number))
			return nil
		case err != nil:
			return fmt.Errorf("%s:%d: %w", JournalFile, number, err)
		}
		record, err := parseRecord(line)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", JournalFile, number, err)
		}
		r.Records = append(r.Records, record)
		r.whole += int64(len(line)) + 1
	}
}

// readLine returns a line without its newline. At io.EOF it returns what follows the last
// newline.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, fmt.Errorf("the line is longer than %d bytes", maxLine)
		case err == nil:
			return line[:len(line)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}

// parseRecord parses one line: a time and exactly one kind of record.
func parseRecord(line []byte) (Record, error) {
	var r Record
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return Record{}, fmt.Errorf("reading a record: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Record{}, errors.New("the line holds more than one record")
	}
	if err := r.check(); err != nil {
		return Record{}, err
	}
	words.Restore(&r, r.Words)
	r.Words = nil
	return r, nil
}

// check verifies that a record is of exactly one kind.
func (r Record) check() error {
	kinds := 0
	for _, there := range []bool{r.Sample != nil, r.Network != nil, r.Setup != nil, r.Encapsulation != nil, r.Finding != nil,
		r.Adjacency != nil, r.Reachability != nil, r.Policy != nil, r.Hops != nil, r.Survey != nil, r.PairSpeed != nil, r.Event != nil} {
		if there {
			kinds++
		}
	}
	if kinds != 1 {
		return fmt.Errorf("the record has %d kinds instead of one", kinds)
	}
	if s := r.Sample; s != nil && (s.Deployment < 0 || s.Deployment >= MaxDeployments) {
		return fmt.Errorf("the sample's deployment %d is outside 0 to %d", s.Deployment, MaxDeployments-1)
	}
	if s := r.Survey; s != nil && len(s.Nodes) > MaxSurveyed {
		return fmt.Errorf("the survey has %d nodes, more than %d", len(s.Nodes), MaxSurveyed)
	}
	if s := r.Survey; s != nil {
		for _, p := range s.Pairs {
			if p.From == p.To || p.Sent < 0 || p.Arrived < 0 || p.Arrived > p.Sent || p.Answered < 0 || p.Answered > p.Sent || p.Largest < 0 || p.Interface < 0 || p.RTT < 0 {
				return fmt.Errorf("the survey's pair from %s to %s is impossible", p.From, p.To)
			}
		}
	}
	if p := r.PairSpeed; p != nil && (p.Round < 0 || p.Round >= MaxSurveyed) {
		return fmt.Errorf("the round %d of a stream between nodes is outside 0 to %d", p.Round, MaxSurveyed-1)
	}
	return nil
}
