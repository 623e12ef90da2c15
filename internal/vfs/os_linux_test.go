package vfs_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/internal/vfs"
)

func openDir(t *testing.T, dir string) *vfs.Dir {
	t.Helper()
	d, err := vfs.OS(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestOS(t *testing.T) { conform(t, openDir(t, t.TempDir())) }

func TestOSRefuses(t *testing.T) {
	dir := t.TempDir()
	d := openDir(t, dir)
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(path string) error{
		"link":     func(p string) error { return os.Symlink(other, p) },
		"dangling": func(p string) error { return os.Symlink(other+"x", p) },
		"dir":      func(p string) error { return os.Mkdir(p, 0o700) },
		"fifo":     func(p string) error { return unix.Mkfifo(p, 0o600) },
	} {
		if err := make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Open(name); err == nil {
			t.Errorf("%s: opened", name)
		}
		if _, err := d.Create(name); err == nil {
			t.Errorf("%s: created over", name)
		}
	}
	if b, err := os.ReadFile(other); string(b) != "precious" {
		t.Errorf("behind the link: %q, %v", b, err)
	}
	if _, err := os.Stat(other + "x"); err == nil {
		t.Error("a file was made behind the dangling link")
	}
	if names, err := d.List(); len(names) != 0 || err != nil {
		t.Errorf("listed %q, %v", names, err)
	}
	if _, err := vfs.OS(other); err == nil {
		t.Error("a file taken for a directory")
	}
}

func TestOSMode(t *testing.T) {
	dir := t.TempDir()
	d := openDir(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "old"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"old", "new"} {
		f, err := d.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || st.Mode() != 0o600 || st.Size() != 0 {
			t.Errorf("%s: mode %v, %d bytes, %v", name, st.Mode(), st.Size(), err)
		}
	}
}

// The FS is the directory, wherever it went, not what has its path now.
func TestOSStaysInItsDirectory(t *testing.T) {
	top := t.TempDir()
	was, is := filepath.Join(top, "was"), filepath.Join(top, "is")
	if err := os.Mkdir(was, 0o700); err != nil {
		t.Fatal(err)
	}
	d := openDir(t, was)
	if err := errors.Join(os.Rename(was, is), os.Mkdir(was, 0o700)); err != nil {
		t.Fatal(err)
	}
	f, err := d.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := os.Stat(filepath.Join(is, "a")); err != nil {
		t.Error(err)
	}
}

func TestDropCache(t *testing.T) {
	d := openDir(t, t.TempDir())
	f, err := d.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("kept"), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.(vfs.Dropper).DropCache(); err != nil {
		t.Error(err)
	}
	b := make([]byte, 4)
	if _, err := f.ReadAt(b, 0); err != nil || string(b) != "kept" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	a, err := vfs.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vfs.Lock(dir); !errors.Is(err, vfs.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second lock: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := vfs.Lock(dir)
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	b.Close()
	if _, err := vfs.Lock(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("locking what is not there: %v", err)
	}
}

// A tmpfs mounted read-only, in a mount namespace of its own. The test binary
// runs itself again inside it.
func TestOSReadOnly(t *testing.T) {
	if dir := os.Getenv("READ_ONLY_DIR"); dir != "" {
		readOnly(t, dir)
		return
	}
	const script = `mount -t tmpfs none "$1" && echo content > "$1/a" && mount -o remount,ro "$1" || exit 77
READ_ONLY_DIR="$1" exec "$2" -test.run='^TestOSReadOnly$'`
	out, err := exec.Command("unshare", "-m", "sh", "-c", script, "sh", t.TempDir(), os.Args[0]).CombinedOutput()
	if strings.Contains(string(out), "FAIL") {
		t.Fatalf("%s", out)
	}
	if err != nil {
		t.Skipf("nothing can be mounted here: %v %s", err, out)
	}
	if !strings.Contains(string(out), "PASS") {
		t.Errorf("the test inside did not run: %s", out)
	}
}

func readOnly(t *testing.T, dir string) {
	d := openDir(t, dir)
	f, err := d.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 7)
	if _, err := f.ReadAt(b, 0); err != nil || string(b) != "content" {
		t.Errorf("%q, %v", b, err)
	}
	if err := errors.Join(f.Sync(), d.SyncDir()); err != nil {
		t.Errorf("nothing to sync: %v", err)
	}
	_, err1 := f.WriteAt(b, 0)
	_, err2 := d.Create("a")
	_, err3 := d.Create("b")
	for i, err := range []error{err1, err2, err3, f.Truncate(0), d.Rename("a", "b"), d.Remove("a")} {
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if _, err := d.Open("none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("not there: %v", err)
	}
	if _, err := vfs.Lock(dir); err != nil {
		t.Errorf("lock: %v", err)
	}
}
