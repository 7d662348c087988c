package gather

import (
	"reflect"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// TestSetupOfDeployments checks that a report has one entry for each network, however often it was
// brought up.
func TestSetupOfDeployments(t *testing.T) {
	setup := func(plugin string, deployment int, ready float64, memory int64, adds ...float64) results.Setup {
		return results.Setup{Plugin: plugin, Topology: results.On("l2"), Deployment: deployment, NetworkReadyMS: ready, CNIAddMS: adds, AgentRSSBytes: memory, Agents: len(adds)}
	}
	for _, c := range []struct {
		name   string
		setups []results.Setup
		want   []model.Setup
	}{
		{"one deployment", []results.Setup{setup("a", 0, 200, 7, 10, 14)},
			[]model.Setup{{Plugin: "a", NetworkReadyMS: 200, CNIAddMS: 12, CNIAdds: []float64{10, 14}, AgentRSSBytes: 7, Agents: 2}}},
		{"three deployments", []results.Setup{setup("a", 0, 900, 7, 10, 40), setup("a", 1, 200, 9, 11, 20), setup("a", 2, 300, 8, 60, 21)},
			[]model.Setup{{Plugin: "a", NetworkReadyMS: 300, CNIAddMS: 16, CNIAdds: []float64{11, 21}, AgentRSSBytes: 8, Agents: 2}}},
		{"two networks, one without agents", []results.Setup{setup("host", 0, 2, 0), setup("a", 0, 200, 7, 10), setup("host", 1, 4, 0), setup("a", 1, 300, 9, 20)},
			[]model.Setup{{Plugin: "host", NetworkReadyMS: 3, CNIAdds: []float64{}}, {Plugin: "a", NetworkReadyMS: 250, CNIAddMS: 15, CNIAdds: []float64{15}, AgentRSSBytes: 8, Agents: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := &results.Recorded{}
			for _, s := range c.setups {
				recorded.Records = append(recorded.Records, results.Record{Setup: &s})
			}
			for i := range c.want {
				c.want[i].Topology = results.On("l2")
			}
			if got := New(recorded, catalogue.All()).Report.Setup; !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
