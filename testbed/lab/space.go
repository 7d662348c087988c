package lab

import (
	"fmt"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// space is a set of namespaces: a network namespace and, for nodes, a mount and a
// UTS namespace. It exists as long as its descriptors are open or a process runs in
// it.
type space struct {
	name string
	net  *os.File
	mnt  *os.File // nil: the mounts of the lab's init
	uts  *os.File // nil: likewise
	nl   *netlink.Handle
}

// newSpace creates namespaces, on a thread of its own that ends afterwards. If
// prepare is not nil, it runs inside the namespaces before the space is used, for
// example to mount file systems.
func newSpace(name string, flags int, prepare func() error) (*space, error) {
	s := &space{name: name}
	err := onOwnThread(func() error {
		// CLONE_FS: a thread that shares its root and working directory with
		// the others cannot have mounts of its own (setns(2)).
		if err := unix.Unshare(flags | unix.CLONE_FS); err != nil {
			return fmt.Errorf("unsharing namespaces: %w", err)
		}
		if prepare != nil {
			if err := prepare(); err != nil {
				return err
			}
		}
		for _, ns := range []struct {
			flag int
			file string
			to   **os.File
		}{
			{unix.CLONE_NEWNET, "net", &s.net},
			{unix.CLONE_NEWNS, "mnt", &s.mnt},
			{unix.CLONE_NEWUTS, "uts", &s.uts},
		} {
			if flags&ns.flag == 0 {
				continue
			}
			f, err := os.Open("/proc/thread-self/ns/" + ns.file)
			if err != nil {
				return fmt.Errorf("opening the %s namespace: %w", ns.file, err)
			}
			*ns.to = f
		}
		return loopbackUp()
	})
	if err != nil {
		return nil, fmt.Errorf("creating %s: %w", name, err)
	}
	s.nl, err = netlink.NewHandleAt(netns.NsHandle(s.net.Fd()), unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening netlink in %s: %w", name, err)
	}
	return s, nil
}

// loopbackUp brings lo up in the calling thread's network namespace.
func loopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("finding lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bringing lo up: %w", err)
	}
	return nil
}

// Do calls f on a thread inside the namespaces. Processes and sockets that f
// creates are inside them too; goroutines that f starts are not.
func (s *space) Do(f func() error) error {
	return onOwnThread(func() error {
		if s.mnt != nil {
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				return fmt.Errorf("entering %s: %w", s.name, err)
			}
		}
		for _, ns := range []struct {
			file *os.File
			flag int
		}{{s.mnt, unix.CLONE_NEWNS}, {s.uts, unix.CLONE_NEWUTS}, {s.net, unix.CLONE_NEWNET}} {
			if ns.file == nil {
				continue
			}
			if err := unix.Setns(int(ns.file.Fd()), ns.flag); err != nil {
				return fmt.Errorf("entering %s: %w", s.name, err)
			}
		}
		return f()
	})
}

// close closes the namespaces. Processes that still run in them keep them in
// existence.
func (s *space) close() {
	s.nl.Close()
	for _, f := range []*os.File{s.net, s.mnt, s.uts} {
		if f != nil {
			f.Close()
		}
	}
}

// onOwnThread calls f on a new thread that is discarded afterwards: a
// goroutine that ends while locked takes its thread with it, so no other
// goroutine can ever run in the namespaces that f entered.
func onOwnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}
