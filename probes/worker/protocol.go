package worker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cnibench/cnibench/words"
)

// These limits apply to the control stream. A request is small; a reply may carry
// a histogram or captured frames.
const (
	maxRequestLine = 64 << 10
	maxReplyLine   = 4 << 20
	// maxTimeout is the longest time limit of a role; a longer one is a mistake.
	maxTimeout = time.Hour
	// defaultTimeout is the time limit of a role whose request does not set one.
	defaultTimeout = time.Minute
)

// request is one line to a worker: either a role to run under an id, or the
// id of a running role to end.
type request struct {
	ID        int64           `json:"id,omitempty"`
	Role      string          `json:"role,omitempty"`
	Args      json.RawMessage `json:"args,omitempty"`
	TimeoutMS int64           `json:"timeout_ms,omitempty"`
	Cancel    int64           `json:"cancel,omitempty"`
}

// reply is one line from a worker. A role sends at most one ready reply and then
// exactly one result or error. An error with id 0 is about a line that does not
// belong to any request.
type reply struct {
	ID     int64           `json:"id"`
	Ready  json.RawMessage `json:"ready,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
	// Words are the messages behind the sentences of Result and Error.
	Words words.Forms `json:"words,omitempty"`
	// Cancelled is set if the role ended with Error because the controller
	// cancelled it.
	Cancelled bool `json:"cancelled,omitempty"`
}

// decodeRequest decodes one control line. On error the returned request has the
// line's id if it could be read.
func decodeRequest(line []byte) (request, error) {
	var r request
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return request{ID: max(r.ID, 0)}, fmt.Errorf("reading a control line: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return request{ID: max(r.ID, 0)}, errors.New("reading a control line: it has more than one value")
	}
	switch {
	case r.ID < 0 || r.Cancel < 0:
		return request{}, errors.New("a control line has a negative id")
	case r.Cancel > 0 && (r.ID != 0 || r.Role != "" || r.Args != nil || r.TimeoutMS != 0):
		return request{ID: r.ID}, errors.New("a control line that cancels must hold nothing else")
	case r.Cancel > 0:
		return r, nil
	case r.ID == 0:
		return request{}, errors.New("a control line has neither an id nor a cancel")
	case r.Role == "":
		return request{ID: r.ID}, errors.New("a control line names no role")
	case r.TimeoutMS < 0 || r.TimeoutMS > maxTimeout.Milliseconds():
		return request{ID: r.ID}, fmt.Errorf("a control line has a time limit of %d ms, outside 0 to %d", r.TimeoutMS, maxTimeout.Milliseconds())
	}
	return r, nil
}

func (r request) timeout() time.Duration {
	if r.TimeoutMS == 0 {
		return defaultTimeout
	}
	return time.Duration(r.TimeoutMS) * time.Millisecond
}

// These errors concern the line that was being read.
var (
	errLineTooLong   = errors.New("a control line is too long")
	errLineTruncated = errors.New("the control stream ended within a line")
)

// lineReader splits a stream into lines of a bounded length.
type lineReader struct {
	r     *bufio.Reader
	limit int
	line  []byte
}

func newLineReader(r io.Reader, limit int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 4<<10), limit: limit}
}

// next returns the next line that is not blank, without its newline. The slice is
// valid until the next call. If next returns errLineTooLong, it has skipped the line.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.read()
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			return line, err
		}
	}
}

func (l *lineReader) read() ([]byte, error) {
	l.line = l.line[:0]
	tooLong := false
	for {
		part, err := l.r.ReadSlice('\n')
		if len(l.line)+len(part) > l.limit+1 {
			tooLong = true
			l.line = l.line[:0]
		} else if !tooLong {
			l.line = append(l.line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && (tooLong || len(l.line) > 0):
			return nil, errLineTruncated
		case err != nil:
			return nil, err
		case tooLong:
			return nil, errLineTooLong
		default:
			return l.line[:len(l.line)-1], nil
		}
	}
}
