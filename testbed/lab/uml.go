package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// GuestLog is the file in a run's log directory to which the guest's kernel logs.
const GuestLog = "uml-kernel.log"

// GuestKernel is User-Mode Linux, a Linux kernel that runs as an ordinary process.
// Its package contains modules for many features that small kernels lack.
var GuestKernel = Program{Name: "linux.uml", Package: "user-mode-linux", Why: "the lab's own kernel, for features that this machine's kernel lacks"}

// guestModules loads the guest's modules on demand.
var guestModules = Program{Name: "modprobe", Package: "kmod", Why: "loads the modules of User-Mode Linux"}

// GuestPrograms lists the programs that the lab needs for a kernel of its own.
var GuestPrograms = []Program{GuestKernel, guestModules}

// GuestMissing returns nil if the lab can have a kernel of its own. Otherwise the
// error says what is missing and how to get it, or that this CPU cannot run it.
func GuestMissing() error {
	var errs []error
	for _, p := range GuestPrograms {
		if _, err := p.Path(""); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, guestCPU())...)
}

// GuestInstall returns the command that installs the missing GuestPrograms, or ""
// if none is missing.
func GuestInstall() string {
	var packages []string
	for _, p := range GuestPrograms {
		if _, err := p.Path(""); err != nil {
			packages = append(packages, p.Package)
		}
	}
	if len(packages) == 0 {
		return ""
	}
	return "sudo apt-get install " + strings.Join(packages, " ")
}

// guestMemory bounds the guest's memory in MiB. A network of Calico takes 0.3 GiB.
// Memory that the guest does not use is not taken from the machine.
const guestMemory = 2048

// guestLogLimit bounds the kernel's log in bytes; booting writes 10 KiB.
const guestLogLimit = 1 << 20

// guestOutLimit bounds what the guest's init may print as its result.
const guestOutLimit = 1 << 20

// The stage is where the guest finds its order: in the private tmpfs that also
// backs its memory.
const (
	stageDir  = "/dev/shm"
	stageInit = stageDir + "/init"
	stageArgs = stageDir + "/args.json"
	stageLog  = stageDir + "/kernel.log"
)

// The guest's serial lines: one for commands to init and its messages, one for its
// result.
const (
	messageLine = "/dev/ttyS0"
	resultLine  = "/dev/ttyS1"
)

// statusLine begins the last line of the result, which contains the exit status.
const statusLine = "status "

// guestOrder tells the guest's init what to do.
type guestOrder struct {
	Dir  string   // the machine's directory that the guest may write to; "" for none
	Args []string // of the lab's init in the guest
}

// Boot runs a lab in a kernel of its own. It must run in the init of namespaces
// that [Enter] has set up: the kernel and all its processes end with them, and can
// write only where Enter allowed it. dir is the directory that Enter left writable
// ("" for none). log is the file for the kernel's log, which is lost in the end if
// log is "". The args are those of the lab's init in the guest. Boot returns the
// exit status of that init.
func Boot(ctx context.Context, stdout, stderr io.Writer, dir, log string, args ...string) (int, error) {
	if err := prepareStage(guestOrder{dir, args}); err != nil {
		return 0, err
	}
	path, err := GuestKernel.Path("")
	if err != nil {
		return 0, err
	}
	if log == "" {
		log = stageLog
	}
	b := &boot{stderr: stderr, cmd: exec.Command(path, guestCommandLine()...)}
	defer b.close()
	if err := b.connect(log); err != nil {
		return 0, err
	}
	if err := b.cmd.Start(); err != nil {
		return 0, fmt.Errorf("starting User-Mode Linux: %w", err)
	}
	b.started()
	stop := context.AfterFunc(ctx, func() { io.WriteString(b.control, stopLine) })
	defer stop()
	ended := b.cmd.Wait()
	b.relays.Wait()
	out, status, ok := b.result()
	if !ok {
		return 0, fmt.Errorf("User-Mode Linux ended before the lab in it did: %w%s", orSilently(ended), lastLines(log))
	}
	_, err = stdout.Write(out)
	return status, err
}

func orSilently(err error) error {
	if err == nil {
		return errors.New("without an error")
	}
	return err
}

// guestCommandLine returns the kernel's command line. The root is the machine's
// own file system, read-only. There are only the devices that a lab needs: one
// console for the log, and two serial lines. The guest's init mounts /dev, because
// the guest has devices of its own.
func guestCommandLine() []string {
	return []string{
		fmt.Sprintf("mem=%dM", guestMemory),
		"root=/dev/root", "rootflags=/", "rootfstype=hostfs", "ro", "devtmpfs.mount=0",
		"uml_dir=" + stageDir, "umid=guest", "panic=1", "noreboot",
		"con=null", "con0=null,fd:1", "ssl=null", "ssl0=fd:3,fd:4", "ssl1=null,fd:5",
		"init=" + stageInit, "--", GuestCommand,
	}
}

// prepareStage mounts the private tmpfs and puts init and its order there.
func prepareStage(order guestOrder) error {
	if err := unix.Mount("tmpfs", stageDir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("mode=0700,size=%dM", guestMemory+64)); err != nil {
		return fmt.Errorf("mounting memory for User-Mode Linux on %s: %w", stageDir, err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	text, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("encoding the guest's order: %w", err)
	}
	return errors.Join(os.Symlink(self, stageInit), os.WriteFile(stageArgs, text, 0o600))
}

// boot is a running guest kernel.
type boot struct {
	stderr io.Writer
	cmd    *exec.Cmd

	control *os.File   // lines for the guest's init
	ours    []*os.File // our ends
	theirs  []*os.File // the kernel's ends, closed once it has them
	outputs []func()   // each copies one of the outputs until it ends
	relays  sync.WaitGroup

	said bytes.Buffer // received over the result line
}

// connect creates the pipes behind the console and the serial lines.
func (b *boot) connect(log string) error {
	keep, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log of User-Mode Linux: %w", err)
	}
	b.ours = append(b.ours, keep)
	in, control, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("creating the guest's control pipe: %w", err)
	}
	b.control = control
	b.ours, b.theirs = append(b.ours, control), append(b.theirs, in)
	console, err := b.output(&limited{keep, guestLogLimit})
	if err != nil {
		return err
	}
	messages, err := b.output(b.stderr)
	if err != nil {
		return err
	}
	result, err := b.output(&limited{&b.said, guestOutLimit})
	if err != nil {
		return err
	}
	b.cmd.Stdout, b.cmd.Stderr = console, console
	b.cmd.ExtraFiles = []*os.File{in, messages, result} // fd 3, 4, 5
	b.cmd.Env = []string{searchPath, "TMPDIR=" + stageDir, "HOME=" + stageDir}
	b.cmd.Dir = "/"
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return nil
}

// output creates a pipe whose content is copied to w.
func (b *boot) output(w io.Writer) (*os.File, error) {
	from, to, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("creating a pipe for the guest's output: %w", err)
	}
	b.ours, b.theirs = append(b.ours, from), append(b.theirs, to)
	b.outputs = append(b.outputs, func() { io.Copy(w, from) })
	return to, nil
}

// started closes our copies of the kernel's ends and starts to relay its output.
func (b *boot) started() {
	for _, f := range b.theirs {
		f.Close()
	}
	b.theirs = nil
	for _, relay := range b.outputs {
		b.relays.Go(relay)
	}
}

func (b *boot) close() {
	for _, f := range append(b.ours, b.theirs...) {
		f.Close()
	}
}

// result splits what the result line delivered into the output and the exit status
// of the lab's init.
func (b *boot) result() (out []byte, status int, ok bool) {
	text := b.said.Bytes()
	i := bytes.LastIndex(text, []byte(statusLine))
	if i < 0 {
		return nil, 0, false
	}
	status, err := strconv.Atoi(strings.TrimSpace(string(text[i+len(statusLine):])))
	return text[:i], status, err == nil
}

// limited passes on a limited number of bytes and drops the rest.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if n := min(len(p), l.left); n > 0 {
		l.left -= n
		if _, err := l.to.Write(p[:n]); err != nil {
			return 0, err
		}
		if l.left == 0 {
			io.WriteString(l.to, "\n(the rest was dropped)\n")
		}
	}
	return len(p), nil
}

// GuestName returns the record's name for the guest's kernel, such as
// "uml 6.1.176".
func GuestName() string { return "uml " + kernelRelease() }

// GuestLogPath returns the path of the guest kernel's log.
func GuestLogPath(logs string) string { return filepath.Join(logs, GuestLog) }

// guestSlower is how many times longer a start may take in a guest. ptrace
// intercepts every system call of the guest's programs, which takes several
// context switches, and all programs share one CPU.
const guestSlower = 4
