package trickle

import (
	"testing"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/probes/worker"
)

func TestMain(m *testing.M) {
	reach := &probes.Probe{Name: "reach", Roles: map[string]worker.Role{"receive": Receive, "send": Send}}
	probestest.Main(m, func(name string) (worker.Role, error) { return probes.FindRole([]*probes.Probe{reach}, name) })
}
