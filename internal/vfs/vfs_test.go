package vfs_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"

	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/internal/vfs/crashfs"
)

// conform checks what FS and File promise, on an empty directory.
func conform(t *testing.T, s vfs.FS) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		t.Helper()
		f, err := s.Open(name)
		must(err)
		defer f.Close()
		n, err := f.Size()
		must(err)
		b := make([]byte, n)
		if k, err := f.ReadAt(b, 0); k != len(b) || (err != nil && err != io.EOF) {
			t.Fatalf("ReadAt: %d of %d bytes, %v", k, n, err)
		}
		return string(b)
	}
	names := func(want ...string) {
		t.Helper()
		got, err := s.List()
		must(err)
		if !slices.Equal(got, want) {
			t.Fatalf("files %q, want %q", got, want)
		}
	}

	names()
	if _, err := s.Open("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening what is not there: %v", err)
	}
	if err := s.Remove("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removing what is not there: %v", err)
	}
	if err := s.Rename("a", "b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("renaming what is not there: %v", err)
	}
	for _, name := range []string{"", ".", "..", "a/b", "/a", "../a", "a\x00"} {
		_, err1 := s.Open(name)
		_, err2 := s.Create(name)
		for i, err := range []error{err1, err2, s.Remove(name), s.Rename(name, "b"), s.Rename("b", name)} {
			if !errors.Is(err, vfs.ErrName) {
				t.Errorf("name %q, call %d: %v", name, i, err)
			}
		}
	}

	f, err := s.Create("a")
	must(err)
	_, err = f.WriteAt([]byte("hello"), 0)
	must(err)
	_, err = f.WriteAt([]byte("world"), 1000)
	must(err)
	must(f.Sync())
	must(s.SyncDir())
	if want := "hello" + string(make([]byte, 995)) + "world"; read("a") != want {
		t.Errorf("a file with a hole reads %q", read("a"))
	}
	b := make([]byte, 8)
	if n, err := f.ReadAt(b, 1002); n != 3 || err != io.EOF || string(b[:3]) != "rld" {
		t.Errorf("reading over the end: %d, %v, %q", n, err, b[:n])
	}
	if n, err := f.ReadAt(b, 5000); n != 0 || err != io.EOF {
		t.Errorf("reading behind the end: %d, %v", n, err)
	}

	must(f.Truncate(3))
	must(f.Truncate(6))
	if read("a") != "hel\x00\x00\x00" {
		t.Errorf("cut and grown: %q", read("a"))
	}
	must(f.Truncate(3))

	g, err := s.Create("b")
	must(err)
	_, err = g.WriteAt([]byte("second"), 0)
	must(err)
	names("a", "b")
	must(s.Rename("b", "a"))
	names("a")
	if read("a") != "second" {
		t.Errorf("after rename: %q", read("a"))
	}
	// The file that lost its name is still there for who has it open.
	if n, _ := f.ReadAt(b, 0); string(b[:n]) != "hel" {
		t.Errorf("the replaced file reads %q", b[:n])
	}
	must(f.Close())
	if _, err := f.ReadAt(b, 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("reading a closed file: %v", err)
	}
	if _, err := f.WriteAt(b, 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("writing a closed file: %v", err)
	}

	h, err := s.Create("a") // empties it, for all who have it open
	must(err)
	if n, err := g.Size(); n != 0 || err != nil {
		t.Errorf("a file created again has %d bytes, %v", n, err)
	}
	must(g.Close())
	big := bytes.Repeat([]byte("0123456789abcdef"), 5000)
	_, err = h.WriteAt(big, 0)
	must(err)
	must(h.Sync())
	must(h.Close())
	if read("a") != string(big) {
		t.Error("80,000 bytes read back differ")
	}
	must(s.Remove("a"))
	must(s.SyncDir())
	names()
}

func TestCrashFS(t *testing.T) { conform(t, crashfs.New()) }
