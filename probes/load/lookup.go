package load

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes/hot"
)

const (
	// resolvConf is the file in which a pod finds its DNS servers (resolv.conf(5)).
	resolvConf = "/etc/resolv.conf"
	// maxResolvConf bounds what is read of it. A kubelet writes at most 2048 characters
	// of search domains and three servers (validation.MaxDNSSearchListChars, v1.34).
	maxResolvConf = 16 << 10
	// maxResponse is the longest response to a question without EDNS (RFC 1035, 4.2.1).
	maxResponse = 512
	// maxName is the longest domain name (RFC 1035, 2.3.4).
	maxName = 253
)

// resolver is what resolv.conf says.
type resolver struct {
	server netip.Addr // the first one, which resolvers ask first; invalid if there is none
	search []string
}

func readResolvConf(path string) (*resolver, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading which DNS server the pod uses: %w", err)
	}
	defer f.Close()
	r, err := parseResolvConf(io.LimitReader(f, maxResolvConf))
	if err != nil {
		return nil, fmt.Errorf("reading which DNS server the pod uses: %s: %w", path, err)
	}
	return r, nil
}

// parseResolvConf reads the first server and the last search list (resolv.conf(5)). It
// skips what it does not know.
func parseResolvConf(text io.Reader) (*resolver, error) {
	r := &resolver{}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 2:
		case fields[0] == "nameserver" && !r.server.IsValid():
			r.server, _ = netip.ParseAddr(fields[1]) // a resolver skips other lines too
		case fields[0] == "search" || fields[0] == "domain":
			r.search = fields[1:]
		}
	}
	return r, lines.Err()
}

// clusterDomain returns the domain of the cluster's names, with a final dot. A kubelet
// gives pods that use the cluster's DNS the search domains NAMESPACE.svc.DOMAIN,
// svc.DOMAIN and DOMAIN (Kubernetes documentation, DNS for Services and Pods).
func (r *resolver) clusterDomain(namespace string) (domain string, ok bool) {
	for _, s := range r.search {
		if domain, ok := strings.CutPrefix(strings.TrimSuffix(s, "."), namespace+".svc."); ok && domain != "" {
			return domain + ".", true
		}
	}
	return "", false
}

// question is a question for the addresses of a name.
type question struct {
	asked  dnsmessage.Question
	packed []byte // with the ID 0
}

// newQuestion returns the question for the addresses of a full name, of want's family.
func newQuestion(name string, want netip.Addr) (*question, error) {
	if len(name) > maxName+1 {
		return nil, fmt.Errorf("looking up a name of %d characters: a name has at most %d", len(name), maxName)
	}
	full, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, fmt.Errorf("looking up %q: %w", name, err)
	}
	q := &question{asked: dnsmessage.Question{Name: full, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}
	if want.Is6() {
		q.asked.Type = dnsmessage.TypeAAAA
	}
	message := dnsmessage.Message{Header: dnsmessage.Header{RecursionDesired: true}, Questions: []dnsmessage.Question{q.asked}}
	if q.packed, err = message.Pack(); err != nil {
		return nil, fmt.Errorf("looking up %q: %w", name, err)
	}
	return q, nil
}

// withID returns the packed question with an ID, which is its first two bytes.
func (q *question) withID(id uint16) []byte {
	q.packed[0], q.packed[1] = byte(id>>8), byte(id)
	return q.packed
}

// answer is what a server answered.
type answer struct {
	code  dnsmessage.RCode
	addrs []netip.Addr // of the asked type
}

// codes are the names of response codes (IANA, DNS RCODEs).
var codes = map[dnsmessage.RCode]string{dnsmessage.RCodeSuccess: "NOERROR", dnsmessage.RCodeFormatError: "FORMERR", dnsmessage.RCodeServerFailure: "SERVFAIL",
	dnsmessage.RCodeNameError: "NXDOMAIN", dnsmessage.RCodeNotImplemented: "NOTIMP", dnsmessage.RCodeRefused: "REFUSED"}

// codeName returns the name of the response code, or its number.
func (a answer) codeName() string { return cmp.Or(codes[a.code], fmt.Sprintf("code %d", a.code)) }

// errOther says that a message is not the response to the question: it may be one to an
// earlier question, or come from someone else.
var errOther = errors.New("the message is not a response to the question")

// read reads a response to the question with an ID.
func (q *question) read(message []byte, id uint16) (answer, error) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil || h.ID != id || !h.Response {
		return answer{}, errOther
	}
	asked, err := p.Question()
	if err != nil || asked.Type != q.asked.Type || asked.Class != q.asked.Class || !strings.EqualFold(asked.Name.String(), q.asked.Name.String()) {
		return answer{}, errOther
	}
	if h.Truncated {
		return answer{}, errors.New("the response is truncated")
	}
	if err := p.SkipAllQuestions(); err != nil {
		return answer{}, fmt.Errorf("reading the response: %w", err)
	}
	a := answer{code: h.RCode}
	for {
		addr, err := nextAddress(&p, q.asked.Type)
		switch {
		case errors.Is(err, dnsmessage.ErrSectionDone):
			return a, nil
		case err != nil:
			return answer{}, fmt.Errorf("reading the response: %w", err)
		case addr.IsValid():
			a.addrs = append(a.addrs, addr)
		}
	}
}

// nextAddress returns the address in the next record, which is invalid if the record
// holds something else.
func nextAddress(p *dnsmessage.Parser, kind dnsmessage.Type) (netip.Addr, error) {
	h, err := p.AnswerHeader()
	if err != nil {
		return netip.Addr{}, err
	}
	switch {
	case h.Type != kind:
		return netip.Addr{}, p.SkipAnswer()
	case kind == dnsmessage.TypeAAAA:
		r, err := p.AAAAResource()
		return netip.AddrFrom16(r.AAAA), err
	}
	r, err := p.AResource()
	return netip.AddrFrom4(r.A), err
}

// ask asks once and returns the answer and how long it took in ns. An error says that
// no answer arrived in time.
func (l *lookup) ask(ctx context.Context) (a answer, took int64, err error) {
	id := uint16(rand.Uint32())
	begin := hot.Nanotime()
	if err := unix.Send(l.conn.FD, l.question.withID(id), 0); err != nil {
		return answer{}, 0, fmt.Errorf("asking: %w", os.NewSyscallError("send", err))
	}
	for end := begin + int64(l.patience); ; {
		left := end - hot.Nanotime()
		if left <= 0 {
			return answer{}, 0, fmt.Errorf("no answer within %s", l.patience)
		}
		wait := unix.NsecToTimeval(max(left, int64(time.Microsecond))) // 0 would be for ever, socket(7)
		if err := unix.SetsockoptTimeval(l.conn.FD, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
			return answer{}, 0, fmt.Errorf("asking: %w", os.NewSyscallError("setsockopt", err))
		}
		n, _, err := unix.Recvfrom(l.conn.FD, l.buffer[:], 0)
		took = hot.Nanotime() - begin
		switch {
		case ctx.Err() != nil:
			return answer{}, 0, context.Cause(ctx)
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return answer{}, 0, fmt.Errorf("waiting for the answer: %w", os.NewSyscallError("recvfrom", err))
		}
		if a, err = l.question.read(l.buffer[:n], id); !errors.Is(err, errOther) {
			return a, took, err
		}
	}
}
