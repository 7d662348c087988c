package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/invoke"
	"github.com/containernetworking/cni/pkg/types"
	types100 "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/version"

	"github.com/cnibench/cnibench/plugins"
)

// podIfName is the interface that plugins create in a pod, with the name that every
// container runtime asks for.
const podIfName = "eth0"

// cniCache is where libcni keeps the results of ADDs, in the node's private
// /var/lib.
const cniCache = "/var/lib/cni"

// cniAdd connects the pod through the node's CNI plugins and returns how long
// that took.
func (p *pod) cniAdd(ctx context.Context, d *plugins.Deployment) (took time.Duration, err error) {
	if p.list, err = d.ConfList(p.node); err != nil {
		return 0, err
	}
	err = p.inCNI(func(cni *libcni.CNIConfig, list *libcni.NetworkConfigList, rt *libcni.RuntimeConf) error {
		start := time.Now()
		added, err := cni.AddNetworkList(ctx, list, rt)
		took = time.Since(start)
		if err != nil {
			return err
		}
		result, err := types100.GetResult(added)
		if err != nil {
			return err
		}
		if len(result.IPs) == 0 {
			return fmt.Errorf("the plugin assigned no address to the pod")
		}
		addr, ok := netip.AddrFromSlice(result.IPs[0].Address.IP)
		if !ok {
			return fmt.Errorf("the plugin assigned the invalid address %q to the pod", result.IPs[0].Address.IP)
		}
		p.addr = addr.Unmap()
		return nil
	})
	if err != nil {
		return took, fmt.Errorf("adding pod %s on %s: %w", p.id, p.node.name, err)
	}
	return took, nil
}

// cniDel removes the pod through the node's CNI plugins.
func (p *pod) cniDel(ctx context.Context, d *plugins.Deployment) error {
	err := p.inCNI(func(cni *libcni.CNIConfig, list *libcni.NetworkConfigList, rt *libcni.RuntimeConf) error {
		return cni.DelNetworkList(ctx, list, rt)
	})
	if err != nil {
		return fmt.Errorf("removing pod %s on %s: %w", p.id, p.node.name, err)
	}
	if d.Release == nil {
		return nil
	}
	return d.Release(p.node, p.list)
}

// inCNI calls f inside the node, so that the plugins run there, and logs their
// standard error.
func (p *pod) inCNI(f func(*libcni.CNIConfig, *libcni.NetworkConfigList, *libcni.RuntimeConf) error) error {
	conf, err := libcni.ConfListFromBytes(p.list)
	if err != nil {
		return fmt.Errorf("reading the CNI configuration: %w", err)
	}
	log, err := p.node.openLog("cni")
	if err != nil {
		return err
	}
	defer log.Close()
	return p.node.Do(func() error {
		exec := &pluginExec{RawExec: &invoke.RawExec{}, log: log}
		cni := libcni.NewCNIConfigWithCacheDir([]string{binDir}, cniCache, exec)
		return f(cni, conf, &libcni.RuntimeConf{ContainerID: p.id, NetNS: p.path(), IfName: podIfName})
	})
}

// pluginExec runs CNI plugins. libcni's own RawExec waits for every process that
// a plugin leaves behind with its output open, even after the context has ended.
type pluginExec struct {
	*invoke.RawExec // finds plugins
	version.PluginDecoder
	log io.Writer // of their standard error
}

// pluginLinger is how long the output of a plugin may stay open after the plugin
// has ended or was killed.
const pluginLinger = time.Second

// ExecPlugin runs a plugin to its end. A plugin that fails reports the error as
// JSON on standard output (CNI specification 1.0, section 5, Error).
func (e *pluginExec) ExecPlugin(ctx context.Context, path string, stdin []byte, environ []string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = environ, bytes.NewReader(stdin), &stdout, io.MultiWriter(&stderr, e.log)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = pluginLinger
	err := cmd.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		return stdout.Bytes(), nil // the plugin has ended; only a child that it left has not
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the CNI plugin %s was killed: %w", filepath.Base(path), context.Cause(ctx))
	}
	var said types.Error
	if json.Unmarshal(stdout.Bytes(), &said) == nil && said.Msg != "" {
		return nil, &said
	}
	return nil, fmt.Errorf("the CNI plugin %s: %w: %q", filepath.Base(path), err, bytes.TrimSpace(append(stderr.Bytes(), stdout.Bytes()...)))
}

// cniEnvironment sets up the environment of CNI plugins, which inherit that of this
// process. Some of them call iptables by name.
func cniEnvironment() {
	for _, kv := range os.Environ() {
		for i := range kv {
			if kv[i] == '=' {
				switch name := kv[:i]; name {
				case "TERM", "NO_COLOR", "LANG", "GOCOVERDIR":
				default:
					os.Unsetenv(name)
				}
				break
			}
		}
	}
	os.Setenv("PATH", searchPath[len("PATH="):])
	os.Setenv("HOME", "/tmp")
}
