package worker

import (
	"testing"
)

// FuzzDecodeRequest feeds arbitrary control lines.
func FuzzDecodeRequest(f *testing.F) {
	for _, line := range []string{`{"id":1,"role":"tcp-rr/server","args":{"size":1},"timeout_ms":10}`, `{"cancel":1}`, `{}`, `[1]`, `{"id":1}{"id":2}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := decodeRequest(line)
		if err == nil && (r.Cancel == 0) == (r.ID == 0) {
			t.Errorf("%+v was accepted", r)
		}
		if r.ID < 0 || err == nil && (r.timeout() <= 0 || r.timeout() > maxTimeout) {
			t.Errorf("%+v", r)
		}
	})
}
