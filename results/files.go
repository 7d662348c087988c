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

// longestName is the length at which file names are cut. File systems allow 255 bytes, including
// the extension.
const longestName = 200

// FileName builds a file name, without an extension, from the parts that identify the file.
// Different parts, or the same parts in a different order, never give the same name. Parts are
// joined by "_"; bytes other than letters, digits and ".+=-" become "%" and two hexadecimal
// digits, as in URLs (RFC 3986, section 2.1). A name that is too long for a file system ends in
// the SHA-256 of the full name.
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
	return name[:longestName+1-len(sum)] + sum // one byte longer than any name that is not cut
}

// AddHistogram stores a latency histogram, in HDR's V2 compressed encoding, beside the journal
// and returns its name relative to the run directory, for use in a [Sample]. The parts of the
// name (see [FileName]) must be unique within the run: adding a second histogram under the same
// name is an error and leaves the first one in place.
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

// Histogram reads a latency histogram from the run directory, by the name given in a [Sample].
func Histogram(dir, name string) (*hdrhistogram.Histogram, error) {
	if !filepath.IsLocal(name) || !strings.HasPrefix(filepath.ToSlash(name), HistDir+"/") {
		return nil, fmt.Errorf("histogram %q is not below %s", name, HistDir)
	}
	path := filepath.Join(dir, name)
	// This is ten times the size of the widest histogram: the encoding is compressed, and a
	// damaged file must not exhaust memory.
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

// writeNew writes a file that must not exist yet. It writes the whole file or nothing.
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

// syncFile flushes a file to disk so that its content survives a crash of the machine.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Replace atomically replaces a file: whatever happens, a reader finds either the old content or
// the new.
func Replace(path string, content []byte) error {
	next := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	os.Remove(next) // left behind by an earlier process with this ID
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
