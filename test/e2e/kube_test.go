// Package e2e measures a real cluster: two nodes of real kubelets on this
// machine, in namespaces that the test makes and that end with it.
package e2e

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	imagename "github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// pause is the image of pods' namespaces, as kube/containerd.toml has it.
const pause = "cnibench.local/pause:1"

// kube is the cluster.
type kube struct {
	dir    string // of everything that belongs to it
	binary string // of Kubernetes
	init   int    // first process of its namespaces
	// program is bin/cnibench as make build makes it, and image the name of the
	// image that it makes of itself.
	program, image string
}

// up brings the cluster up and sees to its end.
func up(t *testing.T) *kube {
	t.Helper()
	k := &kube{dir: t.TempDir(), binary: needs(t)}
	k.images(t)
	cmd := exec.Command("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=KILL", "--propagation", "private", "kube/up.sh")
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "T="+k.dir, "KUBE="+k.binary, "CNI="+bin, "TEST="+strconv.Itoa(os.Getpid()))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true}
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		k.removeCgroups(t)
	})
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if lines.Text() == "up" {
				ready <- true
			}
		}
		ready <- false
	}()
	select {
	case ok := <-ready:
		if !ok {
			t.Fatalf("the cluster did not come up: %s", &log)
		}
	case <-time.After(3 * time.Minute):
		t.Fatalf("the cluster is not up after 3 minutes: %s", &log)
	}
	children, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "task", strconv.Itoa(cmd.Process.Pid), "children"))
	if err != nil {
		t.Fatal(err)
	}
	if k.init, err = strconv.Atoi(strings.TrimSpace(string(children))); err != nil {
		t.Fatalf("the cluster's first process: %v", err)
	}
	return k
}

// needs skips where something is missing and returns the program that holds
// Kubernetes.
func needs(t *testing.T) string {
	t.Helper()
	binary, err := filepath.Abs("../../bin/kube")
	if err != nil {
		t.Fatal(err)
	}
	_, noKube := os.Stat(binary)
	_, noContainerd := exec.LookPath("containerd")
	switch {
	case os.Getuid() != 0:
		t.Skip("a cluster of real kubelets needs root (cgroups)")
	case noKube != nil:
		t.Skip("bin/kube is missing: make kubernetes builds it in about ten minutes")
	case noContainerd != nil:
		t.Skip("containerd is missing (Debian packages containerd and runc)")
	}
	return binary
}

// removeCgroups takes away what the nodes' kubelets made below our own.
func (k *kube) removeCgroups(t *testing.T) {
	for _, node := range []string{"n1", "n2", "n3", "n4"} {
		list, err := os.ReadFile(filepath.Join(k.dir, node, "cgroups"))
		if errors.Is(err, os.ErrNotExist) && node > "n2" {
			continue // it did not join
		}
		if err != nil {
			t.Errorf("what %s made: %v", node, err)
			continue
		}
		for _, top := range strings.Fields(string(list)) {
			var left error
			for range 50 { // processes that were killed may still be on their way out
				if left = removeTree(top); left == nil {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if left != nil {
				t.Errorf("removing %s: %v", top, left)
			}
		}
	}
}

func removeTree(top string) error {
	entries, err := os.ReadDir(top)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			err = errors.Join(err, removeTree(filepath.Join(top, e.Name())))
		}
	}
	return errors.Join(err, syscall.Rmdir(top))
}

// images makes the images that nodes load: the program's as README tells it,
// with make build and cnibench image.
func (k *kube) images(t *testing.T) {
	t.Helper()
	folder := filepath.Join(k.dir, "img")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	k.program = filepath.Join(root, "bin", "cnibench")
	archive := filepath.Join(folder, "cnibench.tar")
	for _, made := range [][]string{{"make", "-s", "-C", root, "build"}, {k.program, "image", "-o", archive},
		{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(k.dir, "pause"), "./pause"}} {
		cmd := exec.Command(made[0], made[1:]...)
		if made[0] == "go" {
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", strings.Join(made, " "), err, out)
		}
	}
	held, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(archive) })
	if err != nil || len(held) != 1 || len(held[0].RepoTags) != 1 {
		t.Fatalf("the image that cnibench image made: %v, %v", held, err)
	}
	k.image = held[0].RepoTags[0]
	content, err := os.ReadFile(filepath.Join(k.dir, "pause"))
	if err != nil {
		t.Fatal(err)
	}
	pack(t, filepath.Join(folder, "pause.tar"), pause, []string{"/pause"}, []file{{name: "pause", content: content, mode: 0o755}})
	flannelImage(t, filepath.Join(folder, "flannel.tar"))
	if _, err := os.Stat(coredns); err == nil {
		pack(t, filepath.Join(folder, "coredns.tar"), corednsTag, []string{"/coredns"}, []file{program(t, coredns, "coredns")})
	}
	calicoImages(t, folder)
	ownImage(t, folder)
}

// file is one of an image.
type file struct {
	name    string
	content []byte
	mode    int64
	link    string // target of a symbolic link; "" for a file with the content
}

// pack writes an image of one layer.
func pack(t *testing.T, path, name string, entrypoint []string, files []file) {
	t.Helper()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, f := range files {
		if f.link != "" {
			w.WriteHeader(&tar.Header{Name: f.name, Typeflag: tar.TypeSymlink, Linkname: f.link})
			continue
		}
		w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content))})
		w.Write(f.content)
	}
	w.Close()
	packed, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil },
		tarball.WithCompressionLevel(gzip.NoCompression)) // the nodes are on this machine
	if err != nil {
		t.Fatal(err)
	}
	made, err := mutate.AppendLayers(empty.Image, packed)
	if err != nil {
		t.Fatal(err)
	}
	config, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config.Entrypoint = "linux", "amd64", entrypoint
	config.Config.Env = []string{"PATH=/usr/sbin:/usr/bin"}
	if made, err = mutate.ConfigFile(made, config); err != nil {
		t.Fatal(err)
	}
	tag, err := imagename.NewTag(name)
	if err == nil {
		err = tarball.WriteToFile(path, tag, made)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (k *kube) config() string { return filepath.Join(k.dir, "pki", "admin.kubeconfig") }

// command is a command beside the control plane.
func (k *kube) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(k.init), "-m", "-p", "-n", "--", "ip", "netns", "exec", "k8s-cp"}, args...)...)
}

// kubectl runs kubectl and returns what it prints.
func (k *kube) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := k.command(ctx, append([]string{k.binary, "kubectl", "--kubeconfig", k.config()}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// cnibench runs the program and returns its exit code and streams.
func (k *kube) cnibench(t *testing.T, args ...string) (code int, out, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	cmd := k.command(ctx, append([]string{k.program}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// childOf is the process that nsenter started.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "task", strconv.Itoa(pid), "children"))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("the child of %d: %q", pid, text)
	}
	return child
}
