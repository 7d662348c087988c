package results

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longestName is where a file's name is cut: file systems take 255 bytes, with
// the ending.
const longestName = 200

// FileName makes a file's name, without ending, of the parts that tell the file
// from all others: other parts, or the same ones in another order, never give
// the same name. Parts are joined by "_"; bytes other than letters, digits and
// ".+=-" become "%" and two hexadecimal digits, as in URLs (RFC 3986, section
// 2.1). What is too long for a file system ends in the SHA-256 of the whole.
func FileName(parts ...string) string {
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteByte('_')
		}
		for _, c := range []byte(part) {
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+', c == '=', c == '-', c == '.' && b.Len() > 0:
				b.WriteByte(c)
			default:
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
	}
	name := b.String()
	if len(name) <= longestName {
		return name
	}
	sum := fmt.Sprintf("_sha256=%x", sha256.Sum256([]byte(name)))
	return name[:longestName+1-len(sum)] + sum // one longer than any name that is not cut
}

// AddHistogram keeps a latency histogram, in HDR's V2 compressed encoding, beside
// the journal and returns its name below the run directory, for [Sample]. The parts of its name, see
// [FileName], must tell it from every other one of the run: a second histogram
// of one name is an error, and the first one stays.
func (j *Journal) AddHistogram(encoded []byte, parts ...string) (string, error) {
	file := filepath.Join(HistDir, FileName(parts...)+".hdr")
	if err := writeNew(j.Path(file), encoded); err != nil {
		return "", fmt.Errorf("keeping a histogram: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.unsynced = append(j.unsynced, file)
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

// writeNew writes a file that must not exist yet, whole or not at all.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// syncFile makes a file's content survive a crash of the machine.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Replace writes a file in the place of an earlier one of that name: whoever
// reads it, and whatever happens meanwhile, finds the old content or the new.
func Replace(path string, content []byte) error {
	next := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	os.Remove(next) // of an earlier process with that number
	if err := writeNew(next, content); err != nil {
		return err
	}
	err := syncFile(next)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}
