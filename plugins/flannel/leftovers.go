package flannel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// ConfFile is the CNI configuration that flannel leaves in a node's directory.
	ConfFile = "10-flannel.conflist"
	// confName is the name of the network in it, under which host-local keeps its
	// reservations.
	confName = "cbr0"
	// chainPrefix begins the names of flannel's chains (pkg/trafficmngr/iptables of
	// v0.28.10).
	chainPrefix = "FLANNEL-"
)

// links lists the devices that flannel's modes and the bridge plugin create.
var links = []string{"cni0", "flannel.1", "flannel0", "flannel.ipip", "flannel-wg"}

// Folders are the node's directories in which flannel leaves files, with the paths
// that the caller sees.
type Folders struct {
	Run  string // the node's /run
	Conf string // the node's /etc/cni/net.d
	Data string // the node's /var/lib/cni
}

// Remove removes what flannel leaves on a node after its agent has ended: the
// devices, the routes to other nodes' pods, the iptables chains and the jumps to
// them, and the files. It works on the network namespace in which it runs. A missing
// object is not an error. If an object cannot be removed, the others still are.
func Remove(ctx context.Context, at Folders) error {
	var errs []error
	if text, err := os.ReadFile(filepath.Join(at.Run, "flannel", filepath.Base(SubnetFile))); err == nil {
		l, err := parseLease(string(text))
		if err == nil {
			err = removeRoutes(l.network)
		}
		errs = append(errs, err)
	}
	errs = append(errs, removeLinks(), removeChains(ctx))
	for _, path := range []string{filepath.Join(at.Conf, ConfFile), filepath.Join(at.Run, "flannel"), filepath.Join(at.Data, "networks", confName)} {
		if err := os.RemoveAll(path); err != nil {
			errs = append(errs, fmt.Errorf("removing flannel's files: %w", err))
		}
	}
	return errors.Join(errs...)
}

// removeRoutes removes the routes to pods on other nodes.
func removeRoutes(network netip.Prefix) error {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("listing routes: %w", err)
	}
	for _, r := range routes {
		if r.Dst == nil || r.Gw == nil {
			continue
		}
		to, _ := netip.AddrFromSlice(r.Dst.IP)
		if bits, _ := r.Dst.Mask.Size(); !network.Contains(to.Unmap()) || bits < network.Bits() {
			continue
		}
		if err := netlink.RouteDel(&r); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("removing the route to %s: %w", r.Dst, err)
		}
	}
	return nil
}

func removeLinks() error {
	var errs []error
	for _, name := range links {
		link, err := netlink.LinkByName(name)
		if err == nil {
			err = netlink.LinkDel(link)
		}
		var absent netlink.LinkNotFoundError
		if err != nil && !errors.As(err, &absent) {
			errs = append(errs, fmt.Errorf("removing the device %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// removeChains removes flannel's chains and the jumps to them.
func removeChains(ctx context.Context) error {
	var errs []error
	for _, program := range []string{"iptables", "ip6tables"} {
		if _, err := exec.LookPath(program); err != nil {
			if program == "iptables" {
				errs = append(errs, fmt.Errorf("removing flannel's chains: %w", err))
			}
			continue
		}
		for _, table := range []string{"filter", "nat"} {
			rules, err := iptables(ctx, program, "-t", table, "-S")
			for _, command := range removing(rules) {
				_, failed := iptables(ctx, program, append([]string{"-t", table}, command...)...)
				err = errors.Join(err, failed)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// removing turns a table's rules, as iptables -S prints them, into the commands that
// remove flannel's chains: first the jumps from other chains, then the rules in
// flannel's chains, then the chains themselves.
func removing(rules string) [][]string {
	var jumps, flushes, deletes [][]string
	for line := range strings.Lines(rules) {
		fields := argumentsOf(strings.TrimSpace(line))
		if len(fields) < 2 {
			continue
		}
		own := strings.HasPrefix(fields[1], chainPrefix)
		switch {
		case fields[0] == "-N" && own:
			flushes = append(flushes, []string{"-F", fields[1]})
			deletes = append(deletes, []string{"-X", fields[1]})
		case fields[0] == "-A" && !own && strings.HasPrefix(fields[len(fields)-1], chainPrefix):
			jumps = append(jumps, append([]string{"-D"}, fields[1:]...))
		}
	}
	return append(append(jumps, flushes...), deletes...)
}

// argumentsOf splits a rule into arguments. Comments of several words are in double
// quotes.
func argumentsOf(rule string) []string {
	var all []string
	for i, part := range strings.Split(rule, `"`) {
		if i%2 == 1 {
			all = append(all, part)
			continue
		}
		all = append(all, strings.Fields(part)...)
	}
	return all
}

func iptables(ctx context.Context, program string, args ...string) (string, error) {
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, program, append([]string{"-w"}, args...)...)
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(log.String()))
	}
	return string(out), nil
}
