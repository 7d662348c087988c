package leftovers

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// The folders whose entries are noted: where the container runtime looks for
// configurations and plugins (its defaults), and where the reference plugins keep
// their state (containernetworking/plugins v1.9.1, host-local).
const (
	ConfFolder = "/etc/cni/net.d"
	BinFolder  = "/opt/cni/bin"
	DataFolder = "/var/lib/cni"
)

// ofRuntime is where the container runtime keeps the plugins' results, whatever
// plugin it calls (containernetworking/cni v1.3.0, libcni/api.go).
const ofRuntime = "results"

// Mounts lists the node's directories that Node.Root has to hold.
var Mounts = []string{"/run", "/var/lib", "/var/log", ConfFolder, BinFolder}

// mostFiles bounds the entries of a folder that are noted.
const mostFiles = 2000

// Folder returns the path under which a folder of the node is noted: /var/run is
// /run on all nodes (FHS 3.0, 5.13).
func Folder(p string) string {
	p = path.Clean("/" + p)
	if rest, ok := strings.CutPrefix(p, "/var/run/"); ok {
		return "/run/" + rest
	}
	return p
}

// mounted reports whether a folder is inside one of Mounts.
func (n Node) mounted(folder string) bool {
	return slices.ContainsFunc(Mounts, func(m string) bool { return strings.HasPrefix(Folder(folder)+"/", m+"/") })
}

// files lists the entries of the CNI folders, and the plugins' own folders that
// exist.
func (n Node) files() ([]thing, error) {
	root, err := os.OpenRoot(n.Root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var paths []string
	for _, folder := range []string{ConfFolder, BinFolder, DataFolder, DataFolder + "/networks"} {
		entries, err := readDir(root, folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if folder == DataFolder && e.Name() == ofRuntime {
				continue
			}
			paths = append(paths, path.Join(folder, e.Name()))
		}
	}
	for _, folder := range n.Folders {
		folder = Folder(folder)
		if _, err := root.Lstat(inside(folder)); err == nil && n.mounted(folder) && !slices.Contains(Mounts, folder) && !slices.Contains(paths, folder) {
			paths = append(paths, folder)
		}
	}
	var all []thing
	for _, p := range paths {
		all = append(all, thing{Item{Kind: File, Name: p, In: Owner{File, path.Dir(p)}}, func() error { return n.removeFile(p) }})
	}
	return all, nil
}

// inside returns the path of a node's file relative to the root.
func inside(p string) string { return strings.TrimPrefix(p, "/") }

func readDir(root *os.Root, folder string) ([]fs.DirEntry, error) {
	f, err := root.Open(inside(folder))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(mostFiles + 1)
	if len(entries) > mostFiles {
		return nil, fmt.Errorf("%s holds more than %d entries", folder, mostFiles)
	}
	if errors.Is(err, io.EOF) { // the folder is empty
		err = nil
	}
	return entries, err
}

// removeFile removes a file or a folder with what is in it. Links in the node's
// folders do not lead out of them.
func (n Node) removeFile(p string) error {
	root, err := os.OpenRoot(n.Root)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.RemoveAll(inside(p))
}
