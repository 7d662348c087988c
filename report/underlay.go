package report

import (
	"fmt"

	"github.com/cnibench/cnibench/results"
)

// underlay says what the underlay did to packets beside limiting their rate, ""
// if nothing.
func (r *Report) underlay() string {
	l, err := results.ParseLink(r.Run.Asked.Link)
	if err != nil {
		return "unreadable: " + r.Run.Asked.Link
	}
	delay := fmt.Sprintf("every packet between two machines took %s longer each way, a round trip %s", l.Delay, 2*l.Delay)
	loss := fmt.Sprintf("%g %% of the packets between two machines were lost each way", l.LossPercent)
	switch {
	case l == (results.Link{}):
		return ""
	case l.LossPercent == 0:
		return delay
	case l.Delay == 0:
		return loss
	}
	return delay + "; " + loss
}
