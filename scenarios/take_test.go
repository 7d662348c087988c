package scenarios

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/catalogue"
)

// TestLimitOfSamples checks a sample's time limit against the maximum duration of its probe.
func TestLimitOfSamples(t *testing.T) {
	for _, p := range catalogue.All() {
		for _, delay := range []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond} {
			t.Run(p.Name+"/delay "+delay.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					site := &probes.Site{Duration: time.Second, Delay: delay}
					begin := time.Now()
					probe := *p
					probe.Measure = func(ctx context.Context, _ *probes.Site) (*probes.Measurement, error) {
						<-ctx.Done()
						return nil, ctx.Err() // like code that does not say which limit passed
					}
					_, err := stage{}.take(t.Context(), &probe, site)
					if got, most := time.Since(begin), p.Takes(site); got < most {
						t.Errorf("it gets %s, and may take %s", got, most)
					}
					if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "time limit of") {
						t.Errorf("the cause is %v", err)
					}
				})
			})
		}
	}
}
