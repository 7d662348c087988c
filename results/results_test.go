package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/cnibench/cnibench/words"
	"github.com/google/go-cmp/cmp"
)

func newJournal(t *testing.T) (*Journal, string) {
	t.Helper()
	dir := t.TempDir()
	j, err := Create(dir, Run{ID: "test", Started: time.Unix(1, 0).UTC(), Asked: Asked{Plugins: []string{"host"}, Wire: []string{"none"}, Seed: 7}})
	if err != nil {
		t.Fatal(err)
	}
	return j, dir
}

func TestJournalRoundTrip(t *testing.T) {
	j, dir := newJournal(t)
	records := []Record{
		{Time: time.Unix(2, 0).UTC(), Network: &Network{Plugin: "host", Topology: On("l2"), Status: StatusOK}},
		{Time: time.Unix(3, 0).UTC(), Sample: &Sample{Cell: Cell{"host", On("l2"), "none"}, Probe: "tcp-rr", Block: 1, Start: time.Unix(3, 0).UTC(),
			Values: map[string]float64{"p50": 1e-5}, CPU: &CPU{User: 0.5}}},
		{Time: time.Unix(4, 0).UTC(), Event: &Event{Name: EventFinished, Complete: true}},
	}
	for _, r := range records {
		if err := j.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	last := Record{Time: time.Unix(5, 0).UTC(), Event: &Event{Name: EventStopped}}
	if err := again.Append(last); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(records, last), loaded.Records); diff != "" {
		t.Error(diff)
	}
	if loaded.Run.Schema != RunSchema || loaded.Run.Asked.Seed != 7 || len(loaded.Warnings) != 0 {
		t.Errorf("%+v", loaded)
	}
}

func TestCreateRefusesAnEarlierRun(t *testing.T) {
	_, dir := newJournal(t)
	if _, err := Create(dir, Run{}); err == nil {
		t.Error("a second run was started in the same directory")
	}
}

func TestLoadDamaged(t *testing.T) {
	const event = `{"time":"2026-01-01T00:00:00Z","event":{"name":"stopped"}}` + "\n"
	for _, c := range []struct {
		name, journal string
		records       int
		warning, err  string
	}{
		{"empty", "", 0, "", ""},
		{"whole", event + event, 2, "", ""},
		{"a last line that was cut", event + event[:20], 1, "samples.jsonl:2: the last line is cut", ""},
		{"a last line that lacks its end only", event + event[:len(event)-1], 1, "samples.jsonl:2", ""},
		{"a line in the middle that was cut", event + event[:20] + "\n" + event, 0, "", "samples.jsonl:2: "},
		{"an empty line", event + "\n" + event, 0, "", "samples.jsonl:2: "},
		{"two records on a line", event[:len(event)-1] + event, 0, "", "samples.jsonl:1: the line holds more than one record"},
		{"no kind", `{"time":"2026-01-01T00:00:00Z"}` + "\n", 0, "", "samples.jsonl:1: the record has 0 kinds"},
		{"two kinds", `{"time":"2026-01-01T00:00:00Z","event":{"name":"x"},"setup":{"plugin":"host"}}` + "\n", 0, "", "has 2 kinds"},
		{"a key from the future", `{"time":"2026-01-01T00:00:00Z","event":{"name":"x","new":1}}` + "\n", 0, "", "samples.jsonl:1: "},
		{"bytes that are no JSON", "\x00\x01\x02\n", 0, "", "samples.jsonl:1: "},
		{"a line without end", strings.Repeat("x", maxLine+2), 0, "", "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, dir := newJournal(t)
			j.Close()
			if err := os.WriteFile(filepath.Join(dir, JournalFile), []byte(c.journal), 0o644); err != nil {
				t.Fatal(err)
			}
			loaded, err := Load(dir)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || len(loaded.Records) != c.records || !strings.Contains(words.Clauses(loaded.Warnings...).String(), c.warning) || (c.warning == "") != (len(loaded.Warnings) == 0) {
				t.Errorf("%v, %+v", err, loaded)
			}
		})
	}
}

func TestLoadRefusesAnotherSchema(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, RunFile), []byte(`{"schema":"cnibench.run/v9"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "cnibench.run/v9") {
		t.Errorf("error %v", err)
	}
}

func encoded(t *testing.T, h *hdrhistogram.Histogram) []byte {
	t.Helper()
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestHistograms(t *testing.T) {
	j, dir := newJournal(t)
	h := hdrhistogram.New(1, 1e10, 3)
	for v := range int64(1000) {
		h.RecordValue(1000 + v)
	}
	name, err := j.AddHistogram(encoded(t, h), "flannel-vxlan", "l2/../none", "tcp-rr:size=1", "0001")
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(name) != HistDir {
		t.Errorf("the histogram lies in %s", name)
	}
	got, err := Histogram(dir, name)
	if err != nil || !got.Equals(h) {
		t.Errorf("%v: the histogram came back different", err)
	}
	for _, outside := range []string{"../hist/x", "/etc/passwd", "hist/../run.json", "run.json", ""} {
		if _, err := Histogram(dir, outside); err == nil {
			t.Errorf("%q was read", outside)
		}
	}
}

func TestParseWire(t *testing.T) {
	for text, want := range map[string]float64{"none": 0, "1gbit": 1e9, "1Gbit": 1e9, "2.5gbit": 2.5e9, "100mbit": 1e8, "64kbit": 64e3, "5000bit": 5000} {
		if got, err := ParseWire(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0gbit", "1", "-1gbit", "1gbps", "NaNgbit", "1e3gbit", "9999999999gbit", "1 gbit"} {
		if _, err := ParseWire(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// FuzzLoad feeds damaged journals to the reader: it must return an error or records and never
// panic, and records that were read must survive being written and read again.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"time":"2026-01-01T00:00:00Z","event":{"name":"stopped"}}` + "\n"))
	f.Add([]byte(`{"time":"2026-01-01T00:00:00Z","sample":{"plugin":"host","topology":"l2","wire":"none","probe":"tcp-rr","values":{"p50":1e-5}}}` + "\n{"))
	f.Add([]byte("\n\x00"))
	f.Fuzz(func(t *testing.T, journal []byte) {
		r := &Recorded{}
		if r.read(strings.NewReader(string(journal))) != nil {
			return
		}
		j, dir := newJournal(t)
		for _, record := range r.Records {
			if err := j.Append(record); err != nil {
				return // a time that JSON cannot encode again
			}
		}
		j.Close()
		again, err := Load(dir)
		if err != nil || len(again.Records) != len(r.Records) {
			t.Errorf("%d records became %v, %v", len(r.Records), again, err)
		}
	})
}

func FuzzHistogram(f *testing.F) {
	h := hdrhistogram.New(1, 1e10, 3)
	h.RecordValue(12345)
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("SElTVA=="))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, HistDir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, HistDir, "x.hdr"), content, 0o644); err != nil {
			t.Fatal(err)
		}
		if h, err := Histogram(dir, HistDir+"/x.hdr"); err == nil {
			h.ValueAtPercentile(50)
		}
	})
}
