package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// readSize is how much is read at a time, in bytes.
const readSize = 64 << 10

// An extent says what a file is and where in it things lie.
type extent struct {
	header
	seq   uint32 // of the next frame
	log   int64  // where the log begins
	last  int64  // where the last frame of the log begins; tail if there is none
	tail  int64  // where the next frame goes
	dirty int64  // behind the last byte after tail that may not be zero; tail if all are
	size  int64  // of the file
}

// replay reads a file from its beginning to its end, once, and gives load every
// payload. It writes nothing.
func replay(f io.ReaderAt, major uint16, load func([]byte) error) (extent, error) {
	w := &window{f: f}
	b, err := w.peek(headerSize)
	if err != nil {
		return extent{}, fmt.Errorf("header: %w", err)
	}
	h, err := decodeHeader(b, major)
	if err != nil {
		return extent{}, err
	}
	w.skip(headerSize)
	e := extent{header: h}
	r := &reader{window: w, seed: h.seed()}
	if err := r.snapshot(load); err != nil {
		return extent{}, fmt.Errorf("snapshot, frame %d at byte %d: %w", r.seq, w.at(), err)
	}
	e.log = w.at()
	e.last, err = r.log(load)
	e.seq, e.tail = r.seq, w.at()
	if err == nil {
		e.dirty, err = r.rest()
	}
	if err != nil {
		return extent{}, fmt.Errorf("log, frame %d at byte %d: %w", r.seq, e.tail, err)
	}
	e.size = w.end
	return e, nil
}

// A reader reads frames.
type reader struct {
	*window
	seed uint32
	seq  uint32 // that the next frame must have
}

// next reads one frame. With false there is no valid one here and nothing was
// passed. The payload is valid until the next call.
func (r *reader) next() (frame, []byte, bool, error) {
	b, err := r.peek(frameHead)
	if err != nil {
		return frame{}, nil, false, err
	}
	f, ok := decodeFrame(b, r.seed)
	if !ok || f.seq != r.seq {
		return frame{}, nil, false, nil
	}
	if b, err = r.peek(f.size()); err != nil {
		return frame{}, nil, false, err
	}
	if !f.holds(b, r.seed) {
		return frame{}, nil, false, nil
	}
	r.skip(f.size())
	r.seq++
	return f, b[frameHead : frameHead+f.n], true, nil
}

// snapshot reads up to and with the snapshot-end frame. The file got its name
// only when all this was synced, so whatever is wrong here is damage.
func (r *reader) snapshot(load func([]byte) error) error {
	for {
		f, payload, ok, err := r.next()
		switch {
		case err != nil:
			return err
		case !ok:
			return ErrDamaged
		case f.kind == kindEnd:
			if f.n != 8 || binary.LittleEndian.Uint64(payload) != uint64(f.seq) {
				return fmt.Errorf("%w: wrong number of frames", ErrDamaged)
			}
			return nil
		}
		if err := load(payload); err != nil {
			return err
		}
	}
}

// log reads frames until there is no more and returns where the last one began.
func (r *reader) log(load func([]byte) error) (last int64, err error) {
	last = r.at()
	for {
		at := r.at()
		f, payload, ok, err := r.next()
		switch {
		case err != nil || !ok:
			return last, err
		case f.kind != kindData:
			return last, fmt.Errorf("%w: a snapshot ends in the log", ErrDamaged)
		}
		if err := load(payload); err != nil {
			return last, err
		}
		last = at
	}
}

// rest judges what follows the last valid frame. A power cut can have torn one
// frame, the next: each is synced before another is begun. If a later one is
// there, the next had been acknowledged and is lost. It returns the end of what
// is not zero.
func (r *reader) rest() (dirty int64, err error) {
	tail := r.at()
	dirty = tail
	b, err := r.peek(frameHead)
	if err != nil {
		return 0, err
	}
	if f, ok := decodeFrame(b, r.seed); ok && f.seq == r.seq {
		// The torn frame itself. What is in it is payload, whatever it looks like.
		if b, err = r.peek(f.size()); err != nil {
			return 0, err
		}
		r.skip(len(b))
		dirty = r.at()
	}
	for {
		at := r.at()
		b, err := r.peek(align)
		if err != nil || len(b) == 0 {
			return dirty, err
		}
		r.skip(len(b))
		if allZero(b) {
			continue
		}
		dirty = r.at()
		// Frames take 16 bytes at least, which bounds how many there can have
		// been; a number beyond is chance, not a frame.
		f, ok := decodeFrame(b, r.seed)
		if ok && f.seq > r.seq && int64(f.seq-r.seq) <= (at-tail)/align {
			return 0, fmt.Errorf("%w: frame %d follows at byte %d", ErrDamaged, f.seq, at)
		}
	}
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// A window moves over a file from its beginning to its end.
type window struct {
	f   io.ReaderAt
	buf []byte // read and not yet passed: buf[pos:]
	pos int
	end int64 // file offset of the end of buf
	eof bool
}

// at returns the file offset of what peek returns.
func (w *window) at() int64 { return w.end - int64(len(w.buf)-w.pos) }

// skip passes n bytes that were peeked at.
func (w *window) skip(n int) { w.pos += n }

// peek returns the next n bytes, fewer at the end of the file. They are valid
// until the next peek.
func (w *window) peek(n int) ([]byte, error) {
	for len(w.buf)-w.pos < n && !w.eof {
		if err := w.fill(); err != nil {
			return nil, err
		}
	}
	return w.buf[w.pos:min(w.pos+n, len(w.buf))], nil
}

func (w *window) fill() error {
	kept := copy(w.buf, w.buf[w.pos:])
	w.buf, w.pos = slices.Grow(w.buf[:kept], readSize)[:kept+readSize], 0
	n, err := w.f.ReadAt(w.buf[kept:], w.end)
	w.buf, w.end = w.buf[:kept+n], w.end+int64(n)
	switch {
	case errors.Is(err, io.EOF):
		w.eof = true
	case err != nil:
		return err
	case n == 0:
		return io.ErrNoProgress
	}
	return nil
}
