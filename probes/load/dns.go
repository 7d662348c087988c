package load

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

const (
	// dnsPort is the port of DNS servers (RFC 1035, 4.2.1).
	dnsPort = 53
	// dnsSettles is how long a new headless Service is not asked for. Whoever asks before
	// the cluster's DNS knows the name makes it remember that the name does not exist, for
	// 30 s with the Corefile of kubeadm v1.34 (kubernetes ttl 30, cache 30).
	dnsSettles = 2 * time.Second
	// dnsWithin is how long the name may remain unknown: a little longer than that.
	dnsWithin = 35 * time.Second
	// dnsAgain is the time between two questions for an unknown name.
	dnsAgain = 500 * time.Millisecond
	// dnsPatience is how long an answer may take before it counts as missing. Servers
	// answer for names of their own cluster from memory; a resolver would wait for 5 s
	// (resolv.conf(5), timeout).
	dnsPatience = time.Second
	// dnsTries is the number of unanswered questions after which nobody answers.
	dnsTries = 3
)

// DNS measures lookups of a headless Service's name by the DNS server that pods are
// told to use. There is no straight path to compare with: reading which pods answer
// for the server takes permissions in their namespace.
func DNS() *probes.Probe {
	metrics := latencyMetrics()[:3] // a sample has too few answers for p999
	return &probes.Probe{
		Name: "dns", Title: "time that the cluster's DNS takes to resolve the full name of a headless Service, asked from a pod over UDP",
		Metrics:   append(metrics, results.Metric{Name: "failures", Unit: "1", Better: "lower"}),
		Placement: probes.Same, Pods: true, Creates: "services",
		Roles:   map[string]worker.Role{"client": dnsClient},
		Measure: measureDNS,
		Longest: func(s *probes.Site) time.Duration { return dnsSettles + dnsWithin + dnsLimit(s) },
	}
}

// dnsLimit is the time limit of a sample of a name that is known, and of the last
// question before.
func dnsLimit(s *probes.Site) time.Duration {
	return 3*s.Patience(dnsPatience) + probes.WarmUp(s.Duration) + s.Duration + s.Limit(probes.SampleGrace)
}

// DNSArgs says what a pod looks up.
type DNSArgs struct {
	Service   string        `json:"service"` // headless, with one pod
	Namespace string        `json:"namespace"`
	Want      netip.Addr    `json:"want"`     // address of that pod
	Config    string        `json:"config"`   // path of resolv.conf
	Port      uint16        `json:"port"`     // of the server
	Patience  time.Duration `json:"patience"` // ns, until an answer is missing
	Within    time.Duration `json:"within"`   // ns, until the name is known
	Again     time.Duration `json:"again"`    // ns, between two questions for an unknown name
	Duration  time.Duration `json:"duration"` // ns
	CPU       int           `json:"cpu"`
}

// Looked is what a pod saw of the cluster's DNS.
type Looked struct {
	LatencyResult
	Server   netip.Addr   `json:"server,omitzero"`
	Name     string       `json:"name,omitempty"`
	Asked    int64        `json:"asked"`           // counted questions
	Failures int64        `json:"failures"`        // of those, the questions without the right answer
	Wrong    []netip.Addr `json:"wrong,omitempty"` // what an answer said instead of Want
	Absent   words.Text   `json:"absent,omitzero"` // why nothing was measured
}

func measureDNS(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	service, err := s.ServiceOf(ctx, probes.Headless)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(time.Until(service.Made.Add(dnsSettles))):
	}
	args := DNSArgs{Service: service.Name, Namespace: service.Namespace, Want: s.Server.Addr, Config: resolvConf, Port: dnsPort,
		Patience: s.Patience(dnsPatience), Within: dnsWithin, Again: dnsAgain, Duration: s.Duration, CPU: s.Client.CPU}
	return args.measure(ctx, s)
}

// measure has the client's pod look up the name.
func (a *DNSArgs) measure(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	if s.Client.Worker == nil {
		return nil, errors.New("looking up a name: the client has no worker")
	}
	limit := a.Within + dnsLimit(s)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	call, err := s.Client.Worker.Start(ctx, "dns/client", a)
	if err != nil {
		return nil, err
	}
	var looked Looked
	if err := call.Wait(ctx, &looked); err != nil {
		return nil, err
	}
	path := "dns " + a.Service + " " + a.Want.String()
	switch {
	case !looked.Absent.Empty() && s.Passed[path]:
		return nil, words.Error(looked.Absent)
	case !looked.Absent.Empty():
		return nil, &probes.NotHereError{Why: looked.Absent}
	}
	s.Passed.Note(path)
	m, err := looked.measurement(&ServerResult{Machine: looked.Machine})
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(m.Values, func(name string, _ float64) bool { return name == "rate" || name == "p999" })
	m.Values["failures"] = float64(looked.Failures) / float64(max(looked.Asked, 1))
	m.Params = map[string]string{"server": looked.Server.String(), "name": results.Printable(looked.Name)}
	if len(looked.Wrong) > 0 {
		m.Findings = []probes.Finding{{Name: "dns-wrong-answer", Text: words.DNSWrongAnswer.With(looked.Server, looked.Name, listed(looked.Wrong), a.Want)}}
	}
	return m, nil
}

// listed returns addresses for people.
func listed(addrs []netip.Addr) words.Text {
	var names []string
	for _, a := range addrs {
		names = append(names, a.String())
	}
	return words.ListNames(names)
}

// dnsClient looks up a name until it is known, and then for the duration of the sample.
func dnsClient(ctx context.Context, r *worker.Request) (any, error) {
	var args DNSArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if args.Duration < probes.MinDuration || args.Patience <= 0 || args.Again < 0 || !args.Want.IsValid() {
		return nil, fmt.Errorf("looking up %q for %s is not supported", args.Service, args.Duration)
	}
	config, err := readResolvConf(args.Config)
	if err != nil {
		return nil, err
	}
	result := &Looked{Server: config.server}
	domain, ok := config.clusterDomain(args.Namespace)
	if !ok || !config.server.IsValid() {
		result.Absent = words.DNSNotConfigured.With(args.Namespace + ".svc")
		return result, nil
	}
	result.Name = args.Service + "." + args.Namespace + ".svc." + domain
	q, err := newQuestion(result.Name, args.Want)
	if err != nil {
		return nil, err
	}
	conn, err := hot.NewSocket(ctx, config.server, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.Connect(ctx, netip.AddrPortFrom(config.server, args.Port)); err != nil {
		return nil, err
	}
	l := lookup{conn: conn, question: q, patience: args.Patience}
	if result.Absent, err = l.awaitName(ctx, &args, result); err != nil || !result.Absent.Empty() {
		return result, err
	}
	return result, l.sample(ctx, &args, result)
}

// lookup asks a server the same question over and over.
type lookup struct {
	conn     *hot.Socket
	question *question
	patience time.Duration
	buffer   [maxResponse]byte
}

// awaitName asks until the name has addresses, and returns why it is given up.
func (l *lookup) awaitName(ctx context.Context, args *DNSArgs, result *Looked) (words.Text, error) {
	begin, unanswered := time.Now(), 0
	for {
		a, _, err := l.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return words.Text{}, fmt.Errorf("asking %s for %s: %w", result.Server, result.Name, context.Cause(ctx))
		case err != nil:
			if unanswered++; unanswered == dnsTries {
				return words.DNSSilent.With(result.Server, dnsTries, err), nil
			}
		case len(a.addrs) > 0:
			return words.Text{}, nil
		case time.Since(begin) > args.Within:
			return words.DNSUnknown.With(result.Server, result.Name, a.codeName(), time.Since(begin).Round(time.Second)), nil
		default:
			unanswered = 0
		}
		select {
		case <-ctx.Done():
		case <-time.After(args.Again):
		}
	}
}

// sample asks for the duration of the sample. The loop may allocate, unlike those of
// package hot: an answer takes the server many times longer.
func (l *lookup) sample(ctx context.Context, args *DNSArgs, result *Looked) error {
	var last error
	defer func() {
		if result.Failures > 0 && last != nil {
			result.Warnings = append(result.Warnings, words.DNSFailures.With(result.Failures, result.Asked, words.OfError(last)))
		}
	}()
	return hot.OnCPU(args.CPU, func() error {
		err := result.LatencyResult.sample(args.Duration, func(counted *hot.Latencies, end int64) (n, ended int64, err error) {
			result.Asked, result.Failures, result.Wrong = 0, 0, nil // without the warm-up
			for ended = hot.Nanotime(); ended < end; ended = hot.Nanotime() {
				a, took, err := l.ask(ctx)
				result.Asked++
				switch {
				case ctx.Err() != nil:
					return 0, 0, fmt.Errorf("asking for %s: %w", result.Name, context.Cause(ctx))
				case err != nil:
					last = err
					result.Failures++
					continue
				case !slices.Equal(a.addrs, []netip.Addr{args.Want}):
					last = fmt.Errorf("the answer is %s %v", a.codeName(), a.addrs)
					result.Failures++
					if len(a.addrs) > 0 {
						result.Wrong = a.addrs
					}
				}
				counted.Add(took)
				n++
			}
			return n, ended, nil
		})
		if err != nil && last != nil && ctx.Err() == nil {
			err = fmt.Errorf("asking %s for %s: %w", result.Server, result.Name, last)
		}
		return err
	})
}
