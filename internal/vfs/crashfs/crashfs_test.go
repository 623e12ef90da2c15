package crashfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/boatd/boatd/internal/vfs"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, s *FS, name string) vfs.File {
	t.Helper()
	f, err := s.Create(name)
	must(t, err)
	return f
}

func write(t *testing.T, f vfs.File, p []byte, off int64) {
	t.Helper()
	n, err := f.WriteAt(p, off)
	must(t, err)
	if n != len(p) {
		t.Fatalf("wrote %d of %d bytes", n, len(p))
	}
}

// durable makes a file whose bytes and name are on the medium.
func durable(t *testing.T, s *FS, name string, p []byte) vfs.File {
	t.Helper()
	f := create(t, s, name)
	write(t, f, p, 0)
	must(t, f.Sync())
	must(t, s.SyncDir())
	return f
}

func content(s *FS, name string) string {
	f, err := s.Open(name)
	if err != nil {
		return "none"
	}
	defer f.Close()
	n, _ := f.Size()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, n))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// shape writes a file's sectors as one letter each: what they are filled with.
// "-" is an empty file, "none" no file.
func shape(s *FS, name string) string {
	if _, err := s.Open(name); err != nil {
		return "none"
	}
	text := content(s, name)
	if text == "" {
		return "-"
	}
	var b strings.Builder
	for ; text != ""; text = text[min(len(text), sectorSize):] {
		c := text[0]
		if strings.Trim(text[:min(len(text), sectorSize)], text[:1]) != "" {
			c = '?'
		}
		b.WriteByte(max(c, '0'))
	}
	return b.String()
}

// found returns all outcomes as texts, sorted, each once.
func found(s *FS, limit int, names ...string) []string {
	var all []string
	for _, t := range s.Outcomes(limit, 1) {
		var parts []string
		for _, name := range names {
			parts = append(parts, shape(t, name))
		}
		all = append(all, strings.Join(parts, " "))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func sectors(c byte, n int) []byte { return bytes.Repeat([]byte{c}, n*sectorSize) }

func wantOutcomes(t *testing.T, s *FS, names string, want ...string) {
	t.Helper()
	slices.Sort(want)
	got := found(s, 1<<16, strings.Fields(names)...)
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %q\nwant     %q", got, want)
	}
}

func TestWriteIsTorn(t *testing.T) {
	s := New()
	f := durable(t, s, "a", sectors('a', 3))
	wantOutcomes(t, s, "a", "aaa")
	write(t, f, sectors('b', 2), 0)
	wantOutcomes(t, s, "a", "aaa", "baa", "aba", "bba")
	write(t, f, sectors('c', 1), 512) // over a pending piece: the medium has either or none
	wantOutcomes(t, s, "a", "aaa", "baa", "aba", "bba", "aca", "bca")
	must(t, f.Sync())
	wantOutcomes(t, s, "a", "bca")
}

func TestUnalignedWrite(t *testing.T) {
	s := New()
	f := durable(t, s, "a", sectors('a', 2))
	write(t, f, []byte("bb"), 511)
	var got []string
	for _, c := range s.Outcomes(100, 1) {
		got = append(got, content(c, "a")[510:514])
	}
	if want := []string{"aaaa", "abaa", "aaba", "abba"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSizeAndBytesAreApart(t *testing.T) {
	s := New()
	f := durable(t, s, "a", nil)
	write(t, f, sectors('a', 2), 0)
	// The size may come without bytes, the bytes not without the size.
	wantOutcomes(t, s, "a", "-", "00", "a0", "0a", "aa")
	must(t, f.Sync())
	must(t, f.Truncate(sectorSize))
	must(t, f.Truncate(2*sectorSize))
	wantOutcomes(t, s, "a", "aa", "a0", "a")
	must(t, f.Sync())
	wantOutcomes(t, s, "a", "a0")
}

func TestGrownFileShowsOldBytes(t *testing.T) {
	s := New()
	must(t, durable(t, s, "old", sectors('x', 2)).Close())
	must(t, s.Remove("old"))
	f := durable(t, s, "a", nil)
	write(t, f, sectors('a', 2), 0)
	wantOutcomes(t, s, "a", "-", "00", "a0", "0a", "aa", "xx", "ax", "xa")
}

func TestNamesAreApartFromBytes(t *testing.T) {
	s := New()
	must(t, durable(t, s, "a", sectors('a', 1)).Close())
	f := create(t, s, "b")
	write(t, f, sectors('b', 1), 0)
	must(t, f.Sync())
	wantOutcomes(t, s, "a b", "a none", "a b")
	must(t, s.Rename("b", "a"))
	// Never neither, and the rename may come without the creation before it.
	wantOutcomes(t, s, "a b", "a none", "a b", "b none")
	must(t, s.SyncDir())
	wantOutcomes(t, s, "a b", "b none")
	must(t, s.Remove("a"))
	wantOutcomes(t, s, "a", "b", "none")
	must(t, s.SyncDir())
	wantOutcomes(t, s, "a", "none")
}

// The classic mistake, which a simulation must find: replacing a file by one
// that was not synced.
func TestRenameWithoutSyncIsFound(t *testing.T) {
	s := New()
	must(t, durable(t, s, "a", sectors('a', 1)).Close())
	f := create(t, s, "b")
	write(t, f, sectors('b', 1), 0)
	must(t, s.Rename("b", "a"))
	must(t, s.SyncDir())
	wantOutcomes(t, s, "a", "-", "0", "a", "b") // "a": what the replaced file left on the medium
}

func TestCutAfter(t *testing.T) {
	for n := 1; n <= 6; n++ {
		s := New()
		must(t, durable(t, s, "a", sectors('a', 1)).Close())
		s.CutAfter(n)
		f, err := s.Create("b") // 1
		if err == nil {
			_, err = f.WriteAt(sectors('b', 1), 0) // 2
		}
		if err == nil {
			err = f.Sync() // 3
		}
		if err == nil {
			err = s.Rename("b", "a") // 4
		}
		if err == nil {
			err = s.SyncDir() // 5
		}
		if n <= 5 && !errors.Is(err, ErrPower) || n > 5 && err != nil {
			t.Fatalf("cut %d: %v", n, err)
		}
		want := [][]string{
			{"a none", "a -"},
			{"a none", "a -", "a 0", "a b"},
			{"a none", "a -", "a 0", "a b"},
			{"a none", "a b", "b none"},
			{"a none", "a b", "b none"},
			{"b none"},
		}[n-1]
		wantOutcomes(t, s, "a b", want...)
		if n > 5 {
			continue
		}
		_, err1 := s.Open("a")
		_, err2 := s.Create("a")
		_, err3 := s.List()
		errs := []error{err1, err2, err3, s.Remove("a"), s.Rename("a", "b"), s.Rename("x", "b"), s.Remove("x"), s.SyncDir()}
		if f != nil {
			_, err1 = f.WriteAt([]byte("x"), 0)
			_, err2 = f.ReadAt(make([]byte, 1), 0)
			_, err3 = f.Size()
			errs = append(errs, err1, err2, err3, f.Sync(), f.Truncate(0))
		}
		for i, err := range errs {
			if !errors.Is(err, ErrPower) {
				t.Errorf("cut %d, call %d afterwards: %v", n, i, err)
			}
		}
		wantOutcomes(t, s, "a b", want...)
	}
}

// Watch sees at each operation what CutAfter at that operation leaves.
func TestWatchIsCutAfter(t *testing.T) {
	work := func(s *FS) {
		f, err := s.Create("a")
		if err != nil {
			return
		}
		f.WriteAt(sectors('a', 2), 0)
		f.Sync()
		s.SyncDir()
		f.Truncate(700)
		f.Sync()
		s.Rename("a", "b")
		s.Remove("b")
	}
	var watched [][]string
	s := New()
	s.Watch(func() { watched = append(watched, found(s, 1000, "a", "b")) })
	work(s)
	if len(watched) != 8 {
		t.Fatalf("watched %d operations", len(watched))
	}
	for i := range watched {
		c := New()
		c.CutAfter(i + 1)
		work(c)
		if got := found(c, 1000, "a", "b"); !slices.Equal(got, watched[i]) {
			t.Errorf("operation %d: cut %q, watched %q", i+1, got, watched[i])
		}
	}
}

func TestFailedSyncIsNotMadeGoodLater(t *testing.T) {
	s := New()
	f := durable(t, s, "a", sectors('a', 9)) // two pages, of 8 sectors and 1
	write(t, f, sectors('b', 1), 0)
	s.Inject(Fault{At: 1, Count: 1, Err: syscall.EIO})
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	must(t, f.Sync())
	wantOutcomes(t, s, "a", "aaaaaaaaa", "baaaaaaaa")
	write(t, f, sectors('c', 1), 8*sectorSize) // another page
	must(t, f.Sync())
	wantOutcomes(t, s, "a", "aaaaaaaac", "baaaaaaac")
	write(t, f, sectors('d', 1), 7*sectorSize) // the same page
	must(t, f.Sync())
	wantOutcomes(t, s, "a", "baaaaaadc")
}

func TestFailedSyncOfSize(t *testing.T) {
	s := New()
	f := durable(t, s, "a", nil)
	write(t, f, sectors('b', 1), 0)
	s.Inject(Fault{At: 1, Count: 1, Err: syscall.EIO})
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	must(t, f.Sync())
	wantOutcomes(t, s, "a", "-", "0", "b")
	write(t, f, sectors('c', 1), 0)
	must(t, f.Sync())
	wantOutcomes(t, s, "a", "c")
}

func TestFaults(t *testing.T) {
	s := New()
	f := durable(t, s, "a", sectors('a', 4))
	s.Inject(Fault{At: 2, Count: 2, Err: syscall.EIO})
	write(t, f, sectors('b', 1), 0)
	if n, err := f.WriteAt(sectors('c', 2), sectorSize); n != sectorSize || !errors.Is(err, syscall.EIO) {
		t.Errorf("write: %d, %v", n, err)
	}
	if err := f.Truncate(0); !errors.Is(err, syscall.EIO) {
		t.Errorf("truncate: %v", err)
	}
	must(t, f.Sync())
	wantOutcomes(t, s, "a", "bcaa")

	s.Inject(Fault{At: 3, Err: syscall.EROFS})
	write(t, f, sectors('d', 1), 0)
	create(t, s, "c")
	_, err1 := f.WriteAt([]byte("x"), 0)
	_, err2 := s.Create("new")
	_, err3 := s.Create("a")
	for i, err := range []error{err1, err2, err3, f.Truncate(0), f.Sync(), s.SyncDir(), s.Remove("a"), s.Rename("a", "b")} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("call %d on a read-only file system: %v", i, err)
		}
	}
	wantOutcomes(t, s, "a b c new", "bcaa none none none", "bcaa none - none", "dcaa none none none", "dcaa none - none")
	if shape(s, "a") != "dcaa" {
		t.Error("reading does not work any more")
	}
	s.Heal()
	write(t, f, sectors('e', 1), 0)
	must(t, f.Sync())
	must(t, s.SyncDir())
	s.Inject(Fault{At: 1, Err: syscall.EROFS})
	must(t, f.Sync()) // there is nothing to do
	must(t, s.SyncDir())
	s.Heal()
	s.Inject(Fault{At: 1, Err: syscall.EIO})
	if err := errors.Join(f.Sync(), s.SyncDir()); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	s.Heal()

	s.FailReads(syscall.EIO)
	if _, err := f.ReadAt(make([]byte, 9), 0); !errors.Is(err, syscall.EIO) {
		t.Errorf("read: %v", err)
	}
	s.Heal()
	s.ShortReads()
	if n, err := f.ReadAt(make([]byte, 9), 0); n != 5 || err != nil {
		t.Errorf("short read: %d, %v", n, err)
	}
}

func TestSpace(t *testing.T) {
	s := New()
	s.Limit(3 * blockSize)
	f := durable(t, s, "a", sectors('a', 9)) // two blocks
	if n, err := f.WriteAt(sectors('b', 20), 9*sectorSize); n != 15*sectorSize || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("wrote %d sectors, %v", n/sectorSize, err)
	}
	if s.Used() != 3*blockSize {
		t.Errorf("used %d", s.Used())
	}
	write(t, f, sectors('c', 24), 0) // what it has it has
	if err := f.Truncate(4 * blockSize); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("truncate: %v", err)
	}
	g := create(t, s, "b")
	if _, err := g.WriteAt([]byte("x"), 0); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("second file: %v", err)
	}
	must(t, s.Remove("a"))
	if s.Used() != 3*blockSize {
		t.Error("an open file's space was given away")
	}
	must(t, f.Close())
	if s.Used() != 0 {
		t.Errorf("used %d", s.Used())
	}
	write(t, g, sectors('d', 24), 0)
	must(t, g.Truncate(1))
	if s.Used() != blockSize || s.Clone().Used() != blockSize {
		t.Errorf("used %d", s.Used())
	}
	if _, err := g.WriteAt([]byte("x"), 1<<62); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("far away: %v", err)
	}
}

func TestCounters(t *testing.T) {
	s := New()
	f := durable(t, s, "a", sectors('a', 16))
	c := s.Counters()
	if c.Ops != 4 || c.Blocks != 2 || c.Syncs != 1 || c.SizeSyncs != 1 || c.DirSyncs != 1 || c.WriteBytes != 16*sectorSize {
		t.Errorf("%+v", c)
	}
	s.ResetCounters()
	write(t, f, []byte("xx"), blockSize-1) // two blocks
	write(t, f, []byte("yy"), blockSize+9) // the second again
	must(t, f.Sync())
	must(t, f.Sync())
	f.ReadAt(make([]byte, 100), 16*sectorSize-50)
	if c := s.Counters(); c != (Counters{Ops: 4, Writes: 2, WriteBytes: 4, Syncs: 2, Blocks: 2, Reads: 1, ReadBytes: 50}) {
		t.Errorf("%+v", c)
	}
}

func TestFlip(t *testing.T) {
	s := New()
	durable(t, s, "a", sectors('a', 2))
	s.Flip("a", 8*600+1)
	s.Flip("a", 8*2000)
	s.Flip("none", 0)
	want := sectors('a', 2)
	want[600] ^= 2
	if content(s, "a") != string(want) || content(s.Crash(newChoice(0)), "a") != string(want) {
		t.Error("not that bit")
	}
}

func TestPut(t *testing.T) {
	s := New()
	s.Put("a", []byte("one"))
	s.Put("a", []byte("two"))
	if got := found(s, 10, "a"); s.Pending() != 0 || content(s, "a") != "two" || len(got) != 1 || s.Used() != blockSize {
		t.Errorf("%q, %d pending", got, s.Pending())
	}
}

func TestClosed(t *testing.T) {
	s := New()
	f := durable(t, s, "a", nil)
	must(t, f.Close())
	if _, err := f.Size(); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	for i, err := range []error{f.Close(), f.Sync(), f.Truncate(0)} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("call %d: %v", i, err)
		}
	}
}
