package hot

import (
	"testing"
	"time"
)

// TestClockwork checks that End fails for a sample that ended during its warm-up
// and succeeds for a longer one, however late the end of the warm-up was noticed.
func TestClockwork(t *testing.T) {
	if _, err := StartClockwork(time.Minute).End(); err == nil {
		t.Error("a sample that ended during its warm-up has a processor time")
	}
	c := StartClockwork(time.Millisecond)
	for time.Since(c.begun) < c.after { // spin, as a hot loop does
	}
	if _, err := c.End(); err != nil {
		t.Error(err)
	}
}
