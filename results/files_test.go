package results

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// TestFileNames checks that different parts give different names.
func TestFileNames(t *testing.T) {
	long := strings.Repeat("x", longestName)
	for _, c := range []struct {
		name string
		a, b []string
	}{
		{"a space and an underscore", []string{"a b"}, []string{"a_b"}},
		{"a colon and an underscore", []string{"tcp-rr:size=64"}, []string{"tcp-rr_size=64"}},
		{"a colon and a slash", []string{"vpc:l3-only"}, []string{"vpc/l3-only"}},
		{"one unsafe byte and two", []string{"a:b"}, []string{"a::b"}},
		{"where a part ends", []string{"a-b", "c"}, []string{"a", "b-c"}},
		{"where a part with the separator ends", []string{"a_b", "c"}, []string{"a", "b_c"}},
		{"an empty part", []string{"a", "", "b"}, []string{"a", "b"}},
		{"an escape written out", []string{"a%3Ab"}, []string{"a:b"}},
		{"order", []string{"a", "b"}, []string{"b", "a"}},
		{"what is cut off", []string{long + "a"}, []string{long + "b"}},
		{"a name that is cut and one that looks like it", []string{long + "a"}, []string{FileName(long + "a")}},
		{"a leading dot", []string{".a"}, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := FileName(c.a...), FileName(c.b...)
			if a == b {
				t.Errorf("%q and %q are both %s", c.a, c.b, a)
			}
		})
	}
	if got, want := FileName("flannel-vxlan+control", "vpc:l3-only", "none", "tcp-rr:size=64", "0001"), "flannel-vxlan+control_vpc%3Al3-only_none_tcp-rr%3Asize=64_0001"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// FuzzFileName compares names with the parts that they were built from, and creates files with
// those names.
func FuzzFileName(f *testing.F) {
	f.Add("a b", "c", "a_b", "c")
	f.Add("a-b", "c", "a", "b-c")
	f.Add("..", "", ".", ".")
	f.Add(strings.Repeat(":", 100), "1", strings.Repeat(":", 100), "2")
	f.Fuzz(func(t *testing.T, a1, a2, b1, b2 string) {
		a, b := FileName(a1, a2), FileName(b1, b2)
		if (a == b) != (a1 == b1 && a2 == b2) {
			t.Fatalf("%q, %q is %s; %q, %q is %s", a1, a2, a, b1, b2, b)
		}
		path := filepath.Join(t.TempDir(), a+".hdr")
		if err := writeNew(path, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSecondHistogramOfOneName checks that a second histogram is refused and the first one stays.
func TestSecondHistogramOfOneName(t *testing.T) {
	j, dir := newJournal(t)
	first, second := hdrhistogram.New(1, 1e10, 3), hdrhistogram.New(1, 1e10, 3)
	first.RecordValue(1000)
	second.RecordValue(2000)
	name, err := j.AddHistogram(encoded(t, first), "host", "l2", "none", "tcp-rr", "0000")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.AddHistogram(encoded(t, second), "host", "l2", "none", "tcp-rr", "0000"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: %v", err)
	}
	if got, err := Histogram(dir, name); err != nil || !got.Equals(first) {
		t.Errorf("the first one came back different: %v", err)
	}
}

// TestReplace checks that exactly one file remains, complete, and that a failed write leaves
// nothing behind.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	for _, content := range []string{"a long first one", "a second"} {
		before, _ := os.Open(path)
		if err := Replace(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%v, %q", err, got)
		}
		if before != nil { // a reader of the old file still sees all of it
			old := make([]byte, 100)
			if n, _ := before.Read(old); string(old[:n]) != "a long first one" {
				t.Errorf("the old file became %q", old[:n])
			}
			before.Close()
		}
	}
	if err := Replace(filepath.Join(dir, "none", "report.json"), nil); err == nil {
		t.Error("a file in no folder was written")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}
