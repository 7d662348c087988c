package results

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseLink(t *testing.T) {
	for _, c := range []struct {
		text string
		want Link
		says string // part of the error
	}{
		{text: ""},
		{text: "delay=20ms", want: Link{Delay: 20 * time.Millisecond}},
		{text: "loss=0.1%", want: Link{LossPercent: 0.1}},
		{text: "loss=0.3%,delay=1.5ms", want: Link{Delay: 1500 * time.Microsecond, LossPercent: 0.3}},
		{text: "delay=250us", want: Link{Delay: 250 * time.Microsecond}},
		{text: "delay=200ms,loss=10%", want: Link{Delay: 200 * time.Millisecond, LossPercent: 10}},
		{text: "delay=201ms", says: "outside 1µs to 200ms"},
		{text: "delay=0s", says: "outside"},
		{text: "delay=-1ms", says: "outside"},
		{text: "delay=1500ns", says: "whole number of microseconds"},
		{text: "delay=20", says: "not a duration such as 20ms"},
		{text: "delay", says: "not a duration"},
		{text: "delay=1ms,delay=2ms", says: "gives delay twice"},
		{text: "loss=0.1", says: "not a percentage such as 0.1%"},
		{text: "loss=11%", says: "outside 0.0001% to 10%"},
		{text: "loss=0%", says: "outside"},
		{text: "loss=NaN%", says: "not a percentage"},
		{text: "dealy=20ms", says: `no "dealy"`},
		{text: "delay=20ms,", says: `no ""`},
		{text: " delay=20ms", says: `no " delay"`},
		{text: ",", says: `no ""`},
	} {
		t.Run(c.text, func(t *testing.T) {
			got, err := ParseLink(c.text)
			if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error %v, want one that says %q", err, c.says)
			}
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
	var unknown *UnknownLinkKeyError
	if _, err := ParseLink("los=1%"); !errors.As(err, &unknown) || unknown.Key != "los" || len(unknown.Known) != 2 {
		t.Errorf("%v does not list the known keys", err)
	}
}

// FuzzParseLink checks that accepted links are within the bounds and survive a round trip through
// String.
func FuzzParseLink(f *testing.F) {
	for _, seed := range []string{"", "delay=20ms,loss=0.1%", "loss=10%", "delay=1us", "delay=1ms,delay=1ms", "loss=1e9%", "delay=∞", "x=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLink(text)
		if err != nil {
			if l != (Link{}) {
				t.Errorf("%q was rejected but returned %+v", text, l)
			}
			return
		}
		if l.Delay < 0 || l.Delay > maxDelay || !(l.LossPercent >= 0 && l.LossPercent <= maxLoss) {
			t.Errorf("%q was accepted as %+v", text, l)
		}
		if again, err := ParseLink(l.String()); err != nil || again != l {
			t.Errorf("%q is %+v, written %q, read again %+v (%v)", text, l, l, again, err)
		}
	})
}
