package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes/hot"
)

const (
	// firstPort is the port of the first pair. Each pair uses the next port, because the
	// connections of the last pair keep its address for a minute (TIME-WAIT, RFC 9293).
	firstPort = 5201
	// listenWithin is the time limit for the start of a peer's server.
	listenWithin = 5 * time.Second
)

// pair runs a peer's server and client in the two pods, each on its CPU, and
// returns what the client printed.
func (b *bench) pair(ctx context.Context, p path, port string, server, client []string) ([]byte, error) {
	var out, log bytes.Buffer
	srv := b.command(ctx, p.server.CPU, server)
	srv.Stderr, srv.Stdout = &log, &log
	if err := b.lab.StartIn(b.networks[p.network], 1, srv); err != nil {
		return nil, fmt.Errorf("starting %s: %w", server[0], err)
	}
	err := listens(srv.Process.Pid, port)
	if err != nil {
		srv.Process.Kill()
		srv.Wait()
		return nil, fmt.Errorf("%v: %w: %s", server, err, &log)
	}
	defer func() {
		srv.Process.Kill()
		srv.Wait()
	}()
	var problem bytes.Buffer
	cli := b.command(ctx, p.client.CPU, client)
	cli.Stdout, cli.Stderr = &out, &problem
	err = b.lab.StartIn(b.networks[p.network], 0, cli)
	if err == nil {
		err = cli.Wait()
	}
	if err != nil {
		return nil, fmt.Errorf("%v: %w: %s%s", client, err, &out, &problem)
	}
	return out.Bytes(), nil
}

// listens waits until a socket in a process's network namespace is bound to the peers' port
// (proc_pid_net(5)). A trial connection would be mistaken for the client.
func listens(pid int, port string) error {
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	// The states are LISTEN (0A) for TCP and unconnected (07) for UDP.
	bound := regexp.MustCompile(fmt.Sprintf(`: [0-9A-F]+:%04X 0+:0000 0[A7] `, number))
	for begin := time.Now(); time.Since(begin) < listenWithin; time.Sleep(5 * time.Millisecond) {
		for _, kind := range []string{"tcp", "udp"} {
			sockets, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, kind))
			if err != nil {
				return err
			}
			if bound.Match(sockets) {
				return nil
			}
		}
	}
	return fmt.Errorf("nothing listened within %s", listenWithin)
}

// port returns a port that no pair has used.
func (b *bench) port() string {
	b.used++
	return strconv.Itoa(firstPort + b.used)
}

func (b *bench) command(ctx context.Context, cpu int, args []string) *exec.Cmd {
	if cpu >= 0 {
		args = append([]string{"taskset", "-c", strconv.Itoa(cpu)}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "TMPDIR="+b.scratch) // iperf3 maps its send buffer from a file
	return cmd
}

// iperf runs iperf3 and returns the end of its JSON report. The figures exclude the first second,
// as ours exclude the warm-up.
func (b *bench) iperf(ctx context.Context, p path, args ...string) (*iperfEnd, error) {
	addr, port := p.server.Addr.String(), b.port()
	out, err := b.pair(ctx, p, port, []string{"iperf3", "-s", "-1", "-p", port, "-B", addr},
		append([]string{"iperf3", "-c", addr, "-p", port, "-J", "-O", "1", "-t", strconv.Itoa(int(sampleLength.Seconds()))}, args...))
	if err != nil {
		return nil, err
	}
	var report struct {
		End   iperfEnd `json:"end"`
		Error string   `json:"error"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, fmt.Errorf("reading iperf3's report: %w", err)
	}
	if report.Error != "" {
		return nil, fmt.Errorf("iperf3: %s", report.Error)
	}
	return &report.End, nil
}

type iperfEnd struct {
	Received struct {
		BitsPerSecond float64 `json:"bits_per_second"`
	} `json:"sum_received"`
	Sum struct {
		Seconds float64 `json:"seconds"`
		Packets float64 `json:"packets"`
		Lost    float64 `json:"lost_packets"`
	} `json:"sum"`
}

func (b *bench) iperfTCP(ctx context.Context, p path) (float64, error) {
	end, err := b.iperf(ctx, p, "-C", hot.CongestionControl)
	if err != nil {
		return 0, err
	}
	return end.Received.BitsPerSecond, nil
}

func (b *bench) iperfUDP(ctx context.Context, p path) (float64, error) {
	end, err := b.iperf(ctx, p, "-u", "-b", "0", "-l", "64")
	if err != nil {
		return 0, err
	}
	return (end.Sum.Packets - end.Sum.Lost) / end.Sum.Seconds, nil
}

var sockperfMedian = regexp.MustCompile(`percentile 50\.0+ *= *([0-9.]+)`)

// sockperf runs sockperf's ping-pong and returns the median round-trip time in seconds. sockperf
// prints half of it in µs.
func (b *bench) sockperf(ctx context.Context, p path, args ...string) (float64, error) {
	addr, port := p.server.Addr.String(), b.port()
	out, err := b.pair(ctx, p, port, append([]string{"sockperf", "server", "-i", addr, "-p", port}, args...),
		append([]string{"sockperf", "ping-pong", "-i", addr, "-p", port, "-m", "14", "-t", strconv.Itoa(int(sampleLength.Seconds()))}, args...))
	if err != nil {
		return 0, err
	}
	m := sockperfMedian.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("sockperf printed no median: %s", out)
	}
	half, err := strconv.ParseFloat(string(m[1]), 64)
	return 2 * half / 1e6, err
}

func (b *bench) sockperfTCP(ctx context.Context, p path) (float64, error) {
	return b.sockperf(ctx, p, "--tcp")
}

func (b *bench) sockperfUDP(ctx context.Context, p path) (float64, error) { return b.sockperf(ctx, p) }

// netConnCommand runs this program as one end of a round trip over Go's net package, written in
// the obvious way: the goroutine's thread is pinned like our probe's, the rest of the runtime is
// not. netConnWhole pins the whole process.
const netConnCommand = "net-conn"

func (b *bench) netConnRR(ctx context.Context, p path) (float64, error) {
	loose := p
	loose.client.CPU, loose.server.CPU = -1, -1
	return b.netConnPair(ctx, loose, p.client.CPU, p.server.CPU)
}

func (b *bench) netConnWhole(ctx context.Context, p path) (float64, error) {
	return b.netConnPair(ctx, p, -1, -1)
}

func (b *bench) netConnPair(ctx context.Context, p path, client, server int) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	port := b.port()
	addr := net.JoinHostPort(p.server.Addr.String(), port)
	out, err := b.pair(ctx, p, port,
		[]string{self, netConnCommand, "server", addr, strconv.Itoa(server)}, []string{self, netConnCommand, "client", addr, strconv.Itoa(client)})
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(bytes.TrimSpace(out)), 64)
}

// netConn runs either end; the client prints the median round-trip time in seconds.
func netConn(end, addr, cpu string) error {
	if n, err := strconv.Atoi(cpu); err != nil {
		return err
	} else if n >= 0 {
		var set unix.CPUSet
		set.Set(n)
		runtime.LockOSThread()
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			return err
		}
	}
	b := make([]byte, 14)
	if end == "server" {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		conn, err := l.Accept()
		for err == nil {
			if _, err = conn.Read(b); err == nil {
				_, err = conn.Write(b)
			}
		}
		return nil
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	var all []time.Duration
	for begin := time.Now(); time.Since(begin) < sampleLength; {
		start := time.Now()
		if _, err := conn.Write(b); err != nil {
			return err
		}
		if _, err := conn.Read(b); err != nil {
			return err
		}
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	fmt.Println(all[len(all)/2].Seconds())
	return nil
}
