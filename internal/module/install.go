package module

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A Root is one of the root file systems, and how a package gets into it.
type Root struct {
	Name    string // of the image, without its suffix
	Install string // shell command; $1 is the package's file
}

// Roots with a package tool of their own. Nothing in Debian installs an .ipk, so
// the small root does what opkg does with one: unpack it, run its scripts.
var (
	Debian = Root{Name: "debian", Install: `dpkg -i "$1"`}
	Small  = Root{Name: "small", Install: `/usr/lib/box/unpack "$1"`}
)

// Install makes a root with a package in it: an image in dir on top of the
// root's own, which Boot takes as Options.Root. What else is to be in it, do
// does in the box after the installation.
func Install(ctx context.Context, dir, images string, root Root, pkg string, do func(*Box) error) (string, error) {
	image := filepath.Join(dir, root.Name+".qcow2")
	if err := Overlay(image, filepath.Join(images, root.Name+".ext4")); err != nil {
		return "", err
	}
	b, err := Boot(ctx, filepath.Join(dir, "install"), Options{Images: images, Root: image, Writable: true})
	if err != nil {
		return "", err
	}
	defer b.Kill()
	if err := b.Install(ctx, root, pkg); err != nil {
		return "", err
	}
	if err := do(b); err != nil {
		return "", err
	}
	return image, b.Off(ctx)
}

// Install installs a package of this machine in the box.
func (b *Box) Install(ctx context.Context, root Root, pkg string) error {
	content, err := os.ReadFile(pkg)
	if err != nil {
		return err
	}
	path := "/run/" + filepath.Base(pkg)
	if err := b.Put(ctx, path, content); err != nil {
		return err
	}
	_, err = b.Run(ctx, `set -- '`+path+`'; `+root.Install, nil)
	return err
}

// Overlay makes a disk image that has what another one has, and keeps its own
// changes. The other one may be raw, or qcow2 if it is called so.
func Overlay(image, below string) error {
	format := "raw"
	if filepath.Ext(below) == ".qcow2" {
		format = "qcow2"
	}
	below, err := filepath.Abs(below)
	if err != nil {
		return err
	}
	out, err := exec.Command("qemu-img", "create", "-q", "-f", "qcow2", "-b", below, "-F", format, image).CombinedOutput()
	if err != nil {
		return fmt.Errorf("making %s: %w: %s", image, err, out)
	}
	return nil
}

// Blank makes an empty data disk.
func Blank(image string, size int64) error {
	f, err := os.Create(image)
	if err != nil {
		return err
	}
	err = f.Truncate(size)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", "-L", "data", "-E", "lazy_itable_init=0,lazy_journal_init=0", image).CombinedOutput(); err != nil {
		return fmt.Errorf("making a file system in %s: %w: %s", image, err, out)
	}
	return nil
}
