package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
)

// hangingCNI wraps the bridge plugin. It logs what it is asked to do, hangs after each ADD of a
// pod that is added for a sample, once the address was allocated, and hangs in the DEL of the
// first measured pod. The process that hangs keeps its output open.
const hangingCNI = `#!/bin/sh
echo "asked for $CNI_COMMAND $CNI_CONTAINERID" >&2
case "$CNI_COMMAND $CNI_CONTAINERID" in
"ADD added"*) /run/real-bridge; sleep 100;;
"DEL pod1") sleep 100;;
esac
exec /run/real-bridge
`

// cniThatHangs replaces the bridge plugin on the first node with hangingCNI.
func cniThatHangs(_ context.Context, n plugins.Network, _ *plugins.Deployment) error {
	node := n.Nodes[0]
	return node.Do(func() error {
		for _, m := range []struct{ file, text, source, over string }{
			{file: "/run/real-bridge", source: node.Bin("bridge"), over: "/run/real-bridge"},
			{file: "/run/hanging", text: hangingCNI, source: "/run/hanging", over: node.Bin("bridge")},
		} {
			if err := os.WriteFile(m.file, []byte(m.text), 0o755); err != nil {
				return err
			}
			if err := unix.Mount(m.source, m.over, "", unix.MS_BIND, ""); err != nil {
				return fmt.Errorf("mounting %s over %s: %w", m.source, m.over, err)
			}
		}
		return nil
	})
}

var askedCNI = regexp.MustCompile(`(?m)^asked for (ADD|DEL) (\S+)$`)

// TestCNIThatHangs makes a CNI plugin hang in ADD, after it allocated an address, and in DEL.
// What was added is removed even after the sample's time is over, and the run ends even if a DEL
// does not.
func TestCNIThatHangs(t *testing.T) {
	needs(t, "faulty-cni")
	dir := filepath.Join(t.TempDir(), "run")
	code, _, log := runProgram(t, "run", "--out", dir, "--plugins", "faulty-cni", "--probes", "cni-time:pods=3", "--wire", "none", "--rounds", "1", "--duration", "100ms")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, log)
	}
	text, err := os.ReadFile(filepath.Join(dir, results.LogDir, "faulty-cni-l2", "node1-cni.log"))
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string][]string{} // pods by command
	for _, m := range askedCNI.FindAllStringSubmatch(string(text), -1) {
		asked[m[1]] = append(asked[m[1]], m[2])
	}
	if len(asked["ADD"]) != 4 {
		t.Errorf("pods added: %q", asked["ADD"])
	}
	for _, pod := range asked["ADD"] {
		if !slices.Contains(asked["DEL"], pod) {
			t.Errorf("%s was added and never removed, so its address is lost: removed were %q", pod, asked["DEL"])
		}
	}
	run, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, r := range run.Records {
		if e := r.Event; e != nil && e.Name == results.EventCNIDel {
			said = append(said, e.Text.String())
		}
	}
	if !containsLine(said, "removing pod pod1 on node1") || !containsLine(said, "not within") {
		t.Errorf("the run reports about the DEL that hung: %q", said)
	}
}
