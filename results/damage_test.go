package results

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/words"
	"github.com/google/go-cmp/cmp"
)

// smallJournal returns a run directory with a few records, and the text of its journal.
func smallJournal(t *testing.T) (dir string, text []byte) {
	t.Helper()
	j, dir := newJournal(t)
	for block := range 3 {
		for _, r := range []Record{
			{Sample: &Sample{Cell: Cell{"host", On("l2"), "none"}, Probe: "tcp-rr", Block: block, Values: map[string]float64{"p50": 1e-5}, Warnings: words.Quotes([]string{"µ"})}},
			{Event: &Event{Name: EventBlockEnd, Block: block}},
		} {
			r.Time = time.Unix(int64(block), 0).UTC()
			if err := j.Append(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	return dir, text
}

func writeJournal(t *testing.T, dir string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, JournalFile), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCutAtEveryByte truncates a journal at every byte: whole lines are kept, a partial line is
// reported, and the run can be resumed.
func TestCutAtEveryByte(t *testing.T) {
	dir, text := smallJournal(t)
	whole, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range text {
		writeJournal(t, dir, text[:cut])
		lines := strings.Count(string(text[:cut]), "\n")
		rest := cut > 0 && text[cut-1] != '\n'
		r, err := Load(dir)
		if err != nil || len(r.Records) != lines || !cmp.Equal(r.Records, whole.Records[:lines:lines]) && lines > 0 {
			t.Fatalf("cut at %d: %v, %d records of %d", cut, err, len(r.Records), lines)
		}
		if said := fmt.Sprint(r.Warnings); rest != strings.Contains(said, fmt.Sprintf("%s:%d:", JournalFile, lines+1)) {
			t.Fatalf("cut at %d: %s", cut, said)
		}
		if _, err := Resume(dir, ""); err != nil {
			t.Fatalf("cut at %d: resuming: %v", cut, err)
		}
		resumed, err := Load(dir)
		if err != nil || len(resumed.Records) != lines+1 || len(resumed.Warnings) != 0 {
			t.Fatalf("cut at %d: after resuming: %v, %+v", cut, err, resumed)
		}
	}
}

// TestFlippedBytes damages every byte in turn: the records before the damaged line are kept, and
// the error names the line.
func TestFlippedBytes(t *testing.T) {
	dir, text := smallJournal(t)
	whole, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		for _, with := range []byte{text[i] ^ 0x80, text[i] ^ 0x01, 0, '\n', '"', '}'} {
			damaged := append([]byte{}, text...)
			damaged[i] = with
			writeJournal(t, dir, damaged)
			before := strings.Count(string(text[:i]), "\n")
			r, err := Load(dir)
			if len(r.Records) < before || !cmp.Equal(r.Records[:before:before], whole.Records[:before:before]) && before > 0 {
				t.Fatalf("byte %d becomes %q: %d records are left of the %d before", i, with, len(r.Records), before)
			}
			if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("%s:%d:", JournalFile, before+1)) &&
				!strings.Contains(err.Error(), fmt.Sprintf("%s:%d:", JournalFile, before+2)) {
				t.Fatalf("byte %d of line %d becomes %q: %v", i, before+1, with, err)
			}
		}
	}
}

func TestForeignFiles(t *testing.T) {
	for _, c := range []struct{ name, run, journal, says string }{
		{"another program's JSON", `{"name":"x"}`, "", `has schema ""`},
		{"a list", `[]`, "", "run.json"},
		{"a picture", "\x89PNG\r\n\x1a\n", "", "run.json"},
		{"a journal of something else", "", "level=info msg=hello\n", "samples.jsonl:1:"},
		{"an ELF file", "", "\x7fELF\x02\x01\x01\x00\n\x00", "samples.jsonl:1:"},
		{"JSON lines of something else", "", `{"level":"info"}` + "\n", "samples.jsonl:1:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _ := smallJournal(t)
			if c.run != "" {
				if err := os.WriteFile(filepath.Join(dir, RunFile), []byte(c.run), 0o644); err != nil {
					t.Fatal(err)
				}
			} else {
				writeJournal(t, dir, []byte(c.journal))
			}
			if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

// TestSuperseded checks that a block measured twice counts once.
func TestSuperseded(t *testing.T) {
	sample := func(block int) Record { return Record{Sample: &Sample{Block: block}} }
	end := func(block int) Record { return Record{Event: &Event{Name: EventBlockEnd, Block: block}} }
	resumed := func(block int) Record { return Record{Event: &Event{Name: EventResumed, Block: block}} }
	network := Record{Network: &Network{Plugin: "host"}}
	for _, c := range []struct {
		name    string
		records []Record
		want    []int // indexes that do not count
	}{
		{"never interrupted", []Record{network, sample(0), end(0), sample(1), end(1)}, nil},
		{"between blocks", []Record{sample(0), end(0), resumed(1), sample(1), end(1)}, nil},
		{"inside a block", []Record{sample(0), end(0), sample(1), sample(1), resumed(1), sample(1), end(1)}, []int{2, 3}},
		{"twice inside the same block", []Record{sample(0), end(0), sample(1), resumed(1), sample(1), resumed(1), sample(1), end(1)}, []int{2, 4}},
		{"in two blocks", []Record{sample(0), resumed(0), sample(0), end(0), sample(1), resumed(1), sample(1), end(1)}, []int{0, 4}},
		{"before the first sample", []Record{network, resumed(0), network, sample(0), end(0)}, []int{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := (&Recorded{Records: c.records}).Superseded()
			want := map[int]bool{}
			for _, i := range c.want {
				want[i] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOneWriterAtATime(t *testing.T) {
	_, dir := newJournal(t)
	if _, _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "still going on") {
		t.Errorf("a second writer: %v", err)
	}
}

func TestResumeOfACompleteRun(t *testing.T) {
	j, dir := newJournal(t)
	if err := j.Append(Record{Event: &Event{Name: EventFinished, Complete: true}}); err != nil {
		t.Fatal(err)
	}
	j.Close()
	if _, err := Resume(dir, ""); err == nil || !strings.Contains(err.Error(), "nothing to resume") {
		t.Errorf("%v", err)
	}
}

// TestOddSamples checks that samples which no run writes are refused or counted once.
func TestOddSamples(t *testing.T) {
	const network = `"plugin":"host","topology":"l2","wire":"none","probe":"tcp-rr"`
	sample := func(rest string) string {
		return `{"time":"2026-11-28T10:00:00Z","sample":{` + network + `,"position":0,"placement":{"mode":"same","client_cpu":0,"server_cpu":0},"seconds":1` + rest + `}}` + "\n"
	}
	const at, later = `,"start":"2026-11-28T10:00:00Z"`, `,"start":"2026-11-28T10:00:01Z"`
	for _, c := range []struct {
		name   string
		lines  string
		counts int    // samples that count
		says   string // of the error
	}{
		{"two rounds", sample(at+`,"block":0`) + sample(at+`,"block":1`), 2, ""},
		{"two samples of one round, as of a fact at both ends of a run", sample(at+`,"block":0`) + sample(later+`,"block":0`), 2, ""},
		{"one sample twice", sample(at+`,"block":0`) + sample(at+`,"block":0`), 1, ""},
		{"and with another figure", sample(at+`,"block":0,"values":{"p50":1}`) + sample(at+`,"block":0,"values":{"p50":2}`), 1, ""},
		{"the last deployment", sample(at + `,"block":0,"deployment":99`), 1, ""},
		{"one too many", sample(at + `,"block":0,"deployment":100`), 0, JournalFile + ":1: the sample's deployment 100 is outside 0 to 99"},
		{"a negative one", sample(at + `,"block":0,"deployment":-1`), 0, "deployment -1 is outside"},
		{"a survey of too many nodes", `{"time":"2026-11-28T10:00:00Z","survey":{"plugin":"a","topology":"l2","nodes":[` + strings.Repeat(`{"name":"n"},`, MaxSurveyed) + `{"name":"n"}]}}` + "\n", 0, "more than 5000"},
		{"a pair in which more arrived than was sent", `{"time":"2026-11-28T10:00:00Z","survey":{"plugin":"a","topology":"l2","pairs":[{"from":"a","to":"b","sent":20,"arrived":21,"answered":0}]}}` + "\n", 0, "from a to b is impossible"},
		{"a negative round between nodes", `{"time":"2026-11-28T10:00:00Z","pair_speed":{"plugin":"a","topology":"l2","from":"a","to":"b","round":-1}}` + "\n", 0, "the round -1 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _ := smallJournal(t)
			writeJournal(t, dir, []byte(c.lines))
			r, err := Load(dir)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, want %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := len(r.Records) - len(r.Superseded()); got != c.counts {
				t.Errorf("%d samples count, want %d", got, c.counts)
			}
		})
	}
}
