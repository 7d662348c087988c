package lab

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cnibench/cnibench/plugins"
)

// TestAgentTimeNeverFalls watches the CPU time of an agent while it works, is
// killed and is restarted. One agent works itself, the other calls programs.
func TestAgentTimeNeverFalls(t *testing.T) {
	for _, tt := range []struct{ name, script string }{
		{"it works itself", "while :; do :; done"},
		{"it calls programs", "while :; do (for i in {1..20000}; do :; done); done"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			exits := make(chan agentExit, maxRestarts+1)
			on := &node{space: &space{name: "n1"}, logDir: t.TempDir(), fail: func(err error) { t.Error(err) }, report: func(e agentExit) { exits <- e }}
			if err := on.Start(plugins.Process{Name: "busy", Path: "/bin/bash", Args: []string{"-c", tt.script}}); err != nil {
				t.Fatal(err)
			}
			n := &network{nodes: []*node{on}}
			a := on.agents[0]
			t.Cleanup(func() { a.stop() })
			last := time.Duration(0)
			look := func() {
				now := n.AgentTime()
				if now < last {
					t.Fatalf("the agents' time fell from %s to %s", last, now)
				}
				last = now
			}
			const each = 100 * time.Millisecond
			for kills := range 2 {
				for before := last; last < before+each; {
					look()
				}
				if err := syscall.Kill(a.pid(), syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				for exited := false; !exited; {
					select {
					case e := <-exits:
						exited = true
						if !strings.Contains(e.err.Error(), "killed") {
							t.Fatalf("exit %d: %v", kills+1, e.err)
						}
					default:
						look()
					}
				}
			}
			// The third process adds its time to that of the first two.
			for last < 3*each {
				look()
			}
		})
	}
}

// TestAgentThatKeepsExiting checks that an agent is restarted a limited number of
// times, and that the network then fails with the agent's last message.
func TestAgentThatKeepsExiting(t *testing.T) {
	exits := make(chan agentExit, maxRestarts+1)
	ended := make(chan error, 1)
	on := &node{space: &space{name: "n1"}, logDir: t.TempDir(), fail: func(err error) { ended <- err }, report: func(e agentExit) { exits <- e }}
	if err := on.Start(plugins.Process{Name: "broken", Path: "/bin/sh", Args: []string{"-c", "echo no such network >&2; exit 3"}}); err != nil {
		t.Fatal(err)
	}
	err := <-ended
	on.agents[0].stop()
	for _, says := range []string{"broken", "n1", "exit status 3", "no such network"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%q does not say %q", err, says)
		}
	}
	close(exits)
	seen := 0
	for e := range exits {
		seen++
		if e.final != (seen == maxRestarts+1) {
			t.Errorf("exit %d is final: %v", seen, e.final)
		}
	}
	if seen != maxRestarts+1 {
		t.Errorf("%d exits, want %d", seen, maxRestarts+1)
	}
}
