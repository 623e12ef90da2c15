package journal

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"

	"github.com/boatd/boatd/internal/vfs"
)

// ShouldRotate advises a Rotate: the log has grown to RotateAt and to the size
// of the snapshot (so that over time no more is written for snapshots than for
// the log), or something is in doubt that a new file would settle, or the file
// states an older minor version than ours. After a failed rotation it waits for
// a quarter of RotateAt more of log.
func (j *Journal) ShouldRotate() bool {
	log := j.tail - j.log
	if j.file == nil || log < j.retryAt {
		return false
	}
	return log >= max(j.o.RotateAt, j.log) || j.doubt != 0 || j.unconfirmed || j.minor < j.o.Minor
}

// Rotate begins a new generation. dump emits the records that stand for
// everything appended so far; it must not use the journal. The new file is
// written, synced and read again before it takes the place of the old one.
//
// After an error nothing is lost and the journal goes on, with the old file or,
// if only the sync of the directory failed, with the new one.
func (j *Journal) Rotate(dump func(emit func(payload []byte) error) error) error {
	if j.file == nil {
		return fmt.Errorf("journal: %w", fs.ErrClosed)
	}
	// A frame in doubt must not come back if the power is cut before the new
	// file is in place. If this fails, the new file is the repair.
	_ = j.repair()
	if err := j.rotate(dump); err != nil {
		j.stats.Failures++
		j.retryAt = j.tail - j.log + j.o.RotateAt/4
		return fmt.Errorf("rotating journal, generation %d: %w", j.generation, err)
	}
	return nil
}

func (j *Journal) rotate(dump func(emit func([]byte) error) error) error {
	f, e, err := j.build(dump)
	if err != nil {
		return err
	}
	if err := j.o.FS.Rename(j.temporary(), j.o.Name); err != nil {
		return j.discard(f, err)
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.extent = f, e
	j.doubt, j.retryAt, j.unconfirmed, j.unnamed = 0, 0, false, true
	return j.repair()
}

// build makes the next generation under the temporary name.
func (j *Journal) build(dump func(emit func([]byte) error) error) (vfs.File, extent, error) {
	h := header{
		major: j.o.Major,
		// What a newer version wrote is dumped again even by a caller that does
		// not understand it, so the file goes on stating that version.
		minor:      max(j.minor, j.o.Minor),
		generation: j.generation + 1,
	}
	if _, err := io.ReadFull(j.o.Rand, h.salt[:]); err != nil {
		return nil, extent{}, fmt.Errorf("salt: %w", err)
	}
	f, err := j.o.FS.Create(j.temporary())
	if err != nil {
		return nil, extent{}, err
	}
	w := &writer{f: f, seed: h.seed(), buf: h.encode()}
	if err := w.generation(dump, j.o.Chunk); err != nil {
		return nil, extent{}, j.discard(f, err)
	}
	j.stats.Syncs++
	j.stats.OtherBytes += w.off
	e, err := w.prove(j.o.Major)
	if err != nil {
		return nil, extent{}, j.discard(f, err)
	}
	return f, e, nil
}

// discard gives up a new generation. A file that cannot be removed is emptied
// by the next rotation.
func (j *Journal) discard(f vfs.File, err error) error {
	f.Close()
	_ = j.o.FS.Remove(j.temporary())
	return err
}

func (j *Journal) temporary() string { return j.o.Name + ".new" }

// A writer writes a generation. Its first error stays.
type writer struct {
	f    vfs.File
	buf  []byte // not yet written
	off  int64  // where buf goes
	seed uint32
	seq  uint32
	err  error
}

// generation writes everything behind the header and syncs it.
func (w *writer) generation(dump func(emit func([]byte) error) error, chunk int64) error {
	if err := dump(w.emit); err != nil {
		return err
	}
	w.frame(kindEnd, binary.LittleEndian.AppendUint64(nil, uint64(w.seq)))
	w.flush()
	if w.err != nil {
		return w.err
	}
	if _, err := fill(w.f, w.off, roundUp(w.off+chunk, blockSize)); err != nil {
		return err
	}
	return w.f.Sync()
}

func (w *writer) emit(payload []byte) error {
	if w.err == nil && len(payload) > MaxPayload {
		w.err = fmt.Errorf("dumping %d bytes: %w", len(payload), ErrTooLarge)
	}
	w.frame(kindData, payload)
	return w.err
}

func (w *writer) frame(kind byte, payload []byte) {
	if w.err != nil {
		return
	}
	w.buf = appendFrame(w.buf, w.seed, kind, w.seq, payload)
	w.seq++
	if len(w.buf) >= readSize {
		w.flush()
	}
}

func (w *writer) flush() {
	if w.err != nil {
		return
	}
	_, w.err = w.f.WriteAt(w.buf, w.off)
	w.off += int64(len(w.buf))
	w.buf = w.buf[:0]
}

// prove reads the generation again, since it is about to replace the only copy
// of every key, and returns what the journal goes on with.
func (w *writer) prove(major uint16) (extent, error) {
	dropCache(w.f)
	e, err := replay(w.f, major, func([]byte) error { return nil })
	if err == nil && (e.seq != w.seq || e.tail != w.off || e.dirty != w.off) {
		err = ErrDamaged
	}
	if err != nil {
		return extent{}, fmt.Errorf("reading the new file: %w", err)
	}
	return e, nil
}
