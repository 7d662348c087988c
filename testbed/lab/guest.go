package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// GuestCommand is the hidden command under which the program runs as the init of
// the lab's own kernel (see [Boot]).
const GuestCommand = "lab-guest"

func init() {
	// As with InitCommand, only the main goroutine may run on the main thread.
	if len(os.Args) > 1 && os.Args[1] == GuestCommand {
		runtime.LockOSThread()
	}
}

// Where the modules of User-Mode Linux are, and where the guest's modprobe finds
// them: below a root of its own (modprobe(8)), since the machine's files cannot be
// changed.
const (
	guestModulesDir = "/usr/lib/uml/modules"
	moduleRoot      = "/run/modules"
	moduleLoader    = moduleRoot + "/modprobe"
)

// unaskedModules lists the modules that the kernel does not load on demand:
// /dev/net/tun appears only with its module, and legacy iptables loads the module
// of a table itself, with a modprobe that it does not find on a node.
var unaskedModules = []string{"tun", "br_netfilter", "iptable_filter", "iptable_nat", "iptable_mangle", "iptable_raw"}

// Guest is the first process of the guest's kernel. It mounts file systems, makes
// the kernel's modules available, runs a lab as on any machine ([Spawn]), passes
// its exit status to [Boot] and powers the kernel off. It does not return.
func Guest(ctx context.Context) {
	err := guest(ctx)
	if err != nil {
		// The console is the kernel's log, which Boot quotes.
		fmt.Fprintf(os.Stderr, "cnibench: preparing the guest: %v\n", err)
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func guest(ctx context.Context) error {
	if os.Getpid() != 1 {
		return errors.New("this command is the init of User-Mode Linux; only cnibench run may start it")
	}
	order, err := readOrder()
	if err != nil {
		return err
	}
	if err := guestMounts(order.Dir); err != nil {
		return err
	}
	if err := guestModuleLoading(); err != nil {
		return err
	}
	if err := legacyTables(); err != nil {
		return err
	}
	messages, err := serialLine(messageLine)
	if err != nil {
		return err
	}
	result, err := serialLine(resultLine)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for lines := bufio.NewReader(messages); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			if line == stopLine {
				stop()
			}
		}
	}()
	status := 0
	var exit *exec.ExitError
	switch err := Spawn(ctx, result, messages, order.Args...); {
	case errors.As(err, &exit):
		status = exit.ExitCode()
	case err != nil:
		fmt.Fprintf(messages, "cnibench: %v\n", err)
		status = 1
	}
	_, err = io.WriteString(result, statusLine+fmt.Sprintln(status))
	return errors.Join(err, drain(messages), drain(result))
}

func readOrder() (order guestOrder, err error) {
	text, err := os.ReadFile(stageArgs)
	if err != nil {
		return order, fmt.Errorf("reading the guest's order: %w", err)
	}
	if err := json.Unmarshal(text, &order); err != nil {
		return order, fmt.Errorf("reading the guest's order: %w", err)
	}
	return order, nil
}

// guestMounts mounts the guest's own file systems. The machine's files are the
// read-only root; the one directory that is writable is mounted again.
func guestMounts(dir string) error {
	for _, m := range []struct{ kind, dir string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/run"},
	} {
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", m.dir, err)
		}
	}
	if dir == "" {
		return nil
	}
	if err := unix.Mount("none", dir, "hostfs", 0, dir); err != nil {
		return fmt.Errorf("mounting the run directory: %w", err)
	}
	return nil
}

// guestModuleLoading lets the kernel load its modules on demand, as on any
// distribution (proc(5), /proc/sys/kernel/modprobe).
func guestModuleLoading() error {
	modprobe, err := guestModules.Path("")
	if err != nil {
		return err
	}
	release := kernelRelease()
	if err := os.MkdirAll(filepath.Join(moduleRoot, "lib/modules"), 0o755); err != nil {
		return fmt.Errorf("creating a directory for modules: %w", err)
	}
	script := fmt.Sprintf("#!/bin/sh\nexec %s -d %s \"$@\"\n", modprobe, moduleRoot)
	err = errors.Join(
		os.Symlink(filepath.Join(guestModulesDir, release), filepath.Join(moduleRoot, "lib/modules", release)),
		os.WriteFile(moduleLoader, []byte(script), 0o755),
		os.WriteFile("/proc/sys/kernel/modprobe", []byte(moduleLoader), 0))
	if err != nil {
		return fmt.Errorf("preparing the guest's modules: %w", err)
	}
	if out, err := exec.Command(moduleLoader, append([]string{"-a"}, unaskedModules...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("loading modules: %w: %s", err, firstLine(out))
	}
	return nil
}

// legacyTables makes iptables use the kernel's legacy tables. User-Mode Linux is
// built without the nf_tables family of IPv4 (CONFIG_NF_TABLES_IPV4), and
// iptables-nft fails there with "TABLE_ADD failed". Both variants are one program
// with many names each, so one mount replaces them all.
func legacyTables() error {
	iptables, ok := FindProgram("iptables")
	if !ok {
		return nil
	}
	path, err := iptables.Path("")
	if err != nil {
		return nil // no plugin of this run calls it
	}
	program, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("finding the program behind iptables: %w", err)
	}
	legacy := filepath.Join(filepath.Dir(program), "xtables-legacy-multi")
	if _, err := os.Stat(legacy); err != nil || program == legacy {
		return nil
	}
	if err := unix.Mount(legacy, program, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting %s over iptables: %w", legacy, err)
	}
	return nil
}

// serialLine opens a serial line in raw mode.
func serialLine(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a serial line: %w", err)
	}
	mode, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("reading the mode of %s: %w", path, err)
	}
	// cfmakeraw(3)
	mode.Iflag, mode.Oflag = 0, 0
	mode.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, mode); err != nil {
		return nil, fmt.Errorf("setting the mode of %s: %w", path, err)
	}
	return f, nil
}

// drain waits until a serial line has sent all its output (tcdrain(3)).
func drain(f *os.File) error {
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TCSBRK, 1); err != nil {
		return fmt.Errorf("draining %s: %w", f.Name(), err)
	}
	return nil
}
