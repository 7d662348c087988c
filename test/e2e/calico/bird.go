package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// Sockets of BIRD: its own, and the one at which calico-node asks it.
const (
	birdSocket  = "/run/calico/bird2.ctl"
	askedSocket = "/run/calico/bird.ctl"
)

// runBIRD runs BIRD once confd has rendered its configuration.
func runBIRD(ctx context.Context) {
	for ctx.Err() == nil {
		if _, err := os.Stat("/run/calico/bird.cfg"); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	keepRunning(ctx, "/usr/sbin/bird", "-f", "-c", "/run/calico/bird.cfg", "-s", birdSocket, "-P", "/run/calico/bird.pid")
}

// answerAsBIRD1 answers for BIRD 2 as Calico's own BIRD 1.6 would: calico-node
// -bird-ready expects that version's headings, and sessions with names of its own
// (node/pkg/health/bird).
func answerAsBIRD1(ctx context.Context) {
	os.Remove(askedSocket)
	l, err := net.Listen("unix", askedSocket)
	if err != nil {
		return
	}
	go func() {
		<-ctx.Done()
		l.Close()
	}()
	for {
		asked, err := l.Accept()
		if err != nil {
			return
		}
		go answer(asked)
	}
}

func answer(asked net.Conn) {
	defer asked.Close()
	bird, err := net.Dial("unix", birdSocket)
	if err != nil {
		return
	}
	defer bird.Close()
	go func() {
		io.Copy(bird, asked)
		bird.Close()
	}()
	for lines := bufio.NewScanner(bird); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "2002-") {
			line = strings.ToLower(line)
		}
		if strings.Contains(line, " BGP ") {
			line = strings.Replace(line, "mesh_", "Mesh_", 1)
		}
		if _, err := io.WriteString(asked, line+"\n"); err != nil {
			return
		}
	}
}
