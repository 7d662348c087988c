package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/spf13/cobra"
)

// defaultImage returns the image name that cnibench image uses and run expects.
func defaultImage() string { return "cnibench.local/cnibench:" + imageTag() }

// imageTag returns the version without the characters that a tag cannot contain.
func imageTag() string {
	tag := []byte(version)
	for i, c := range tag {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			tag[i] = '-'
		}
	}
	return string(tag)
}

func imageCommand(p *program) *cobra.Command {
	var out, tag string
	cmd := &cobra.Command{
		Use:   "image -o FILE",
		Short: "Write this program as a container image, for clusters without a registry",
		Long: `Write an image that contains only this program, as an archive that nodes can
load: ctr -n k8s.io images import FILE, or docker load -i FILE.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage("image needs an output file, such as -o cnibench.tar")
			}
			return writeImage(out, tag)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write")
	cmd.Flags().StringVar(&tag, "tag", defaultImage(), "name of the image")
	return cmd
}

// standsAlone checks that a program runs on Linux without any other file, because the image
// contains nothing else.
func standsAlone(path string) error {
	f, err := elf.Open(path)
	var format *elf.FormatError
	if errors.As(err, &format) || errors.Is(err, io.EOF) || err == nil && f.OSABI != elf.ELFOSABI_NONE && f.OSABI != elf.ELFOSABI_LINUX {
		return fmt.Errorf("%s is not an executable for Linux, so it cannot start in an image: run make build on Linux and use its bin/cnibench", path)
	}
	if err != nil {
		return fmt.Errorf("reading this program: %w", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		interpreter, err := io.ReadAll(p.Open())
		if err != nil {
			return fmt.Errorf("reading this program: %w", err)
		}
		return fmt.Errorf("%s needs %s to start, which the image does not contain: build it statically with make build (CGO_ENABLED=0) and use its bin/cnibench",
			path, bytes.TrimRight(interpreter, "\x00"))
	}
	return nil
}

func writeImage(path, tag string) (err error) {
	ref, err := name.NewTag(tag)
	if err != nil {
		return usage("--tag is not a valid image name: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if err := standsAlone(self); err != nil {
		return err
	}
	content, err := os.ReadFile(self)
	if err != nil {
		return fmt.Errorf("reading this program: %w", err)
	}
	var layer bytes.Buffer
	t := tar.NewWriter(&layer)
	if err := t.WriteHeader(&tar.Header{Name: "cnibench", Mode: 0o755, Size: int64(len(content))}); err != nil {
		return fmt.Errorf("packing the program: %w", err)
	}
	_, err = t.Write(content)
	if err = errors.Join(err, t.Close()); err != nil {
		return fmt.Errorf("packing the program: %w", err)
	}
	packed, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		return fmt.Errorf("creating the image layer: %w", err)
	}
	image, err := mutate.AppendLayers(empty.Image, packed)
	if err != nil {
		return fmt.Errorf("creating the image: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("creating the image: %w", err)
	}
	config = config.DeepCopy()
	config.Architecture, config.OS = runtime.GOARCH, "linux"
	config.Config.Entrypoint, config.Config.User = []string{"/cnibench"}, "65532"
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return fmt.Errorf("creating the image: %w", err)
	}
	if err := tarball.WriteToFile(path, ref, image); err != nil {
		return fmt.Errorf("writing the image: %w", err)
	}
	return nil
}
