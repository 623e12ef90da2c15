package device

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/boatd/boatd/internal/vfs"
)

func TestRealFiles(t *testing.T) {
	dir := t.TempDir()
	d, err := vfs.OS(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	idFile := filepath.Join(t.TempDir(), "serial")
	if err := os.WriteFile(idFile, []byte("S1\x00"), 0o400); err != nil {
		t.Fatal(err)
	}
	o := Options{FS: d, IDs: []string{idFile, "/nonexistent/serial"}, ReadID: ReadID, Rand: rand.Reader}
	k := mustKEK(t, New(o))
	if err := New(o).Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := mustKEK(t, New(o)); bytes.Equal(k, again) {
		t.Error("Renew kept the key")
	}
	if New(o).Label() != "device" {
		t.Error("label")
	}
	info, err := os.Stat(filepath.Join(dir, liveName))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestReadID(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, size := range map[string]int{"empty": 0, "most": maxID, "long": maxID + 1} {
		if err := os.WriteFile(path(name), bytes.Repeat([]byte{'x'}, size), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := ReadID(path(name))
		if size > maxID && err == nil || size <= maxID && (err != nil || len(b) != size) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if err := syscall.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{dir, path("pipe"), "/dev/zero"} {
		if b, err := ReadID(bad); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %d bytes, %v", bad, len(b), err)
		}
	}
	if _, err := ReadID(path("none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
