package outside

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// serving starts a server. why returns the reasons for which it has refused clients.
func serving(t *testing.T, life time.Duration) (s *Server, why func() string, end func() error) {
	t.Helper()
	s, err := Listen(loopback, life)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []string
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(ctx, func(_ net.Addr, err error) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, err.Error())
		})
	}()
	var once sync.Once
	end = func() (err error) {
		once.Do(func() { cancel(); err = <-done })
		return err
	}
	t.Cleanup(func() { end() })
	return s, func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(all, "; ")
	}, end
}

func TestDial(t *testing.T) {
	s, _, end := serving(t, time.Minute)
	ticket, err := ParseTicket(s.Ticket.String() + "\n")
	if err != nil || ticket != s.Ticket {
		t.Fatalf("the line parses as another ticket: %v", err)
	}
	w, err := Dial(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Answers(t.Context()); err != nil {
		t.Error(err)
	}
	call, err := w.Start(t.Context(), "tcp-rr/server", struct{}{})
	if err == nil {
		err = call.Wait(t.Context(), nil)
	}
	if err == nil || !strings.Contains(err.Error(), "no role is called") {
		t.Errorf("a role of another probe: %v", err)
	}
	w.Close()
	if err := end(); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestDialRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Ticket)
		says   string
		server string
	}{
		{"wrong token", func(k *Ticket) { k.Token[0] ^= 1 }, "is it the one that printed the ticket?", "wrong token"},
		{"wrong certificate", func(k *Ticket) { k.Fingerprint[0] ^= 1 }, "does not match the ticket's fingerprint", "reading the token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, why, end := serving(t, time.Minute)
			ticket := s.Ticket
			tt.change(&ticket)
			if _, err := Dial(t.Context(), ticket); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the client says %v", err)
			} else if strings.Contains(err.Error(), ticket.String()[30:60]) {
				t.Errorf("the error contains the token: %v", err)
			}
			end() // waits for the connection to end
			if !strings.Contains(why(), tt.server) {
				t.Errorf("the server says %q", why())
			}
		})
	}
}

// TestServeEnds lets the server's time run out while a client is connected.
func TestServeEnds(t *testing.T) {
	s, err := Listen(loopback, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), func(net.Addr, error) {}) }()
	w, err := Dial(t.Context(), s.Ticket)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
	if err := w.Answers(t.Context()); err == nil {
		t.Error("it still answers")
	}
	if _, err := Dial(t.Context(), s.Ticket); err == nil {
		t.Error("it still listens")
	}
}

// TestExpiredCertificate presents an expired certificate.
func TestExpiredCertificate(t *testing.T) {
	s, err := Listen(loopback, -time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer s.listener.Close()
	go func() {
		if conn, err := s.listener.Accept(); err == nil {
			conn.(*tls.Conn).Handshake()
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	if _, err := Dial(t.Context(), s.Ticket); err == nil || !strings.Contains(err.Error(), "certificate expired at") {
		t.Errorf("the client says %v", err)
	}
}

// TestConnectionsAreBounded opens more connections than allowed.
func TestConnectionsAreBounded(t *testing.T) {
	s, why, end := serving(t, time.Minute)
	for range maxConnections + 1 {
		conn, err := net.Dial("tcp", s.Ticket.Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for !strings.Contains(why(), "connections at once") && t.Context().Err() == nil {
		time.Sleep(time.Millisecond)
	}
	end()
}

func TestParseTicketRefuses(t *testing.T) {
	secret := strings.Repeat("ab", secretBytes)
	for _, text := range []string{"", "10.0.0.1:1", "10.0.0.1," + secret + "," + secret, "10.0.0.1:1," + secret[2:] + "," + secret, "10.0.0.1:1," + secret + "," + secret + "00", "10.0.0.1:1," + secret + ",zz"} {
		if _, err := ParseTicket(text); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
