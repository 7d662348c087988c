// Command ptp is a network plugin for the tests' cluster: on each node it writes a CNI
// configuration for the reference plugins ptp and host-local, and a route to the pods
// of each other node. It stands for plugins that the catalogue does not have. When it
// ends it removes the configuration and leaves the routes, as some plugins do.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/vishvananda/netlink"
)

const (
	conf    = "/etc/cni/net.d/05-ptp.conflist"
	account = "/var/run/secrets/kubernetes.io/serviceaccount/"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 {
		log.Fatal(os.Args[1]) // for tests of what a plugin that does not start says
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// nodes is the part of a list of nodes that is read here.
type nodes struct {
	Items []struct {
		Metadata struct{ Name string }
		Spec     struct{ PodCIDR string }
		Status   struct {
			Addresses []struct{ Type, Address string }
		}
	}
}

func run(ctx context.Context) error {
	all, err := listNodes(ctx)
	if err != nil {
		return err
	}
	own := ""
	for _, n := range all.Items {
		if n.Metadata.Name == os.Getenv("NODE") {
			own = n.Spec.PodCIDR
			continue
		}
		if err := route(n.Spec.PodCIDR, n.Status.Addresses[0].Address); err != nil {
			return err
		}
	}
	list := fmt.Sprintf(`{"cniVersion": "1.0.0", "name": "mine", "plugins": [{"type": "ptp", "mtu": 1500,
"ipam": {"type": "host-local", "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}`, own)
	if err := os.WriteFile(conf, []byte(list), 0o644); err != nil {
		return err
	}
	<-ctx.Done()
	return os.Remove(conf)
}

func route(to, via string) error {
	_, network, err := net.ParseCIDR(to)
	if err != nil {
		return err
	}
	return netlink.RouteReplace(&netlink.Route{Dst: network, Gw: net.ParseIP(via)})
}

// listNodes asks the API server, as a pod may.
func listNodes(ctx context.Context) (all nodes, err error) {
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return all, err
	}
	ca, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return all, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))+"/api/v1/nodes", nil)
	if err != nil {
		return all, err
	}
	r.Header.Set("Authorization", "Bearer "+string(token))
	answer, err := client.Do(r)
	if err != nil {
		return all, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return all, fmt.Errorf("listing nodes: %s", answer.Status)
	}
	return all, json.NewDecoder(answer.Body).Decode(&all)
}
