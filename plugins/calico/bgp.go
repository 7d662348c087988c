package calico

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cnibench/cnibench/plugins"
)

// Templates from which confd renders BIRD's configuration, with the contents of the
// datastore. Calico's own templates are for its fork of BIRD 1.6; these are the
// equivalent for BIRD 2, which distributions provide.
var (
	//go:embed bird.toml
	birdResource string
	//go:embed bird.cfg.template
	birdTemplate string
)

const (
	confdDir   = "/run/calico/confd"
	birdConfig = "/run/calico/bird.cfg"
	birdSocket = "/run/calico/bird.ctl"
)

// startBGP starts confd, and starts BIRD once confd has written its first
// configuration. From then on, confd reconfigures BIRD when nodes or address blocks
// come and go.
func startBGP(ctx context.Context, node plugins.Node, env []string) error {
	err := node.Do(func() error {
		for name, content := range map[string]string{
			"conf.d/bird.toml":            birdResource,
			"templates/bird.cfg.template": birdTemplate,
		} {
			path := filepath.Join(confdDir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing confd's templates on %s: %w", node.Name(), err)
	}
	if err := node.Start(process(node, "confd", env, "-confd", "-confd-confdir", confdDir)); err != nil {
		return err
	}
	if err := awaitFile(ctx, node, birdConfig); err != nil {
		return err
	}
	err = node.Start(plugins.Process{Name: birdBinary, Path: "/usr/sbin/bird",
		Args: []string{"-f", "-c", birdConfig, "-s", birdSocket, "-P", "/run/calico/bird.pid"}})
	if err != nil {
		return err
	}
	return plugins.Poll(ctx, "BGP sessions on "+node.Name(), func() error {
		return node.Do(func() error { return sessionsUp(birdSocket) })
	})
}

// sessionsUp asks BIRD whether every session of the mesh is up, as calico-node's own
// readiness check does (node/pkg/health). BIRD 2.0 also needs the question: it may
// sleep with an update still to send until something wakes it.
func sessionsUp(socket string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(conn, "show protocols\n"); err != nil {
		return err
	}
	return readSessions(conn)
}

// readSessions reads BIRD's answer to "show protocols" (BIRD 2 user's guide, section
// 4.2: lines begin with a reply code, and 0000 ends the answer).
func readSessions(r io.Reader) error {
	sessions := 0
	lines := bufio.NewScanner(io.LimitReader(r, 1<<20))
	for lines.Scan() {
		line := lines.Text()
		switch fields := strings.Fields(line); {
		case strings.HasPrefix(line, "0000"), strings.HasPrefix(line, "0013"):
			if sessions == 0 {
				return errors.New("BIRD has no BGP session")
			}
			return nil
		case strings.Contains(line, " BGP "):
			if sessions++; len(fields) == 0 || fields[len(fields)-1] != "Established" {
				return fmt.Errorf("a BGP session is not established: %s", line)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading BIRD's answer: %w", err)
	}
	return errors.New("BIRD's answer is incomplete")
}

func awaitFile(ctx context.Context, node plugins.Node, path string) error {
	return plugins.Poll(ctx, path+" on "+node.Name(), func() error {
		return node.Do(func() error {
			_, err := os.Stat(path)
			return err
		})
	})
}
