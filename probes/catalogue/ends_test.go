package catalogue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/results"
)

// place is a thread in a network namespace of its own.
type place struct{ calls chan func() }

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{calls: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked, so the thread ends with the goroutine
		made <- unix.Unshare(unix.CLONE_NEWNET)
		for f := range p.calls {
			f()
		}
	}()
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(p.calls) })
	return p
}

// do calls f in the namespace.
func (p *place) do(f func() error) error {
	done := make(chan error)
	p.calls <- func() { done <- f() }
	return <-done
}

// bed is two places that are joined by a link, with a worker in each.
type bed struct {
	places  [2]*place
	ends    [2]probes.End
	workers [2]*exec.Cmd
}

const bedNIC = "eth0"

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{places: [2]*place{newPlace(t), newPlace(t)}}
	var other *os.File
	err := b.places[1].do(func() (err error) {
		other, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = b.places[0].do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = bedNIC
		return netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: bedNIC, PeerNamespace: netlink.NsFd(other.Fd())})
	})
	for i, p := range b.places {
		addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})
		err = errors.Join(err, p.do(func() error {
			for _, name := range []string{"lo", bedNIC} {
				link, err := netlink.LinkByName(name)
				if err != nil {
					return err
				}
				if name == bedNIC {
					err = netlink.AddrAdd(link, &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(24, 32)}})
				}
				if err := errors.Join(err, netlink.LinkSetUp(link)); err != nil {
					return err
				}
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		w, cmd := probestest.ProcessIn(t, p.do)
		b.workers[i] = cmd
		b.ends[i] = probes.End{Worker: w, Node: w, Addr: addr, NodeAddr: addr, Subnet: netip.PrefixFrom(addr, 24).Masked(), NIC: bedNIC, NodeName: "n" + strconv.Itoa(i+1), CPU: -1}
	}
	return b
}

// onNIC changes the NIC of a place.
func (b *bed) onNIC(place int, change func(netlink.Link) error) error {
	return b.places[place].do(func() error {
		link, err := netlink.LinkByName(bedNIC)
		if err != nil {
			return err
		}
		return change(link)
	})
}

// strange maps the server's address to a MAC that no NIC has: what the client sends
// there vanishes silently.
func strange(link netlink.Link) *netlink.Neigh {
	return &netlink.Neigh{LinkIndex: link.Attrs().Index, IP: net.IPv4(10, 0, 0, 2), State: netlink.NUD_PERMANENT,
		HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 99}}
}

// fault is a fault at the server's end, with functions to cause and to repair it.
type fault struct {
	name        string
	begin, heal func(b *bed) error
	freezes     bool // whether it stops the server's worker
}

var faults = []fault{
	{name: "the peer's link goes down",
		begin: func(b *bed) error { return b.onNIC(1, netlink.LinkSetDown) },
		heal:  func(b *bed) error { return b.onNIC(1, netlink.LinkSetUp) }},
	{name: "the peer freezes", freezes: true,
		begin: func(b *bed) error { return b.workers[1].Process.Signal(syscall.SIGSTOP) },
		heal:  func(b *bed) error { return b.workers[1].Process.Signal(syscall.SIGCONT) }},
	{name: "packets to the peer vanish",
		begin: func(b *bed) error {
			return b.onNIC(0, func(l netlink.Link) error { return netlink.NeighSet(strange(l)) })
		},
		heal: func(b *bed) error {
			return b.onNIC(0, func(l netlink.Link) error { return netlink.NeighDel(strange(l)) })
		}},
}

// A sample of a dead path may name these causes.
const (
	limitPassed = `time limit of \S+ passed`
	refused     = `no route to host|network is (down|unreachable)`
	noDNS       = `resolv\.conf`
	noneArrived = `\b0 of \d+ datagrams arrived|no datagram (arrived|passes)|arrived: false`
)

// fates returns the expected outcome of a probe for each fault, in the order of
// faults.
func fates(probe string) [3]string {
	dead := limitPassed + "|" + refused
	switch probe {
	case "udp-pps":
		return [3]string{dead + "|" + noneArrived, limitPassed, limitPassed + "|" + noneArrived}
	case "adjacency": // ARP and raw frames are not affected by the strange neighbour entry
		return [3]string{dead + "|no buffer space available", limitPassed, "neighbour: true"}
	case "reach", "policy", "path":
		return [3]string{dead + "|" + noneArrived, limitPassed, limitPassed + "|" + noneArrived}
	case "survey": // a closed path is a result; a worker that does not answer is its node's problem
		return [3]string{dead + "|answered: 0 of 20, refused: \"(" + refused + ")|answered: 0 of 20", limitPassed, "answered: 0 of 20|" + limitPassed}
	case "dns": // it does not come as far as the path
		return [3]string{noDNS, noDNS, noDNS}
	case "cni-time":
		return [3]string{limitPassed, limitPassed, limitPassed}
	case "mtu":
		return [3]string{dead + "|not even packets of 68 bytes pass", limitPassed, limitPassed}
	}
	return [3]string{dead, limitPassed, limitPassed}
}

// outcome returns what a probe reported about the path.
func outcome(m *probes.Measurement, err error) string {
	if err != nil {
		return err.Error()
	}
	var parts []string
	for _, r := range m.Reachability {
		parts = append(parts, r.Cause.String())
	}
	for _, a := range m.Adjacency {
		parts = append(parts, fmt.Sprintf("neighbour: %v", a.Neighbour))
	}
	if m.Survey != nil {
		for _, p := range m.Survey.Pairs {
			parts = append(parts, fmt.Sprintf("answered: %d of %d, refused: %q, problem: %q", p.Answered, p.Sent, p.Refused, p.Problem))
		}
	}
	if m.Hops != nil {
		parts = append(parts, fmt.Sprintf("arrived: %v", m.Hops.Arrived))
	}
	return fmt.Sprintf("%v %s", m.Values, strings.Join(parts, "; "))
}

// TestEveryRoleEnds takes a sample of every probe on a path that is dead or dies in
// mid-sample. The sample must end within its limit and name the cause. Afterwards
// both workers must answer, have no thread left in a call on a socket, and exit
// cleanly.
func TestEveryRoleEnds(t *testing.T) {
	if os.Geteuid() != 0 {
		asRoot(t)
		return
	}
	var all []string
	for _, p := range All() {
		all = append(all, p.Name)
	}
	loops := []string{"tcp-stream:streams=2", "tcp-stream:both:zerocopy", "tcp-rr", "tcp-rr:busy", "tcp-rr:rate=3", "udp-rr", "udp-rr:busy", "udp-rr:rate=3", "tcp-crr", "udp-pps", "load-latency"}
	for i, f := range faults {
		for _, stage := range []struct {
			name  string
			specs []string
			after time.Duration // after the samples began
		}{{"before", all, 0}, {"in mid-sample", loops, 400 * time.Millisecond}} {
			t.Run(f.name+" "+stage.name, func(t *testing.T) {
				t.Parallel()
				b := newBed(t)
				ctx, end := context.WithCancelCause(t.Context())
				defer end(nil)
				begin := func() {
					if err := f.begin(b); err != nil {
						t.Error(err)
					}
					time.AfterFunc(sampleLimit, func() { end(fmt.Errorf("time limit of %s passed", sampleLimit)) })
				}
				duration := time.Second
				if stage.after == 0 {
					begin()
				} else {
					// On a busy machine the fault may come late; the samples must not be
					// over by then.
					duration = 6 * time.Second
					time.AfterFunc(stage.after, begin)
				}
				var samples sync.WaitGroup
				for _, spec := range stage.specs {
					samples.Go(func() {
						name, _, _ := strings.Cut(spec, ":")
						if got, want := b.sample(ctx, t, spec, duration), fates(name)[i]; !regexp.MustCompile(want).MatchString(got) {
							t.Errorf("%s: %q, want %q", spec, got, want)
						}
					})
				}
				samples.Wait()
				// Nothing may still be waiting for the path to recover.
				for place := range b.ends {
					if place == 0 || !f.freezes {
						b.quiet(t, place)
					}
				}
				if err := f.heal(b); err != nil {
					t.Fatal(err)
				}
				b.inOrder(t)
			})
		}
	}
}

// sampleLimit is how long after its fault a sample may last.
const sampleLimit = 4 * time.Second

// sample takes a sample and returns its outcome.
func (b *bed) sample(ctx context.Context, t *testing.T, spec string, duration time.Duration) string {
	p, params, err := Parse(spec)
	if err != nil {
		t.Error(err)
		return ""
	}
	s := &probes.Site{Duration: duration, Client: b.ends[0], Server: b.ends[1], Params: params}
	s.Around = func(context.Context) (*probes.Surroundings, error) {
		return &probes.Surroundings{Nodes: b.ends[:], Outside: b.ends[1], Deny: func(context.Context, results.PolicyDirection, probes.End, probes.End) (probes.Lift, error) {
			return nil, probes.ErrNoPolicy
		}}, nil
	}
	through := &probes.Service{Addr: netip.AddrPortFrom(b.ends[1].Addr, 20049), NodePort: 20049, Port: 20049}
	s.Mesh = func(context.Context) ([]probes.Member, func(), error) {
		return []probes.Member{{End: b.ends[0]}, {End: b.ends[1]}}, func() {}, nil
	}
	s.Service = func(context.Context, probes.ServiceKind) (*probes.Service, error) { return through, nil }
	s.AddPods = func(ctx context.Context, _ int) ([]probes.PodTimes, error) {
		<-ctx.Done() // as in a testbed whose plugin does not answer
		return nil, context.Cause(ctx)
	}
	return outcome(p.Measure(ctx, s))
}

// quiet checks that a worker answers and that none of its threads is left in a call
// on a socket.
func (b *bed) quiet(t *testing.T, place int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := b.ends[place].Worker.Answers(ctx); err != nil {
		t.Errorf("%s is unusable afterwards: %v", b.ends[place].NodeName, err)
	}
	pid := b.workers[place].Process.Pid
	settled(t, "threads of "+b.ends[place].NodeName+" in calls on sockets", 0, func() int { return inSocketCalls(t, pid) })
}

// inOrder checks that both workers are quiet and exit cleanly.
func (b *bed) inOrder(t *testing.T) {
	t.Helper()
	for i, e := range b.ends {
		b.quiet(t, i)
		e.Worker.Close()
		if err := b.workers[i].Wait(); err != nil {
			t.Errorf("%s did not exit cleanly: %v", e.NodeName, err)
		}
	}
}

// inSocketCalls counts a process's threads that are in a system call on a
// socket (proc_pid_syscall(5)).
func inSocketCalls(t *testing.T, pid int) int {
	t.Helper()
	calls := []int{unix.SYS_CONNECT, unix.SYS_ACCEPT4, unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMMSG, unix.SYS_RECVMMSG, unix.SYS_PPOLL}
	tasks, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "syscall"))
	if err != nil {
		t.Fatal(err)
	}
	n, seen := 0, 0
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		seen++
		number, _, _ := strings.Cut(string(text), " ")
		if call, err := strconv.Atoi(number); err == nil && slices.Contains(calls, call) {
			n++
		}
	}
	if seen == 0 {
		t.Fatal("no thread of the worker can be inspected")
	}
	return n
}

// asRoot runs the test again as root of a user namespace, which may create network
// namespaces.
func asRoot(t *testing.T) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
