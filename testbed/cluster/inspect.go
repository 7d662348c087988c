package cluster

import (
	"context"
	"errors"

	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// Inspection is what can be said of a cluster without changing anything in it.
type Inspection struct {
	Server     string // address of the API server
	Kubernetes string // its version; "" if it is unknown
	KubeProxy  string // its mode, or the plugin that replaces it; "" if unknown
	Roles      []kube.Role
	Fit        []string   // the nodes that can be measured
	Others     words.Text // the other nodes, each with the reason
	Found      detect.Found
	// NoNodes says why the nodes cannot be listed; then nothing is known of the nodes
	// and the plugin.
	NoNodes error
}

// ErrNoAnswer says that the API server cannot be asked anything.
var ErrNoAnswer = errors.New("the API server does not answer")

// Inspect connects to a cluster and looks at what the user may do and read there. The
// error says why the cluster cannot be asked.
func Inspect(ctx context.Context, config Config) (*Inspection, error) {
	client, err := kube.Connect(config.Kubeconfig, config.Context)
	if err != nil {
		return nil, err
	}
	c := newCluster(client, config)
	i := &Inspection{Server: client.Config.Host}
	if i.Roles, err = client.Roles(ctx, config.Namespace); err != nil {
		return i, errors.Join(ErrNoAnswer, err)
	}
	of := detect.Cluster(ctx, client, config.Context)
	i.Kubernetes, i.KubeProxy = of.Kubernetes, of.KubeProxy
	nodes, err := client.Nodes(ctx)
	if err != nil {
		i.NoNodes = err
		return i, nil
	}
	fit, others := config.fit(nodes)
	for _, n := range fit {
		i.Fit = append(i.Fit, n.Name)
	}
	i.Others = leftOutText(others)
	i.Found = c.detect(ctx, nodes)
	if i.Found.Proxy != "" {
		i.KubeProxy = i.Found.Proxy
	}
	return i, nil
}
