package lab

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Program is a program that networks run, with its origin and how to get its
// version.
type Program struct {
	Name string
	// Package is the Debian package of a program from the distribution. It is empty
	// for programs that `make tools` builds into bin/.
	Package string
	Why     string   // what the program is for
	ask     []string // arguments that print the version; nil: read the Go build information
}

// Programs lists all programs that plugins use.
var Programs = []Program{
	{Name: "flanneld", Why: "flannel's agent", ask: []string{"-version"}},
	{Name: "calico-node", Why: "Calico's agents: start-up, Felix, confd", ask: []string{"-v"}},
	{Name: "calico", Why: "Calico's CNI plugin", ask: []string{"-v"}},
	{Name: "calico-ipam", Why: "Calico's address management", ask: []string{"-v"}},
	{Name: "etcd", Why: "the datastore of flannel and Calico"},
	{Name: "bridge", Why: "reference CNI plugin, flannel's delegate"},
	{Name: "host-local", Why: "reference CNI plugin, addresses from a node's subnet"},
	{Name: "ptp", Why: "reference CNI plugin, pods behind a veth of the node"},
	{Name: "host-device", Why: "reference CNI plugin, an interface of the node moved into a pod"},
	{Name: "bird", Package: "bird2", Why: "the BGP daemon of calico-bgp", ask: []string{"--version"}},
	{Name: "ovsdb-server", Package: "openvswitch-switch", Why: "the database of Open vSwitch, the switch of cce-tunnel", ask: []string{"--version"}},
	{Name: "ovs-vswitchd", Package: "openvswitch-switch", Why: "the daemon of Open vSwitch", ask: []string{"--version"}},
	{Name: "ovs-vsctl", Package: "openvswitch-switch", Why: "configures Open vSwitch", ask: []string{"--version"}},
	{Name: "ovs-ofctl", Package: "openvswitch-switch", Why: "adds flows to Open vSwitch", ask: []string{"--version"}},
	{Name: "iptables", Package: "iptables", Why: "flanneld and Felix set their rules with it", ask: []string{"--version"}},
	{Name: "ipset", Package: "ipset", Why: "Felix keeps its policies' addresses in sets", ask: []string{"--version"}},
}

// FindProgram returns the entry of that name.
func FindProgram(name string) (Program, bool) {
	for _, p := range Programs {
		if p.Name == name {
			return p, true
		}
	}
	return Program{}, false
}

// Path finds the program: in bin if `make tools` builds it, otherwise in the
// system's directories. The error says how to get it.
func (p Program) Path(bin string) (string, error) {
	if p.Package == "" {
		path := filepath.Join(bin, p.Name)
		if st, err := os.Stat(path); err != nil || st.IsDir() || st.Mode()&0o111 == 0 {
			return "", fmt.Errorf("%s (%s) is not in %s: make tools builds it", p.Name, p.Why, bin)
		}
		return path, nil
	}
	for _, dir := range filepath.SplitList(searchPath[len("PATH="):]) {
		path := filepath.Join(dir, p.Name)
		if st, err := os.Stat(path); err == nil && !st.IsDir() && st.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s (%s) is not installed: sudo apt-get install %s", p.Name, p.Why, p.Package)
}

// versionPattern matches a version in the output of programs, such as
// "BIRD version 2.0.12", "iptables v1.8.9 (nf_tables)" or "v3.28.5".
var versionPattern = regexp.MustCompile(`v?[0-9]+\.[0-9]+[0-9A-Za-z.+-]*`)

// Version asks the program at path for its version.
func (p Program) Version(ctx context.Context, path string) (string, error) {
	if p.ask == nil {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("reading the build information of %s: %w", p.Name, err)
		}
		return info.Main.Version, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, p.ask...)
	cmd.Env = []string{searchPath}
	cmd.WaitDelay = time.Second // a child that outlives the program may hold its output open
	out, err := cmd.CombinedOutput()
	version := versionPattern.FindString(string(out))
	if version == "" {
		return "", errors.Join(fmt.Errorf("%s printed no version: %q", p.Name, firstLine(out)), err)
	}
	return version, nil
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// Versions returns the versions of all installed programs by name. A version that
// cannot be read is "unknown".
func Versions(ctx context.Context, bin string) map[string]string {
	var mu sync.Mutex
	var wg sync.WaitGroup
	versions := map[string]string{}
	for _, p := range Programs {
		wg.Go(func() {
			path, err := p.Path(bin)
			if err != nil {
				return
			}
			v, err := p.Version(ctx, path)
			if err != nil {
				v = "unknown"
			}
			mu.Lock()
			defer mu.Unlock()
			versions[p.Name] = v
		})
	}
	wg.Wait()
	return versions
}
