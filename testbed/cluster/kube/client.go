// Package kube connects to a Kubernetes cluster. It finds credentials, checks
// permissions, manages the namespace of a run, and waits for the cluster to act.
// It knows nothing about plugins or measurements.
package kube

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // auth-provider of kubeconfig files: oidc
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/cnibench/cnibench/results"
)

// Client is a connection to a cluster.
type Client struct {
	API
	// Dynamic serves objects of any kind: those that plugins define, and those in
	// manifests.
	Dynamic dynamic.Interface
	// Config holds the address and the credentials.
	Config *rest.Config
}

// Connect connects to the cluster of a context. It looks for credentials as
// kubectl does: in the named file, then in KUBECONFIG and ~/.kube/config, then in
// the pod that this program runs in.
func Connect(kubeconfig, context string) (*Client, error) {
	config, err := credentials(kubeconfig, context)
	if err != nil {
		return nil, err
	}
	groups, err := connectAPI(config)
	if err != nil {
		return nil, err
	}
	any, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("creating a client for the cluster: %w", err)
	}
	return &Client{groups, any, config}, nil
}

func credentials(kubeconfig, context string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: context}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster's credentials (--kubeconfig, --context, KUBECONFIG): %w", err)
	}
	config.UserAgent = "cnibench"
	config.QPS, config.Burst = 20, 40 // a run makes few requests, most of them when it starts
	return config, nil
}

// Container is the name of the container of the run's pods in which programs run.
// Others may add containers, so that the API server would not know which is meant.
const Container = "cnibench"

// Exec prepares to run a command in a pod's [Container]. It connects by WebSocket, or by SPDY if
// the API server or a proxy in front of it does not accept WebSockets.
func (c *Client) Exec(namespace, pod string, stdin bool, command ...string) (remotecommand.Executor, error) {
	at := c.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
		VersionedParams(&core.PodExecOptions{Container: Container, Command: command, Stdin: stdin, Stdout: true, Stderr: true}, scheme.ParameterCodec).URL()
	websocket, err := remotecommand.NewWebSocketExecutor(c.Config, "GET", at.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(c.Config, "POST", (*url.URL)(at))
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(websocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}

// maxOutput bounds what a command in a pod may print, in bytes.
const maxOutput = 1 << 20

// bounded is a buffer that takes at most maxOutput bytes.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("it prints more than %d bytes", maxOutput)
	}
	return b.Buffer.Write(p)
}

// Output runs a command in a pod and returns what it prints.
func (c *Client) Output(ctx context.Context, namespace, pod string, command ...string) (string, error) {
	e, err := c.Exec(namespace, pod, false, command...)
	var out, log bounded
	if err == nil {
		err = e.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &log})
	}
	if err != nil {
		return "", fmt.Errorf("running %s in the pod %s: %w: %s", strings.Join(command, " "), pod, err, results.Printable(log.String()))
	}
	return out.String(), nil
}
