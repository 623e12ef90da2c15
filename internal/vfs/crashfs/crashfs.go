// Package crashfs is a file system in memory that can lose power.
//
// It keeps apart what a reader sees and what is on the medium. A write is
// pending, sector by sector, until File.Sync; a creation, rename or removal
// until SyncDir. Outcomes shows the file system as it may be found after a
// power cut at this moment: each pending piece arrived or did not, whatever
// the order in which it was written.
//
// It is harsher than most real ones where they may differ:
//
//   - Writes are torn at 512 bytes (coarser tearing is a subset of that and is
//     sampled too). A file may have got its new size and not its new bytes;
//     what is read there is zeros or what another file left on the medium.
//   - Syncing a file does not make its name durable.
//   - What was pending when Sync failed is not written by a later Sync, unless
//     its 4096-byte page is written again: so does Linux.
//
// And milder in two ways: a rename is atomic, and a failed SyncDir can be
// repeated. An FS is for one goroutine.
package crashfs

import (
	"errors"
	"io/fs"
	"math"
	"slices"
	"strings"
	"syscall"

	"github.com/boatd/boatd/internal/vfs"
)

// ErrPower is what every operation answers once the power is cut.
var ErrPower = errors.New("power cut")

// Counters count since New, Crash or ResetCounters.
type Counters struct {
	Ops        int   // mutating or syncing operations, also those that failed
	Writes     int   // WriteAt
	WriteBytes int64 // bytes given to WriteAt
	Syncs      int   // File.Sync
	SizeSyncs  int   // of these, the ones that had to write a changed size too
	DirSyncs   int   // SyncDir
	Blocks     int   // 4096-byte blocks written: distinct ones between two Syncs
	Reads      int   // ReadAt
	ReadBytes  int64 // bytes that ReadAt returned
}

// A Fault makes operations fail. Operations are counted as for CutAfter.
//
// With EIO half of a write is done, a Sync leaves open what of it was done, and
// the others do nothing. With any other error nothing is done; a sync that has
// nothing to do succeeds then, as on a read-only file system.
type Fault struct {
	At    int   // the first operation that fails, 1 is the next
	Count int   // how many fail; 0: all from there on
	Err   error // with what, usually syscall.EIO, ENOSPC or EROFS
}

// FS is the file system. It implements vfs.FS.
type FS struct {
	names []entry   // as a reader sees the directory
	disk  []entry   // as it is on the medium
	moves []move    // what became of names since the last SyncDir
	stale []*sector // what the last file to lose its name left on the medium

	ops   int // never reset
	cutAt int
	off   bool
	watch func()

	faults      []Fault // At is absolute here
	readErr     error
	short       bool
	space, used int64 // bytes
	counters    Counters
	seen        []uint64 // scratch of countBlocks
	opsBase     int      // ops at the last ResetCounters
}

var (
	_ vfs.FS   = (*FS)(nil)
	_ vfs.File = (*file)(nil)
)

type entry struct {
	name string
	ino  *inode
}

// A move is one change of the directory: ino gets the name to and loses the
// name from, either of which may be empty.
type move struct {
	op       int
	from, to string
	ino      *inode
}

// New returns an empty file system with unlimited space.
func New() *FS { return &FS{space: math.MaxInt64} }

// CutAfter cuts the power in the middle of the n-th mutating or syncing
// operation from now (1 is the next): any part of it may have been done. It
// and everything after it fails with ErrPower. 0 takes the order back.
func (s *FS) CutAfter(n int) {
	s.cutAt = 0
	if n > 0 {
		s.cutAt = s.ops + n
	}
}

// Watch calls fn in the middle of every mutating or syncing operation, when
// the state is that of a power cut there. fn may use Outcomes, Clone and
// Counters of this FS and nothing else. It is a whole series of CutAfter runs
// for the price of one.
func (s *FS) Watch(fn func()) { s.watch = fn }

// Inject adds a fault; Heal takes all faults back.
func (s *FS) Inject(f Fault) {
	f.At += s.ops
	s.faults = append(s.faults, f)
}

// Heal ends all faults of operations and reads.
func (s *FS) Heal() { s.faults, s.readErr, s.short = nil, nil, false }

// FailReads makes every ReadAt fail with err, until Heal.
func (s *FS) FailReads(err error) { s.readErr = err }

// ShortReads makes every ReadAt return a part of what was asked for, without an
// error, as pread may, until Heal.
func (s *FS) ShortReads() { s.short = true }

// Limit sets how many bytes all files together may take, in blocks of 4096.
// What is written beyond fails with ENOSPC after the part that fits.
func (s *FS) Limit(bytes int64) { s.space = bytes }

// Used returns how many bytes the files take now.
func (s *FS) Used() int64 { return s.used }

// Counters returns the counters.
func (s *FS) Counters() Counters {
	c := s.counters
	c.Ops = s.ops - s.opsBase
	return c
}

// ResetCounters sets the counters to zero.
func (s *FS) ResetCounters() { s.counters, s.opsBase = Counters{}, s.ops }

// Put makes a file with these bytes, durable at once, whatever the faults.
func (s *FS) Put(name string, data []byte) {
	s.drop(name)
	ino := &inode{}
	ino.write(data, 0, 0)
	ino.disk, ino.diskSize, ino.pend = slices.Clone(ino.cache), ino.size, nil
	s.link(name, ino)
	s.used += ino.allocated()
	s.disk = unbind(s.disk, name, nil)
	s.disk = append(s.disk, entry{name, ino})
}

// Flip changes one bit of a file, on the medium and for readers: bit&7 of byte
// bit/8. It does nothing outside the file.
func (s *FS) Flip(name string, bit int64) {
	ino := find(s.names, name)
	if ino == nil || bit < 0 || bit/8 >= ino.size {
		return
	}
	flip := func(secs []*sector) {
		i := int(bit / 8 / sectorSize)
		if i < len(secs) {
			sec := *orZero(secs[i])
			sec[bit/8%sectorSize] ^= 1 << (bit & 7)
			secs[i] = &sec
		}
	}
	ino.own()
	flip(ino.cache)
	flip(ino.disk)
}

// effect is how much of an operation is done.
type effect int

const (
	whole effect = iota
	half
	nothing
)

// begin counts an operation and says what becomes of it.
func (s *FS) begin() (effect, error) {
	if s.off {
		return nothing, ErrPower
	}
	s.ops++
	if s.cutAt != 0 && s.ops >= s.cutAt {
		s.off = true
		return whole, ErrPower
	}
	for _, f := range s.faults {
		if s.ops >= f.At && (f.Count == 0 || s.ops < f.At+f.Count) {
			if errors.Is(f.Err, syscall.EIO) {
				return half, f.Err
			}
			return nothing, f.Err
		}
	}
	return whole, nil
}

// look calls the watcher, once an operation has left its mark.
func (s *FS) look() {
	if s.watch != nil && !s.off {
		s.watch()
	}
}

// Open is vfs.FS.Open.
func (s *FS) Open(name string) (vfs.File, error) {
	if err := vfs.CheckName(name); err != nil {
		return nil, err
	}
	if s.off {
		return nil, failed("open", name, ErrPower)
	}
	ino := find(s.names, name)
	if ino == nil {
		return nil, failed("open", name, fs.ErrNotExist)
	}
	ino.opens++
	return &file{s: s, ino: ino, name: name}, nil
}

// Create is vfs.FS.Create.
func (s *FS) Create(name string) (vfs.File, error) {
	if err := vfs.CheckName(name); err != nil {
		return nil, err
	}
	ino := find(s.names, name)
	does, err := s.begin()
	if does == whole && ino == nil {
		ino = &inode{}
		s.link(name, ino)
		s.moves = append(s.moves, move{op: s.ops, to: name, ino: ino})
	} else if does == whole {
		s.resize(ino, 0)
	}
	s.look()
	if err != nil {
		return nil, failed("create", name, err)
	}
	ino.opens++
	return &file{s: s, ino: ino, name: name}, nil
}

// Rename is vfs.FS.Rename.
func (s *FS) Rename(from, to string) error {
	if err := errors.Join(vfs.CheckName(from), vfs.CheckName(to)); err != nil {
		return err
	}
	ino := find(s.names, from)
	if ino == nil && !s.off {
		return failed("rename", from, fs.ErrNotExist)
	}
	does, err := s.begin()
	if does == whole && from != to {
		ino.names++ // so that it does not go away in between
		s.drop(from)
		s.drop(to)
		s.link(to, ino)
		ino.names--
		s.moves = append(s.moves, move{op: s.ops, from: from, to: to, ino: ino})
	}
	s.look()
	if err != nil {
		return failed("rename", from, err)
	}
	return nil
}

// Remove is vfs.FS.Remove.
func (s *FS) Remove(name string) error {
	if err := vfs.CheckName(name); err != nil {
		return err
	}
	ino := find(s.names, name)
	if ino == nil && !s.off {
		return failed("remove", name, fs.ErrNotExist)
	}
	does, err := s.begin()
	if does == whole {
		s.drop(name)
		s.moves = append(s.moves, move{op: s.ops, from: name, ino: ino})
	}
	s.look()
	if err != nil {
		return failed("remove", name, err)
	}
	return nil
}

// List is vfs.FS.List.
func (s *FS) List() ([]string, error) {
	if s.off {
		return nil, failed("list", ".", ErrPower)
	}
	var names []string
	for _, e := range s.names {
		names = append(names, e.name)
	}
	slices.SortFunc(names, strings.Compare)
	return names, nil
}

// SyncDir is vfs.FS.SyncDir.
func (s *FS) SyncDir() error {
	does, err := s.begin()
	s.look()
	if err != nil && (does != nothing || len(s.moves) > 0 || s.off) {
		return failed("fsync", ".", err)
	}
	s.counters.DirSyncs++
	s.disk, s.moves = slices.Clone(s.names), nil
	return nil
}

func (s *FS) link(name string, ino *inode) {
	s.names = append(s.names, entry{name, ino})
	ino.names++
}

// drop takes a name away and, from a file without names and users, its space.
func (s *FS) drop(name string) {
	ino := find(s.names, name)
	if ino == nil {
		return
	}
	s.names = unbind(s.names, name, nil)
	ino.names--
	if ino.names == 0 {
		s.stale = ino.view()
	}
	s.release(ino)
}

func (s *FS) release(ino *inode) {
	if ino.names == 0 && ino.opens == 0 {
		s.used -= ino.allocated()
	}
}

func find(entries []entry, name string) *inode {
	for _, e := range entries {
		if e.name == name {
			return e.ino
		}
	}
	return nil
}

// unbind removes a name; with ino only if it is a name of that one.
func unbind(entries []entry, name string, ino *inode) []entry {
	return slices.DeleteFunc(entries, func(e entry) bool {
		return e.name == name && (ino == nil || e.ino == ino)
	})
}

func failed(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}
