package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/internal/vfs/crashfs"
)

// options are those of a small journal, so that everything happens often.
func options(s vfs.FS, seed uint64) Options {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return Options{FS: s, Rand: rand.NewChaCha8(key), Chunk: 4096, RotateAt: 3000, Major: 1, Minor: 2}
}

// open opens a journal and returns what it holds.
func open(o Options) (*Journal, []string, error) {
	var all []string
	j, err := Open(o, func(p []byte) error {
		all = append(all, string(p))
		return nil
	})
	return j, all, err
}

func mustOpen(t *testing.T, o Options, want []string) *Journal {
	t.Helper()
	j, got, err := open(o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("holds %s\nwant  %s", brief(got), brief(want))
	}
	return j
}

func mustAppend(t *testing.T, j *Journal, p string) Pos {
	t.Helper()
	pos, err := j.Append([]byte(p))
	if err != nil {
		t.Fatal(err)
	}
	return pos
}

// dump emits a list, as the caller's state.
func dump(list []string) func(func([]byte) error) error {
	return func(emit func([]byte) error) error {
		for _, p := range list {
			if err := emit([]byte(p)); err != nil {
				return err
			}
		}
		return nil
	}
}

func brief(list []string) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%q.%d ", p[:min(len(p), 6)], len(p))
	}
	return fmt.Sprintf("%d: %s", len(list), b.String())
}

// file returns the bytes of the journal's file.
func file(t testing.TB, s vfs.FS) []byte {
	t.Helper()
	f, err := s.Open("journal")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, _ := f.Size()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, n))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAppendReopenRotate(t *testing.T) {
	s := crashfs.New()
	j := mustOpen(t, options(s, 1), nil)
	var want []string
	for i := range 200 {
		p := strings.Repeat(string(rune('a'+i%26)), i*7%600)
		want = append(want, p)
		pos := mustAppend(t, j, p)
		if b, err := j.ReadBack(pos); err != nil || string(b) != p {
			t.Fatalf("read back %q, %v", b, err)
		}
		if j.ShouldRotate() {
			want = want[len(want)-min(len(want), 3):]
			if err := j.Rotate(dump(want)); err != nil {
				t.Fatal(err)
			}
			if j.ShouldRotate() {
				t.Fatal("wants to rotate again")
			}
			if _, err := j.ReadBack(pos); !errors.Is(err, ErrStale) {
				t.Errorf("a position of the generation before: %v", err)
			}
		}
		if i%10 == 0 {
			before := j.Stats()
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j = mustOpen(t, options(s, uint64(i)), want)
			after := j.Stats()
			if before.Generation != after.Generation || before.LogBytes != after.LogBytes ||
				before.SnapshotBytes != after.SnapshotBytes || before.FileBytes != after.FileBytes {
				t.Fatalf("before %+v\nafter %+v", before, after)
			}
		}
	}
	if g := j.Stats().Generation; g < 8 {
		t.Errorf("generation %d: hardly rotated", g)
	}
	if names, _ := s.List(); !slices.Equal(names, []string{"journal"}) {
		t.Errorf("files %q", names)
	}
}

func TestSizes(t *testing.T) {
	s := crashfs.New()
	j := mustOpen(t, options(s, 1), nil)
	var want []string
	for _, n := range []int{0, 1, 15, 16, 17, 4096, readSize - 16, readSize, MaxPayload - 1, MaxPayload} {
		want = append(want, strings.Repeat("x", n))
		mustAppend(t, j, want[len(want)-1])
	}
	if _, err := j.Append(make([]byte, MaxPayload+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
	if err := j.Rotate(dump([]string{strings.Repeat("x", MaxPayload+1)})); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte too many in a snapshot: %v", err)
	}
	j = mustOpen(t, options(s, 1), want)
	if err := j.Rotate(dump(want)); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, options(s, 1), want)
}

func TestDumpThatFails(t *testing.T) {
	s := crashfs.New()
	j := mustOpen(t, options(s, 1), nil)
	mustAppend(t, j, "one")
	broken := errors.New("broken")
	err := j.Rotate(func(emit func([]byte) error) error {
		return errors.Join(emit([]byte("half")), broken)
	})
	if !errors.Is(err, broken) || j.Stats().Failures != 1 {
		t.Errorf("%v, %+v", err, j.Stats())
	}
	// One that does not pass on what emit says is found out all the same.
	err = j.Rotate(func(emit func([]byte) error) error {
		_ = emit(make([]byte, MaxPayload+1))
		_ = emit([]byte("two"))
		return nil
	})
	if !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	mustAppend(t, j, "two")
	if names, _ := s.List(); !slices.Equal(names, []string{"journal"}) {
		t.Errorf("files %q", names)
	}
	mustOpen(t, options(s, 2), []string{"one", "two"})
}

func TestLoadThatFails(t *testing.T) {
	s := crashfs.New()
	j := mustOpen(t, options(s, 1), nil)
	if err := j.Rotate(dump([]string{"snapshot"})); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, "log")
	broken := errors.New("broken")
	for _, at := range []string{"snapshot", "log"} {
		s.ResetCounters()
		_, err := Open(options(s, 1), func(p []byte) error {
			if string(p) == at {
				return broken
			}
			return nil
		})
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), at) || s.Counters().Ops != 0 {
			t.Errorf("in the %s: %v, %d operations", at, err, s.Counters().Ops)
		}
	}
}

func TestRandomThatFails(t *testing.T) {
	s := crashfs.New()
	o := options(s, 1)
	o.Rand = strings.NewReader("only 8. ") // enough for one generation
	j := mustOpen(t, o, nil)
	if err := j.Rotate(dump(nil)); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	mustAppend(t, j, "one")
	mustOpen(t, options(s, 2), []string{"one"})
}

func TestVersions(t *testing.T) {
	s := crashfs.New()
	with := func(major, minor uint16) Options {
		o := options(s, 1)
		o.Major, o.Minor = major, minor
		return o
	}
	j := mustOpen(t, with(1, 5), nil)
	mustAppend(t, j, "by 1.5")

	for _, major := range []uint16{0, 2, 0xffff} {
		before, ops := file(t, s), s.Counters().Ops
		if _, _, err := open(with(major, 9)); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "1.5") {
			t.Errorf("major %d: %v", major, err)
		}
		if s.Counters().Ops != ops || !bytes.Equal(file(t, s), before) {
			t.Errorf("major %d: touched", major)
		}
	}
	unknown := file(t, s)
	unknown[8] = 2 // the file's format
	seal(unknown)
	other := crashfs.New()
	other.Put("journal", unknown)
	if _, _, err := open(options(other, 1)); !errors.Is(err, ErrVersion) || other.Counters().Ops != 0 {
		t.Errorf("format 2: %v", err)
	}

	// Forth, back and forth again: nothing is lost, and the file goes on stating
	// that 1.5 wrote in it.
	j = mustOpen(t, with(1, 4), []string{"by 1.5"})
	mustAppend(t, j, "by 1.4")
	if j.ShouldRotate() {
		t.Error("rotates because a newer version was there")
	}
	if err := j.Rotate(dump([]string{"by 1.5", "by 1.4"})); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, with(1, 5), []string{"by 1.5", "by 1.4"})
	if m := j.Stats().Minor; m != 5 {
		t.Errorf("states minor %d", m)
	}
	// An upgrade states itself at the first opportunity.
	j = mustOpen(t, with(1, 6), []string{"by 1.5", "by 1.4"})
	if !j.ShouldRotate() {
		t.Error("does not rotate for a newer minor")
	}
	if err := j.Rotate(dump(nil)); err != nil {
		t.Fatal(err)
	}
	if m := j.Stats().Minor; m != 6 || j.ShouldRotate() {
		t.Errorf("states minor %d", m)
	}
}

// seal makes the header's checksum right.
func seal(b []byte) {
	binary.LittleEndian.PutUint32(b[44:], crc32.Checksum(b[:44], castagnoli))
}

func TestClosed(t *testing.T) {
	j := mustOpen(t, options(crashfs.New(), 1), nil)
	pos := mustAppend(t, j, "x")
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	_, err1 := j.Append(nil)
	_, err2 := j.ReadBack(pos)
	for i, err := range []error{err1, err2, j.Rotate(dump(nil)), j.Repair()} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if j.ShouldRotate() {
		t.Error("wants to rotate")
	}
}

func TestReadBackFindsDamage(t *testing.T) {
	s := crashfs.New()
	j := mustOpen(t, options(s, 1), nil)
	mustAppend(t, j, "before")
	pos := mustAppend(t, j, "some bytes")
	for bit := range int64(frameHead+10) * 8 {
		s.Flip("journal", pos.off*8+bit)
		if _, err := j.ReadBack(pos); !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit %d: %v", bit, err)
		}
		s.Flip("journal", pos.off*8+bit)
	}
	s.FailReads(syscall.EIO)
	if _, err := j.ReadBack(pos); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	s.Heal()
	if b, err := j.ReadBack(pos); string(b) != "some bytes" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := j.ReadBack(Pos{}); !errors.Is(err, ErrStale) {
		t.Errorf("no position: %v", err)
	}
}

// A rotation reads the new file before it gives up the old one.
func TestRotateProves(t *testing.T) {
	s := crashfs.New()
	j := mustOpen(t, options(s, 1), nil)
	mustAppend(t, j, "precious")
	first, second := int64(headerSize), int64(headerSize+frameSize(8))
	end := second + int64(frameSize(8)) // then zeros, which must be
	for bit := range (end + 40) * 8 {
		if at := bit / 8; at >= first+24 && at < second || at >= second+24 && at < end {
			continue // padding
		}
		spoiled := &spoiler{FS: s, crash: s, bit: bit}
		j.o.FS = spoiled
		if err := j.Rotate(dump([]string{"precious"})); !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	s.FailReads(syscall.EIO)
	if err := j.Rotate(dump([]string{"precious"})); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	s.Heal()
	mustAppend(t, j, "and more")
	mustOpen(t, options(s, 1), []string{"precious", "and more"})
}

// A spoiler flips a bit of a new file as it is synced.
type spoiler struct {
	vfs.FS
	crash *crashfs.FS
	bit   int64
}

func (s *spoiler) Create(name string) (vfs.File, error) {
	f, err := s.FS.Create(name)
	return spoiledFile{f, s, name}, err
}

type spoiledFile struct {
	vfs.File
	s    *spoiler
	name string
}

func (f spoiledFile) Sync() error {
	err := f.File.Sync()
	f.s.crash.Flip(f.name, f.s.bit)
	return err
}

// The salt is random and of the generation: the same records give other bytes.
func TestFilesDiffer(t *testing.T) {
	var files [][]byte
	for seed := range uint64(2) {
		s := crashfs.New()
		mustAppend(t, mustOpen(t, options(s, seed), nil), "same")
		files = append(files, file(t, s))
	}
	if at := headerSize + frameSize(8); bytes.Equal(files[0][at:at+frameHead], files[1][at:at+frameHead]) {
		t.Error("frames of two files are interchangeable")
	}
	h := header{generation: 1}
	g := header{generation: 2}
	if h.seed() == g.seed() {
		t.Error("frames of two generations are interchangeable when the salt is not random")
	}
}

// The default random source works too.
func TestDefaults(t *testing.T) {
	s := crashfs.New()
	j := mustOpen(t, Options{FS: s, Major: 1}, nil)
	mustAppend(t, j, "x")
	if st := j.Stats(); st.FileBytes < defaultChunk || st.FileBytes > defaultChunk+blockSize {
		t.Errorf("%d bytes", st.FileBytes)
	}
	o := Options{FS: s, Major: 1, Name: "other"}
	mustOpen(t, o, nil)
	if names, _ := s.List(); !slices.Equal(names, []string{"journal", "other"}) {
		t.Errorf("files %q", names)
	}
}
