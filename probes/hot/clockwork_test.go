package hot

import (
	"testing"
	"time"
)

// TestClockwork tells a sample that ended within its warm-up from one that lasted
// longer, however late the warm-up's end was noticed.
func TestClockwork(t *testing.T) {
	if _, err := StartClockwork(time.Minute).End(); err == nil {
		t.Error("a sample that has no counted part gets a time")
	}
	c := StartClockwork(time.Millisecond)
	for time.Since(c.begun) < c.after { // as a hot loop does
	}
	if _, err := c.End(); err != nil {
		t.Error(err)
	}
}
