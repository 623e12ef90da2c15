package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/internal/vfs/crashfs"
)

// A full medium: the journal lives on what it has, all of it; then appends fail
// clean; and it writes no zeros again and again while it waits.
func TestFullMedium(t *testing.T) {
	const limit = 40 << 10 // not a multiple of the chunk behind the header's
	s := crashfs.New()
	s.Limit(limit)
	o := options(s, 1)
	o.Chunk = 16 << 10
	j := mustOpen(t, o, nil)
	payload := strings.Repeat("x", 200)
	var want []string
	var err error
	for err == nil {
		want = append(want, payload)
		_, err = j.Append([]byte(payload))
	}
	want = want[:len(want)-1]
	if !errors.Is(err, syscall.ENOSPC) || j.Stats().InDoubt {
		t.Fatalf("%v, %+v", err, j.Stats())
	}
	if fits := (limit - headerSize - frameSize(8)) / frameSize(200); len(want) != fits {
		t.Errorf("%d records, %d would fit", len(want), fits)
	}
	if w := s.Counters().WriteBytes; w > 2*limit+o.Chunk {
		t.Errorf("%d bytes written for a file of %d", w, limit)
	}
	s.ResetCounters()
	for range 50 {
		if err := j.Rotate(dump(want)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		if _, err := j.Append([]byte(payload)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	if c := s.Counters(); c.Syncs != 0 || c.WriteBytes != 0 {
		t.Errorf("%+v", c)
	}
	if s.Used() != limit {
		t.Errorf("%d bytes used", s.Used())
	}
	// A short record may still fit; it must not be followed by anything odd.
	mustAppend(t, j, "end")
	want = append(want, "end")
	mustOpen(t, o, want).Close()

	s.Limit(3 * limit)
	if err := j.Rotate(dump(want[:10])); err != nil {
		t.Fatal(err)
	}
	if got := int64(len(file(t, s))); s.Used() != got {
		t.Errorf("%d bytes used by a file of %d: the old one is not gone", s.Used(), got)
	}
	mustAppend(t, j, "again")
	mustOpen(t, o, append(want[:10:10], "again"))
}

// A full medium is noticed while there is room: only growth fails at first.
func TestGrowsEarly(t *testing.T) {
	s := crashfs.New()
	o := options(s, 1)
	o.Chunk = 16 << 10
	j := mustOpen(t, o, nil)
	s.Limit(s.Used())
	appended := 0
	for j.Stats().Failures == 0 {
		mustAppend(t, j, strings.Repeat("x", 100))
		appended++
	}
	if room := j.size - j.tail; room < o.Chunk/8 {
		t.Errorf("noticed with %d bytes of room", room)
	}
	syncs := s.Counters().Syncs
	mustAppend(t, j, "and there is still room")
	if n := s.Counters().Syncs - syncs; n != 1 {
		t.Errorf("%d syncs for a record when growth fails", n)
	}
	s.Limit(1 << 20)
	mustAppend(t, j, "growth")
	if room := j.size - j.tail; room < o.Chunk {
		t.Errorf("did not grow: %d bytes of room", room)
	}
}

func TestShouldRotate(t *testing.T) {
	s := crashfs.New()
	o := options(s, 1)
	o.RotateAt = 4000
	j := mustOpen(t, o, nil)
	logUntil := func(limit int64) int64 {
		for !j.ShouldRotate() && j.Stats().LogBytes < limit {
			mustAppend(t, j, strings.Repeat("x", 84)) // 100 bytes, 112 in the file
		}
		return j.Stats().LogBytes
	}
	near := func(what string, got, want int64) {
		t.Helper()
		if got < want || got > want+112 {
			t.Errorf("%s: at %d bytes of log, not %d", what, got, want)
		}
	}
	near("first", logUntil(99999), 4000)

	s.Inject(crashfs.Fault{At: 1, Err: syscall.EIO})
	if err := j.Rotate(dump(nil)); !errors.Is(err, syscall.EIO) || j.ShouldRotate() {
		t.Fatalf("%v; wants to rotate again at once: %v", err, j.ShouldRotate())
	}
	s.Heal()
	near("after a failure", logUntil(99999), 5000)

	big := []string{strings.Repeat("s", 9000)}
	if err := j.Rotate(dump(big)); err != nil {
		t.Fatal(err)
	}
	near("with a large snapshot", logUntil(99999), j.Stats().SnapshotBytes)

	// What is in doubt is settled by a rotation, should repair not be possible.
	if err := j.Rotate(dump(nil)); err != nil || j.ShouldRotate() {
		t.Fatal(err)
	}
	s.Inject(crashfs.Fault{At: 1, Count: 2, Err: syscall.EIO})
	if _, err := j.Append([]byte("x")); err == nil || !j.ShouldRotate() {
		t.Errorf("%v; rotation is not advised", err)
	}
	if err := j.Rotate(dump(nil)); err != nil || j.ShouldRotate() {
		t.Error(err)
	}
}

// A block of the file that cannot be written any more: rotation is the repair.
func TestRotationIsTheRepair(t *testing.T) {
	s := crashfs.New()
	bad := &badFile{}
	j := mustOpen(t, options(s, 1), nil)
	mustAppend(t, j, "kept")
	bad.File, j.file = j.file, bad
	for range 3 {
		if _, err := j.Append([]byte("fails")); !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
	}
	if !j.ShouldRotate() || !j.Stats().InDoubt {
		t.Fatal("rotation is not advised")
	}
	if err := j.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("closed in doubt: %v", err)
	}
	j = mustOpen(t, options(s, 1), []string{"kept"})
	bad.File, j.file = j.file, bad
	if _, err := j.Append([]byte("fails")); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if err := j.Rotate(dump([]string{"kept"})); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, "works")
	mustOpen(t, options(s, 1), []string{"kept", "works"})
}

type badFile struct{ vfs.File }

func (badFile) WriteAt([]byte, int64) (int, error) { return 0, syscall.EIO }

// exactly checks that a power cut now, or a kill, shows these records only.
func exactly(t *testing.T, s *crashfs.FS, want ...string) {
	t.Helper()
	for _, found := range s.Outcomes(500, 1) {
		mustOpen(t, options(found, 9), want)
	}
	clone := s.Clone()
	mustOpen(t, options(clone, 9), want)
	for _, found := range clone.Outcomes(500, 1) {
		mustOpen(t, options(found, 9), want)
	}
}

// A record whose Append failed does not come back, although its bytes may be on
// the medium.
func TestFailedRecordDoesNotComeBack(t *testing.T) {
	eio := func(at, count int) crashfs.Fault { return crashfs.Fault{At: at, Count: count, Err: syscall.EIO} }
	start := func() (*crashfs.FS, *Journal) {
		s := crashfs.New()
		j := mustOpen(t, options(s, 1), nil)
		mustAppend(t, j, "kept")
		return s, j
	}
	fails := func(j *Journal, doubt bool) {
		t.Helper()
		if _, err := j.Append([]byte(strings.Repeat("gone", 300))); !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
		if j.Stats().InDoubt != doubt {
			t.Fatalf("in doubt: %v", !doubt)
		}
	}

	t.Run("one fault, nothing follows", func(t *testing.T) {
		for at := 1; at <= 2; at++ { // the write, the sync
			s, j := start()
			s.Inject(eio(at, 1))
			fails(j, false)
			exactly(t, s, "kept")
		}
	})
	t.Run("repair fails too and is repeated", func(t *testing.T) {
		for name, repair := range map[string]func(j *Journal) error{
			"by Repair": func(j *Journal) error { return j.Repair() },
			"by Close":  func(j *Journal) error { return j.Close() },
		} {
			s, j := start()
			s.Inject(eio(2, 3))
			fails(j, true)
			s.Heal()
			if err := repair(j); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			exactly(t, s, "kept")
		}
	})
	t.Run("rotation repairs first", func(t *testing.T) {
		s, j := start()
		s.Inject(eio(2, 3))
		fails(j, true)
		s.Heal()
		ops := 0
		s.Watch(func() {
			if ops++; ops > 2 { // a write and a sync repair
				for _, found := range s.Outcomes(500, 1) {
					mustOpen(t, options(found, 9), []string{"kept"})
				}
			}
		})
		if err := j.Rotate(dump([]string{"kept"})); err != nil || ops < 6 {
			t.Fatalf("%v after %d operations", err, ops)
		}
	})
	t.Run("process killed after zeros that were not written, log empty", func(t *testing.T) {
		s := crashfs.New()
		j := mustOpen(t, options(s, 1), nil)
		s.Inject(eio(2, 1))
		s.Inject(eio(4, 1))
		fails(j, true)
		s.Heal()
		mustOpen(t, options(s, 2), nil)
		exactly(t, s)
	})
	t.Run("process killed after zeros that were not written", func(t *testing.T) {
		s, j := start()
		s.Inject(eio(2, 1)) // the sync of the record
		s.Inject(eio(4, 1)) // the sync of the zeros over it
		fails(j, true)
		s.Heal()
		// Readers see zeros. The medium may have the record.
		k := mustOpen(t, options(s, 2), []string{"kept"})
		exactly(t, s, "kept")
		mustAppend(t, k, "next")
		exactly(t, s, "kept", "next")
	})
}

// A single fault never leaves a record in doubt, wherever it strikes.
func TestSingleFaultIsRepaired(t *testing.T) {
	for n := 1; n < 60; n++ {
		s := crashfs.New()
		j := mustOpen(t, options(s, 1), nil)
		s.Inject(crashfs.Fault{At: n, Count: 1, Err: syscall.EIO})
		var want []string
		for i := range 20 {
			p := fmt.Sprintf("%d %s", i, strings.Repeat("x", 400))
			if _, err := j.Append([]byte(p)); err == nil {
				want = append(want, p)
			} else if j.doubt != 0 {
				t.Fatalf("operation %d leaves doubt", n)
			}
		}
		exactly(t, s, want...)
	}
}

// The medium is sick while a journal is opened: in good order, with a torn
// tail, or left by a killed process. Opening fails or shows what may be there;
// the journal recovers with the medium, and a power cut meanwhile shows nothing
// else. On a full or read-only medium on which nothing is pending it opens.
func TestOpenOnSickMedium(t *testing.T) {
	states := map[string]func(t *testing.T) (*crashfs.FS, [][]string){
		"clean": func(t *testing.T) (*crashfs.FS, [][]string) {
			s := crashfs.New()
			j := mustOpen(t, options(s, 1), nil)
			mustAppend(t, j, "one")
			mustAppend(t, j, "two")
			return s, [][]string{{"one", "two"}}
		},
		"torn": func(t *testing.T) (*crashfs.FS, [][]string) {
			s := newSample(t)
			b := slices.Clone(s.bytes)
			b[s.tail()-20] ^= 1
			return with(b), [][]string{s.records[:len(s.records)-1]}
		},
		"killed": func(t *testing.T) (*crashfs.FS, [][]string) {
			s := crashfs.New()
			j := mustOpen(t, options(s, 1), nil)
			mustAppend(t, j, "one")
			var clone *crashfs.FS
			s.Watch(func() { clone = s.Clone() })
			mustAppend(t, j, "two")
			return clone, [][]string{{"one", "two"}, {"one"}}
		},
	}
	for name, state := range states {
		for _, fault := range []error{syscall.EIO, syscall.ENOSPC, syscall.EROFS} {
			for at := 1; at <= 6; at++ {
				for _, count := range []int{0, 1, 2} {
					s, allowed := state(t)
					what := fmt.Sprintf("%s, %v at %d, %d times", name, fault, at, count)
					openSick(t, what, s, allowed, crashfs.Fault{At: at, Count: count, Err: fault})
				}
			}
		}
	}
}

func openSick(t *testing.T, what string, s *crashfs.FS, allowed [][]string, fault crashfs.Fault) {
	t.Helper()
	l := &life{t: t, fs: s, allowed: allowed}
	s.Inject(fault)
	j, got, err := open(options(s, 2))
	if err != nil && len(allowed) == 1 && fault.At == 1 && fault.Err != syscall.EIO {
		t.Fatalf("%s: does not open: %v", what, err)
	}
	if err == nil && !slices.Equal(got, allowed[0]) {
		t.Fatalf("%s: %s", what, brief(got))
	}
	if err == nil && !j.Stats().InDoubt {
		l.allowed = [][]string{got}
	}
	check := func() {
		for c, found := range s.Outcomes(100, 1) {
			l.afterCut(c, found)
		}
	}
	check()
	if err != nil {
		s.Heal()
		mustOpen(t, options(s, 3), allowed[0])
		return
	}
	_, err = j.Append([]byte("three"))
	if fault.Count == 0 && err == nil {
		t.Fatalf("%s: appended", what)
	}
	if err == nil {
		got = append(got, "three")
	}
	s.Heal()
	if err := j.Repair(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	exactly(t, s, got...)
	mustAppend(t, j, "four")
	exactly(t, s, append(got, "four")...)
}

// What a journal could not write when it was opened it writes later, and says
// until then that it has not.
func TestOpenInDoubt(t *testing.T) {
	s := newSample(t)
	torn := slices.Clone(s.bytes)
	torn[s.tail()-20] ^= 1
	want := s.records[:len(s.records)-1]
	sick := func() (*crashfs.FS, *Journal) {
		fs := with(torn)
		fs.Inject(crashfs.Fault{At: 1, Err: syscall.EROFS})
		j := mustOpen(t, options(fs, 2), want)
		_, err := j.Append([]byte("x"))
		if !errors.Is(err, syscall.EROFS) || !j.Stats().InDoubt || !j.ShouldRotate() {
			t.Fatalf("%v, %+v", err, j.Stats())
		}
		fs.Heal()
		return fs, j
	}

	fs, j := sick()
	if err := j.Repair(); err != nil || j.Stats().InDoubt || j.ShouldRotate() {
		t.Errorf("%v, %+v", err, j.Stats())
	}
	if fs.Pending() != 0 || !allZero(file(t, fs)[j.tail:]) {
		t.Error("not repaired on the medium")
	}
	ops := fs.Counters().Ops
	if err := j.Repair(); err != nil || fs.Counters().Ops != ops {
		t.Errorf("repaired twice, %v", err)
	}

	fs, j = sick()
	bad := &badFile{j.file}
	j.file = bad
	if err := j.Rotate(dump(want)); err != nil || j.Stats().InDoubt {
		t.Errorf("%v, %+v", err, j.Stats())
	}
	mustAppend(t, j, "x")
	exactly(t, fs, append(slices.Clone(want), "x")...)
}

// dropper counts the wishes to read from the medium.
type dropper struct {
	vfs.File
	dropped *int
}

func (d dropper) DropCache() error { *d.dropped++; return nil }

type dropperFS struct {
	vfs.FS
	dropped int
}

func (d *dropperFS) Create(name string) (vfs.File, error) {
	f, err := d.FS.Create(name)
	return dropper{f, &d.dropped}, err
}

func TestReadsFromTheMedium(t *testing.T) {
	s := &dropperFS{FS: crashfs.New()}
	j := mustOpen(t, options(s, 1), nil)
	if s.dropped != 1 {
		t.Errorf("a new file is proved from the cache")
	}
	if _, err := j.ReadBack(mustAppend(t, j, "x")); err != nil || s.dropped != 2 {
		t.Errorf("reads back from the cache, %v", err)
	}
}
