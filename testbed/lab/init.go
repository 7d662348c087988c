package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// InitCommand is the hidden command under which the program runs as the init of a
// lab: PID 1 in private namespaces.
const InitCommand = "lab-init"

// Flags of InitCommand. UMLFlag boots the lab's own kernel first; GuestFlag says
// that init runs in that kernel.
const (
	UMLFlag   = "--uml"
	GuestFlag = "--guest"
)

// The init's main goroutine keeps the main thread. A thread that enters a node's
// namespaces is discarded afterwards, which is impossible for the main thread: the
// runtime would park it inside the node, and /proc/self with it.
func init() {
	if len(os.Args) > 1 && os.Args[1] == InitCommand {
		runtime.LockOSThread()
	}
}

// stopPatience is how long a lab may take to stop when asked to. All that it has
// left to do then is to sync the journal.
const stopPatience = 1500 * time.Millisecond

// patience returns stopPatience, or more for a lab in a kernel of its own.
func patience(args []string) time.Duration {
	if slices.Contains(args, UMLFlag) || slices.Contains(args, GuestFlag) {
		return guestSlower * stopPatience
	}
	return stopPatience
}

// stopLine asks init to end the run early but in an orderly way. The end of init's
// standard input means that the parent is gone.
const stopLine = "stop\n"

// Spawn re-executes this program as the init of a new lab with the given
// arguments and waits for it. The lab has PID, mount, network, IPC and UTS
// namespaces of its own and, unless the caller is root, a user namespace. When
// this process ends, however it ends, the kernel kills everything in them.
//
// Cancelling ctx asks init to stop; if it does not stop within its patience, the
// lab is killed. If init exits with a status other than 0, the error is an
// *exec.ExitError.
func Spawn(ctx context.Context, stdout, stderr io.Writer, args ...string) error {
	// PR_SET_PDEATHSIG sends its signal when the *thread* that forked ends, so this
	// goroutine keeps its thread until init is gone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	control, parent, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("creating init's control pipe: %w", err)
	}
	defer parent.Close()

	cmd := exec.Command("/proc/self/exe", append([]string{InitCommand}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = control, stdout, stderr
	cmd.SysProcAttr = namespaces()
	err = cmd.Start()
	control.Close()
	if err != nil {
		return fmt.Errorf("starting the lab in namespaces of its own: %w%s", err, namespaceHint(err))
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		io.WriteString(parent, stopLine)
		select {
		case <-ended:
		case <-time.After(patience(args)):
			cmd.Process.Kill()
		}
	})
	defer stop()
	defer close(ended)
	return cmd.Wait()
}

// namespaces returns the attributes that create the lab's namespaces. Setsid keeps
// a terminal's Ctrl-C from reaching the agents before init is asked to stop.
func namespaces() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true,
	}
	if !Privileged() {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// Privileged reports whether this process may create namespaces without a user
// namespace: it is root and has CAP_SYS_ADMIN, which root in a container may lack.
func Privileged() bool {
	if os.Geteuid() != 0 {
		return false
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// namespaceHint names the usual obstacle to creating namespaces.
func namespaceHint(err error) string {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return " (user namespaces are disabled for ordinary users: check the sysctls kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces)"
	case errors.Is(err, unix.ENOSPC):
		return " (the limit on namespaces is reached: check the sysctls user.max_*_namespaces)"
	}
	return ""
}

// Enter is init's side of [Spawn] and must be the first thing that the hidden
// command does. writable is the one directory of the machine that stays writable
// ("" for none); everything else is read-only in the lab. The returned context
// ends when the parent asks init to stop. When the parent is gone, the process
// exits at once, and the kernel kills everything in the lab.
func Enter(ctx context.Context, writable string) (context.Context, error) {
	if os.Getpid() != 1 {
		return nil, errors.New("this command is the lab's init; only cnibench run may start it")
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return nil, fmt.Errorf("asking to be killed with the parent: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	go watchParent(cancel)
	if err := privateMounts(writable); err != nil {
		return nil, err
	}
	return ctx, loopbackUp()
}

// watchParent stops the run when the parent asks for it, and exits when the parent
// is gone.
func watchParent(stop func()) {
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			os.Exit(1)
		}
		if line == stopLine {
			stop()
		}
	}
}

// privateMounts makes the machine's file system read-only for the lab, except for
// one directory, and mounts a /proc for the lab's PID namespace. In /proc/sys only
// net/ stays writable: those sysctls belong to the network namespace, while the
// others would be the machine's if the lab runs as root.
func privateMounts(writable string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the lab's mounts private: %w", err)
	}
	readOnly := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &readOnly); err != nil {
		return fmt.Errorf("making the machine's files read-only for the lab (needs Linux 5.12): %w", err)
	}
	if writable != "" {
		if err := unix.Mount(writable, writable, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting the run directory %s: %w", writable, err)
		}
		readWrite := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
		if err := unix.MountSetattr(unix.AT_FDCWD, writable, 0, &readWrite); err != nil {
			return fmt.Errorf("making the run directory %s writable for the lab: %w", writable, err)
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting the lab's /proc: %w", err)
	}
	for _, m := range []struct {
		dir  string
		attr unix.MountAttr
	}{
		{"/proc/sys", unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}},
		{"/proc/sys/net", unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}},
	} {
		if err := unix.Mount(m.dir, m.dir, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", m.dir, err)
		}
		if err := unix.MountSetattr(unix.AT_FDCWD, m.dir, 0, &m.attr); err != nil {
			return fmt.Errorf("protecting %s: %w", m.dir, err)
		}
	}
	return nil
}
