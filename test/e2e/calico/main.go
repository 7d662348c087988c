// Command calico stands for two programs of Calico's images that are not built from
// its module: the installer of the CNI plugin (cni-plugin/pkg/install of v3.28.5) if
// its name is install, and start_runit of calico/node (node/filesystem), which starts
// the agents and restarts those that end.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	run := startAgents
	if filepath.Base(os.Args[0]) == "install" {
		run = installPlugin
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

const (
	binFolder  = "/host/opt/cni/bin"
	confFolder = "/host/etc/cni/net.d"
	account    = "/var/run/secrets/kubernetes.io/serviceaccount/"
)

// installPlugin copies the CNI plugins to the node and writes their configuration.
// Calico's installer gets a token for the CNI plugin; here calico-node -monitor-token
// does so a moment later, and until then the plugin has the agent's.
func installPlugin() error {
	plugins, err := filepath.Glob("/opt/cni/bin/calico*")
	if err != nil {
		return err
	}
	for _, path := range plugins {
		if err := copyFile(path, filepath.Join(binFolder, filepath.Base(path))); err != nil {
			return err
		}
	}
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return err
	}
	kubeconfig := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "c",
"clusters": [{"name": "c", "cluster": {"server": "https://%s:%s", "certificate-authority-data": %q}}],
"users": [{"name": "c", "user": {"token": %q}}], "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}]}`,
		os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"), base64.StdEncoding.EncodeToString(ca), token)
	if err := os.WriteFile(confFolder+"/calico-kubeconfig", []byte(kubeconfig), 0o600); err != nil {
		return err
	}
	conf := strings.NewReplacer("__KUBERNETES_NODE_NAME__", os.Getenv("KUBERNETES_NODE_NAME"), "__CNI_MTU__", os.Getenv("CNI_MTU"),
		"__KUBECONFIG_FILEPATH__", "/etc/cni/net.d/calico-kubeconfig").Replace(os.Getenv("CNI_NETWORK_CONFIG"))
	return os.WriteFile(filepath.Join(confFolder, os.Getenv("CNI_CONF_NAME")), []byte(conf), 0o644)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// startAgents does what rc.local and the services of calico/node do.
func startAgents() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	for _, args := range [][]string{{"-startup"}, {"-allocate-tunnel-addrs", "-allocate-tunnel-addrs-run-once"}} {
		if err := command(ctx, "/bin/calico-node", args...).Run(); err != nil {
			return fmt.Errorf("calico-node %s: %w", args[0], err)
		}
	}
	os.Setenv("CALICO_IPV4POOL_IPIP", "Never") // for the template of BIRD's configuration, which is the lab's
	os.Setenv("FELIX_FELIXHOSTNAME", os.Getenv("NODENAME"))
	os.Setenv("FELIX_DATASTORETYPE", os.Getenv("DATASTORE_TYPE"))
	var services sync.WaitGroup
	service := func(name string, args ...string) { services.Go(func() { keepRunning(ctx, name, args...) }) }
	service("/bin/calico-node", "-felix")
	service("/bin/calico-node", "-monitor-token")
	service("/bin/calico-node", "-allocate-tunnel-addrs")
	if os.Getenv("CALICO_NETWORKING_BACKEND") == "bird" {
		service("/bin/calico-node", "-confd", "-confd-confdir", "/etc/calico/confd")
		services.Go(func() { runBIRD(ctx) })
		services.Go(func() { answerAsBIRD1(ctx) })
	}
	services.Wait()
	return nil
}

func keepRunning(ctx context.Context, name string, args ...string) {
	for ctx.Err() == nil {
		err := command(ctx, name, args...).Run()
		log.Printf("%s %s ended: %v", name, strings.Join(args, " "), err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}
