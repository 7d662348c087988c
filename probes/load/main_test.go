package load

import (
	"testing"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/probes/worker"
)

func TestMain(m *testing.M) {
	probestest.Main(m, func(name string) (worker.Role, error) {
		return probes.FindRole([]*probes.Probe{TCPStream(), DNS(), TCPRR(), UDPRR(), TCPCRR(), UDPPPS()}, name)
	})
}
