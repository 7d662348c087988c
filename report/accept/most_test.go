package accept

import (
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/words"
)

// TestMostSamplesFailed checks that a figure of the few samples that succeeded does not pass.
func TestMostSamplesFailed(t *testing.T) {
	for _, c := range []struct {
		name   string
		failed int
		of     string
		want   Verdict
	}{
		{"none failed", 0, "value", Pass},
		{"half failed", 5, "value", Pass},
		{"most failed", 6, "value", Fail},
		{"most failed, as a ratio to host", 6, "host", Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runOf(&[2]float64{2, 2}, &[2]float64{2, 2})
			if c.failed > 0 {
				r.Cells[1].Failures = []model.Failure{{Probe: "tcp-stream", Failed: c.failed, Of: 10, Cause: words.Quote("no route to host")}}
			}
			o := Judge(parse(t, "metric: tcp-stream goodput, of: "+c.of+", at_least: 1"), r, nil, catalogue.All())
			if o.Verdict != c.want || c.want == Fail && !strings.Contains(o.Thresholds[0].Reason, "most samples failed") {
				t.Errorf("%+v", o.Thresholds)
			}
		})
	}
}
