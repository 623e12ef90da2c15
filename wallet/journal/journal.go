// Package journal keeps all that boatd must not forget: opaque records in one
// file, in the order in which they were appended, each durable when Append
// returns. It knows nothing of what they mean.
//
// A record is one frame, written once and synced once. The file is rewritten
// now and then (Rotate): the caller dumps its present state, and the log starts
// anew behind it. README.md says what is guaranteed, what is not, and why.
package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/boatd/boatd/internal/vfs"
)

// Options say where a journal is and how it is kept.
type Options struct {
	FS       vfs.FS
	Name     string    // of the file; default "journal". Name + ".new" is used too.
	Rand     io.Reader // default crypto/rand
	Chunk    int64     // bytes preallocated at a time; default 256 KiB
	RotateAt int64     // bytes of log from which ShouldRotate; default 1 MiB
	Major    uint16    // version of the contents: another one is refused
	Minor    uint16    // version of the contents: any is read
}

const (
	blockSize       = 4096
	defaultChunk    = 256 << 10
	defaultRotateAt = 1 << 20
)

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "journal"
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Chunk <= 0 {
		o.Chunk = defaultChunk
	}
	if o.RotateAt <= 0 {
		o.RotateAt = defaultRotateAt
	}
	o.Chunk = roundUp(o.Chunk, blockSize)
	return o
}

// A Pos is where a record was appended. It is good until the next Rotate.
type Pos struct {
	generation uint64
	off        int64
	seq        uint32
	size       int
}

// A Journal is an open journal. It is for one goroutine at a time.
type Journal struct {
	extent
	o    Options
	file vfs.File // nil when closed
	buf  []byte   // the frame that is being appended

	doubt       int64 // end of a region after tail of which nothing is known; 0 if there is none
	unconfirmed bool  // what Open had to write again is not written yet
	unnamed     bool  // the file has its name, but perhaps not durably
	retryAt     int64 // bytes of log before which a failed rotation is not advised again
	stats       Stats
}

// Stats are figures for diagnosis and metrics. The counters start at Open.
type Stats struct {
	Generation    uint64 // of the file, from 1
	Minor         uint16 // version of the contents that the file states
	SnapshotBytes int64  // in the file
	LogBytes      int64  // in the file
	FileBytes     int64  // with what is preallocated
	Appends       int64  // records appended
	AppendedBytes int64  // frames written for them
	OtherBytes    int64  // written otherwise: zeros, snapshots, repairs
	Syncs         int64  // of the file
	Failures      int64  // operations that failed: appends, growths, rotations, repairs
	InDoubt       bool   // the next Append must repair first
	Unconfirmed   bool   // what Open read may be gone after a power cut
}

// Open opens the journal and gives load every record in order: the snapshot's,
// then the log's. A payload is valid only during the call. An error of load
// ends it and is returned. Without a file an empty one is made.
//
// ErrVersion, ErrDamaged, an error of load or of reading: nothing was written.
// All that load has seen is synced when Open returns without an error: a
// process before this one may have been killed between a write and its sync. On
// a medium that is full or read-only the journal opens, and Append fails.
func Open(o Options, load func(payload []byte) error) (*Journal, error) {
	j := &Journal{o: o.withDefaults()}
	if err := j.open(load); err != nil {
		if j.file != nil {
			j.file.Close()
		}
		return nil, fmt.Errorf("opening journal %q: %w", j.o.Name, err)
	}
	return j, nil
}

func (j *Journal) open(load func([]byte) error) error {
	f, err := j.o.FS.Open(j.o.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return j.rotate(func(func([]byte) error) error { return nil })
	}
	if err != nil {
		return err
	}
	j.file = f
	if j.extent, err = replay(f, j.o.Major, load); err != nil {
		return err
	}
	// A rotation that was cut short leaves its file. If it cannot be removed it
	// does no harm: the next rotation empties it.
	_ = j.o.FS.Remove(j.temporary())
	return j.confirm()
}

// confirm makes what was read durable: whatever the kernel still has to write
// is synced, or the journal does not open.
//
// A medium that takes no writes, being full or read-only, is no reason to keep
// its owner from reading: then the rewriting is left to the next repair.
func (j *Journal) confirm() error {
	j.unconfirmed = j.rewrite() != nil
	if err := j.sync(); err != nil {
		return err
	}
	return j.o.FS.SyncDir()
}

// rewrite writes again what the kernel may wrongly take for written: it drops
// what it failed to write, and a process before this one may have been told so
// and killed. That is the last frame; and the place where the next frame's head
// goes, which may show zeros and be a frame of which the caller was told that it
// failed. The remains of a torn frame are overwritten too.
func (j *Journal) rewrite() error {
	if n := j.tail - j.last; n > 0 {
		b := make([]byte, n)
		if err := readFull(j.file, b, j.last); err != nil {
			return err
		}
		if _, err := j.file.WriteAt(b, j.last); err != nil {
			return err
		}
		j.stats.OtherBytes += n
	}
	return j.zero(j.tail, max(j.dirty, min(j.tail+frameHead, j.size)))
}

// Append adds a record. When it returns without an error the record is durable.
// After an error it was not appended, the journal is as before, and the next
// call tries again; see Repair for what that takes.
func (j *Journal) Append(payload []byte) (Pos, error) {
	if len(payload) > MaxPayload {
		return Pos{}, fmt.Errorf("appending %d bytes: %w", len(payload), ErrTooLarge)
	}
	if err := j.Repair(); err != nil {
		return Pos{}, err
	}
	j.buf = appendFrame(j.buf[:0], j.seed(), kindData, j.seq, payload)
	pos := Pos{generation: j.generation, off: j.tail, seq: j.seq, size: len(j.buf)}
	if err := j.put(j.buf); err != nil {
		j.stats.Failures++
		return Pos{}, fmt.Errorf("appending to journal, frame %d at byte %d: %w", pos.seq, pos.off, err)
	}
	if cap(j.buf) > readSize {
		j.buf = nil
	}
	return pos, nil
}

// put writes a frame at the tail and syncs it.
func (j *Journal) put(frame []byte) error {
	n := int64(len(frame))
	if err := j.room(n); err != nil {
		return err
	}
	_, err := j.file.WriteAt(frame, j.tail)
	if err == nil {
		err = j.sync()
	}
	if err != nil {
		j.doubt = j.tail + n
		// At once, because there may be no next call; that one tries again.
		_ = j.Repair()
		return err
	}
	j.last, j.tail, j.seq = j.tail, j.tail+n, j.seq+1
	j.stats.Appends++
	j.stats.AppendedBytes += n
	return nil
}

// room makes sure that n bytes can be written at the tail without asking the
// file system for space. It asks for more well before the end, so that a full
// file system is noticed while there is still some.
func (j *Journal) room(n int64) error {
	short := n + j.o.Chunk/4 - (j.size - j.tail)
	if short <= 0 {
		return nil
	}
	err := j.grow(max(short, j.o.Chunk))
	if err != nil {
		j.stats.Failures++
	}
	if j.size-j.tail >= n {
		return nil
	}
	return err
}

// grow adds n bytes of zeros to the file. They are written, not reserved: the
// first write into reserved blocks would change metadata at every append. What
// could be added before an error stays.
func (j *Journal) grow(n int64) error {
	size, err := fill(j.file, j.size, roundUp(j.size+n, blockSize))
	if size == j.size {
		return err
	}
	j.stats.OtherBytes += size - j.size
	if err := j.sync(); err != nil {
		return err
	}
	j.size = size
	return err
}

// Repair puts right what a failed Append, Rotate or Open left: bytes at the tail that
// may or may not be on the medium are overwritten by zeros and synced, and the
// file's name is synced. Without such it does nothing. Append and Rotate call
// it themselves; a caller that appends rarely can call it in between, so that a
// medium that failed only for a while does not show, after a power cut, a
// record whose Append had failed.
func (j *Journal) Repair() error {
	if j.file == nil {
		return fmt.Errorf("journal: %w", fs.ErrClosed)
	}
	if err := j.repair(); err != nil {
		j.stats.Failures++
		return fmt.Errorf("repairing journal at byte %d: %w", j.tail, err)
	}
	return nil
}

func (j *Journal) repair() error {
	if j.unconfirmed {
		if err := errors.Join(j.rewrite(), j.sync()); err != nil {
			return err
		}
		j.unconfirmed = false
	}
	if j.doubt != 0 {
		if err := errors.Join(j.zero(j.tail, j.doubt), j.sync()); err != nil {
			return err
		}
		j.doubt = 0
	}
	if j.unnamed {
		if err := j.o.FS.SyncDir(); err != nil {
			return err
		}
		j.unnamed = false
	}
	return nil
}

// ReadBack reads a record that was appended since the last Rotate, from the
// medium as far as the file system can be made to, and checks it: so the caller
// proves that what it wrote can be read. ErrDamaged if it cannot.
func (j *Journal) ReadBack(p Pos) ([]byte, error) {
	if j.file == nil {
		return nil, fmt.Errorf("journal: %w", fs.ErrClosed)
	}
	if p.generation != j.generation {
		return nil, fmt.Errorf("reading back from generation %d of the journal, which is in %d: %w", p.generation, j.generation, ErrStale)
	}
	dropCache(j.file)
	b := make([]byte, p.size)
	if err := readFull(j.file, b, p.off); err != nil {
		return nil, fmt.Errorf("reading back from journal at byte %d: %w", p.off, err)
	}
	f, ok := decodeFrame(b, j.seed())
	if !ok || f.seq != p.seq || !f.holds(b, j.seed()) {
		return nil, fmt.Errorf("reading back from journal, frame %d at byte %d: %w", p.seq, p.off, ErrDamaged)
	}
	return b[frameHead : frameHead+f.n], nil
}

// Stats returns the figures of now.
func (j *Journal) Stats() Stats {
	s := j.stats
	s.Generation, s.Minor = j.generation, j.minor
	s.SnapshotBytes, s.LogBytes, s.FileBytes = j.log, j.tail-j.log, j.size
	s.InDoubt = j.doubt != 0 || j.unconfirmed || j.unnamed
	s.Unconfirmed = j.unconfirmed
	return s
}

// Close closes the file. The journal was durable before; what was in doubt is
// tried once more, and an error says that it still is.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	err := j.Repair()
	err = errors.Join(err, j.file.Close())
	j.file = nil
	return err
}

func (j *Journal) sync() error {
	j.stats.Syncs++
	return j.file.Sync()
}

// zero overwrites part of the file with zeros.
func (j *Journal) zero(from, to int64) error {
	j.stats.OtherBytes += to - from
	_, err := fill(j.file, from, to)
	return err
}

// fill writes zeros and returns up to where it got, in whole blocks.
func fill(f io.WriterAt, from, to int64) (int64, error) {
	for from < to {
		n, err := f.WriteAt(zeros[:min(to-from, int64(len(zeros)))], from)
		if err != nil {
			return from + int64(n)/blockSize*blockSize, err
		}
		from += int64(n)
	}
	return from, nil
}

var zeros [32 << 10]byte

func readFull(f io.ReaderAt, b []byte, off int64) error {
	_, err := io.ReadFull(io.NewSectionReader(f, off, int64(len(b))), b)
	return err
}

// dropCache is a wish: where it does not come true, reading proves less.
func dropCache(f vfs.File) {
	if d, ok := f.(vfs.Dropper); ok {
		_ = d.DropCache()
	}
}

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }

// Read gives load every record of a file that may be another process's open
// journal, in order, and returns what the file says of itself. It writes nothing.
// A record that is just being appended may be missing, or be ErrDamaged.
func Read(f io.ReaderAt, major uint16, load func(payload []byte) error) (Stats, error) {
	e, err := replay(f, major, load)
	if err != nil {
		return Stats{}, fmt.Errorf("reading a journal: %w", err)
	}
	return Stats{Generation: e.generation, Minor: e.minor, SnapshotBytes: e.log, LogBytes: e.tail - e.log, FileBytes: e.size}, nil
}
