// Package outside lets a machine that is not a node of the cluster take part in a
// run. The user starts the program there and passes the ticket that it prints to
// the run. The program serves the worker's protocol over TLS, restricted to the
// roles of the reach probe, for a limited time, to clients with the token.
package outside

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/probes/worker"
)

const (
	// helloWithin bounds the handshake and the token together.
	helloWithin = 5 * time.Second
	// maxConnections bounds the connections open at once; a run has one.
	maxConnections = 4
	// secretBytes is the length of a token and of a certificate's fingerprint.
	secretBytes = sha256.Size
)

// Env is the environment variable from which a run reads a ticket. Unlike the
// command line, other users of the machine cannot read it.
const Env = "CNIBENCH_OUTSIDE"

// Ticket contains what a run needs to use the machine. It is the line that the
// program prints there.
type Ticket struct {
	Addr        netip.AddrPort
	Token       [secretBytes]byte
	Fingerprint [secretBytes]byte // SHA-256 of the certificate
}

func (t Ticket) String() string {
	return t.Addr.String() + "," + hex.EncodeToString(t.Token[:]) + "," + hex.EncodeToString(t.Fingerprint[:])
}

// ParseTicket parses the pasted line. Errors do not quote it, because it contains a
// secret.
func ParseTicket(text string) (Ticket, error) {
	var t Ticket
	parts := strings.Split(strings.TrimSpace(text), ",")
	if len(parts) != 3 {
		return t, fmt.Errorf("a ticket has three parts separated by commas, not %d (copy the line that cnibench outside prints)", len(parts))
	}
	addr, err := netip.ParseAddrPort(parts[0])
	if err != nil {
		return t, fmt.Errorf("reading the address and port: %w", err)
	}
	t.Addr = addr
	for i, into := range [][]byte{t.Token[:], t.Fingerprint[:]} {
		if n, err := hex.Decode(into, []byte(parts[i+1])[:min(len(parts[i+1]), 2*secretBytes)]); err != nil || n != secretBytes || len(parts[i+1]) != 2*secretBytes {
			return t, fmt.Errorf("part %d is not %d hexadecimal digits", i+2, 2*secretBytes)
		}
	}
	return t, nil
}

// Server serves a run on the machine outside the cluster.
type Server struct {
	Ticket   Ticket
	listener net.Listener
	until    time.Time
}

// Listen creates a certificate and a token, and listens on the address. It must be
// an address of the machine that pods can reach; port 0 means any port.
func Listen(at netip.AddrPort, life time.Duration) (*Server, error) {
	s := &Server{until: time.Now().Add(life)}
	certificate, err := selfSigned(at.Addr(), s.until)
	if err != nil {
		return nil, err
	}
	plain, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	s.listener = tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13})
	s.Ticket = Ticket{Addr: netip.AddrPortFrom(at.Addr(), plain.Addr().(*net.TCPAddr).AddrPort().Port()),
		Fingerprint: sha256.Sum256(certificate.Certificate[0])}
	rand.Read(s.Ticket.Token[:])
	return s, nil
}

// selfSigned creates a certificate that only the client of this run trusts.
func selfSigned(addr netip.Addr, until time.Time) (tls.Certificate, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("generating a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("generating a serial number: %w", err)
	}
	// Certificates have a resolution of one second.
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "cnibench outside"}, IPAddresses: []net.IP{addr.AsSlice()},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: until.Add(time.Second), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("creating a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: private}, nil
}

// Serve serves clients until its time is over, which is not an error, or ctx ends.
// It calls refused for every client that it rejects.
func (s *Server) Serve(ctx context.Context, refused func(from net.Addr, why error)) error {
	timed, cancel := context.WithDeadline(ctx, s.until)
	defer cancel()
	stop := context.AfterFunc(timed, func() { s.listener.Close() })
	defer stop()
	defer s.listener.Close()
	free := make(chan struct{}, maxConnections)
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		conn, err := s.listener.Accept()
		switch {
		case timed.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("waiting for a connection: %w", err)
		}
		select {
		case free <- struct{}{}:
		default:
			refused(conn.RemoteAddr(), fmt.Errorf("more than %d connections at once", maxConnections))
			conn.Close()
			continue
		}
		serving.Go(func() {
			defer func() { <-free }()
			defer conn.Close()
			if err := s.serve(timed, conn); err != nil {
				refused(conn.RemoteAddr(), err)
			}
		})
	}
}

// serve serves one connection.
func (s *Server) serve(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(helloWithin))
	var token [secretBytes]byte
	if _, err := io.ReadFull(conn, token[:]); err != nil {
		return fmt.Errorf("reading the token: %w", err)
	}
	if subtle.ConstantTimeCompare(token[:], s.Ticket.Token[:]) != 1 {
		return errors.New("wrong token")
	}
	if _, err := conn.Write([]byte{welcome}); err != nil {
		return fmt.Errorf("answering: %w", err)
	}
	conn.SetDeadline(s.until)
	// It does not matter how the connection of an accepted client ends.
	_ = catalogue.ServeOnly(ctx, conn, conn, catalogue.OutsideRoles)
	return nil
}

// welcome is the byte that a client with the right token receives.
const welcome = 1

// Dial connects to the machine and returns the worker there. Closing the worker
// closes the connection.
func Dial(ctx context.Context, t Ticket) (*worker.Worker, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, helloWithin, fmt.Errorf("no answer within %s: %w", helloWithin, context.DeadlineExceeded))
	defer cancel()
	// The certificate is known in advance, so verify compares it instead of checking
	// its authority.
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, VerifyConnection: t.verify}}
	conn, err := dialer.DialContext(ctx, "tcp", t.Addr.String())
	if err != nil {
		return nil, fmt.Errorf("connecting to the host outside the cluster at %s: %w", t.Addr, err)
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	_, err = conn.Write(t.Token[:])
	if err == nil {
		_, err = io.ReadFull(conn, make([]byte, 1))
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the host outside the cluster at %s refused the connection (is it the one that printed the ticket?): %w", t.Addr, err)
	}
	conn.SetDeadline(time.Time{})
	return worker.Connect(conn, conn), nil
}

// verify compares the server's certificate with the fingerprint of the ticket.
func (t Ticket) verify(state tls.ConnectionState) error {
	shown := state.PeerCertificates[0]
	sum := sha256.Sum256(shown.Raw)
	switch {
	case subtle.ConstantTimeCompare(sum[:], t.Fingerprint[:]) != 1:
		return errors.New("its certificate does not match the ticket's fingerprint")
	case time.Now().After(shown.NotAfter):
		return fmt.Errorf("its certificate expired at %s: start cnibench outside again", shown.NotAfter.Format(time.DateTime))
	}
	return nil
}
