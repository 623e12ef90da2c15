package crashfs

import (
	"io"
	"io/fs"
	"slices"
	"syscall"
)

const (
	sectorSize = 512
	blockSize  = 4096
	perBlock   = blockSize / sectorSize
	maxFile    = 1 << 28 // bytes; a size beyond is EFBIG
)

// A sector never changes once it is part of a file: a write replaces it. So
// the medium, the readers, the pending pieces and all clones share sectors.
// The nil pointer is a sector of zeros.
type sector [sectorSize]byte

var zeroSector sector

func orZero(s *sector) *sector {
	if s == nil {
		return &zeroSector
	}
	return s
}

// A piece is the smallest thing that a power cut can lose: one sector, or a
// change of size.
type piece struct {
	op    int     // the operation that made it
	index int     // of the sector; -1 for a change of size
	data  *sector // what the sector is with it
	size  int64   // what the size is with it
	limbo bool    // a Sync failed over it
	cut   bool    // the size became smaller
}

// An inode is a file. Bytes beyond its size, in its last sector, are zeros.
type inode struct {
	disk     []*sector // the medium
	diskSize int64
	cache    []*sector // what readers see; not there until it differs (own)
	size     int64
	owned    bool
	pend     []piece
	names    int
	opens    int
}

func (n *inode) view() []*sector {
	if n.owned {
		return n.cache
	}
	return n.disk
}

func (n *inode) own() {
	if !n.owned {
		n.cache, n.owned = slices.Clone(n.disk), true
	}
}

func (n *inode) allocated() int64 {
	return (n.size + blockSize - 1) / blockSize * blockSize
}

// write puts p at off and leaves the pieces pending.
func (n *inode) write(p []byte, off int64, op int) {
	if len(p) == 0 {
		return
	}
	n.own()
	if end := off + int64(len(p)); end > n.size {
		n.setSize(end, op)
	}
	for len(p) > 0 {
		i, at := int(off/sectorSize), int(off%sectorSize)
		k := min(len(p), sectorSize-at)
		n.cache[i] = patched(n.cache[i], at, p[:k])
		n.pend = append(n.pend, piece{op: op, index: i, data: n.cache[i]})
		p, off = p[k:], off+int64(k)
	}
}

// patched returns the sector with p at at.
func patched(old *sector, at int, p []byte) *sector {
	if len(p) == sectorSize && [sectorSize]byte(p) == zeroSector {
		return nil
	}
	sec := *orZero(old)
	copy(sec[at:], p)
	return &sec
}

// setSize changes the size, with zeros where it grows.
func (n *inode) setSize(size int64, op int) {
	n.own()
	shrunk := size < n.size
	n.size = size
	n.cache = cut(n.cache, size)
	n.pend = append(n.pend, piece{op: op, index: -1, size: size, cut: shrunk})
	if last := int(size / sectorSize); shrunk && last < len(n.cache) {
		n.pend = append(n.pend, piece{op: op, index: last, data: n.cache[last]})
	}
}

// cut makes the sectors fit a size. What is beyond it in the last one is lost.
func cut(secs []*sector, size int64) []*sector {
	want := int((size + sectorSize - 1) / sectorSize)
	for len(secs) < want {
		secs = append(secs, nil)
	}
	clear(secs[want:])
	secs = secs[:want]
	if rest := int(size % sectorSize); rest != 0 && secs[want-1] != nil {
		sec := *secs[want-1]
		clear(sec[rest:])
		secs[want-1] = &sec
	}
	return secs
}

// settle makes durable what was written since the last time: whole 4096-byte
// pages as readers see them, and the size with them. A piece in limbo is
// written only if something else in its page was. It says whether the size on
// the medium changed.
func (n *inode) settle() (resized bool) {
	var pages []int
	for _, p := range n.pend {
		switch {
		case p.limbo:
		case p.index < 0:
			n.disk, resized = cut(n.disk, p.size), true
		default:
			pages = append(pages, p.index/perBlock)
			resized = resized || int64(p.index)*sectorSize >= n.diskSize
		}
	}
	slices.Sort(pages)
	pages = slices.Compact(pages)
	if resized {
		n.disk, n.diskSize = cut(n.disk, n.size), n.size
	}
	for _, page := range pages {
		if lo, hi := page*perBlock, min((page+1)*perBlock, len(n.disk)); lo < hi {
			copy(n.disk[lo:hi], n.cache[lo:hi])
		}
	}
	n.pend = slices.DeleteFunc(n.pend, func(p piece) bool {
		if !p.limbo {
			return true
		}
		if p.index < 0 {
			return resized
		}
		_, written := slices.BinarySearch(pages, p.index/perBlock)
		return written
	})
	return resized
}

// A file is an open file.
type file struct {
	s      *FS
	ino    *inode
	name   string
	closed bool
}

func (f *file) usable(op string) error {
	if f.closed {
		return failed(op, f.name, fs.ErrClosed)
	}
	return nil
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.usable("read"); err != nil {
		return 0, err
	}
	if f.s.off {
		return 0, failed("read", f.name, ErrPower)
	}
	f.s.counters.Reads++
	if f.s.readErr != nil {
		return 0, failed("read", f.name, f.s.readErr)
	}
	if off < 0 {
		return 0, failed("read", f.name, syscall.EINVAL)
	}
	want := len(p)
	if f.s.short && want > 1 {
		want = want/2 + 1
	}
	n := f.ino.read(p[:want], off)
	f.s.counters.ReadBytes += int64(n)
	if n < want {
		return n, io.EOF
	}
	return n, nil
}

func (n *inode) read(p []byte, off int64) int {
	if off >= n.size {
		return 0
	}
	p = p[:min(int64(len(p)), n.size-off)]
	done := 0
	for secs := n.view(); done < len(p); {
		at := off + int64(done)
		done += copy(p[done:], orZero(secs[at/sectorSize])[at%sectorSize:])
	}
	return done
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if err := f.usable("write"); err != nil {
		return 0, err
	}
	if off < 0 || off > maxFile-int64(len(p)) {
		return 0, failed("write", f.name, syscall.EFBIG)
	}
	does, err := f.s.begin()
	n := len(p)
	switch does {
	case half:
		n /= 2
	case nothing:
		n = 0
	}
	if fits := f.fits(off); int64(n) > fits {
		n, err = int(fits), syscall.ENOSPC
	}
	before := f.ino.allocated()
	f.ino.write(p[:n], off, f.s.ops)
	f.s.used += f.ino.allocated() - before
	f.s.counters.Writes++
	f.s.counters.WriteBytes += int64(n)
	f.s.look()
	if err != nil {
		return n, failed("write", f.name, err)
	}
	return n, nil
}

// fits returns how many bytes there is space for from off.
func (f *file) fits(off int64) int64 {
	have := f.ino.allocated()
	free := max(0, f.s.space-f.s.used) / blockSize * blockSize
	if free > maxFile {
		return maxFile
	}
	return max(0, have+free-off)
}

func (f *file) Truncate(size int64) error {
	if err := f.usable("truncate"); err != nil {
		return err
	}
	if size < 0 || size > maxFile {
		return failed("truncate", f.name, syscall.EINVAL)
	}
	does, err := f.s.begin()
	if does == whole && size-f.ino.size > f.fits(f.ino.size) {
		does, err = nothing, syscall.ENOSPC
	}
	if does == whole {
		f.s.resize(f.ino, size)
	}
	f.s.look()
	if err != nil {
		return failed("truncate", f.name, err)
	}
	return nil
}

func (s *FS) resize(ino *inode, size int64) {
	before := ino.allocated()
	if size != ino.size {
		ino.setSize(size, s.ops)
	}
	s.used += ino.allocated() - before
}

func (f *file) Size() (int64, error) {
	if err := f.usable("stat"); err != nil {
		return 0, err
	}
	if f.s.off {
		return 0, failed("stat", f.name, ErrPower)
	}
	return f.ino.size, nil
}

func (f *file) Sync() error {
	if err := f.usable("fdatasync"); err != nil {
		return err
	}
	does, err := f.s.begin()
	f.s.look()
	if err != nil && (does != nothing || len(f.ino.pend) > 0 || f.s.off) {
		if !f.s.off {
			for i := range f.ino.pend {
				f.ino.pend[i].limbo = true
			}
		}
		return failed("fdatasync", f.name, err)
	}
	f.s.counters.Syncs++
	f.s.counters.Blocks += f.s.countBlocks(f.ino.pend)
	if f.ino.settle() {
		f.s.counters.SizeSyncs++
	}
	return nil
}

// countBlocks counts the distinct blocks that a Sync of these pieces writes.
func (s *FS) countBlocks(pend []piece) int {
	count := 0
	clear(s.seen)
	for _, p := range pend {
		if p.limbo || p.index < 0 {
			continue
		}
		word, bit := p.index/perBlock/64, uint64(1)<<(p.index/perBlock%64)
		for word >= len(s.seen) {
			s.seen = append(s.seen, 0)
		}
		if s.seen[word]&bit == 0 {
			s.seen[word] |= bit
			count++
		}
	}
	return count
}

func (f *file) Close() error {
	if err := f.usable("close"); err != nil {
		return err
	}
	f.closed = true
	f.ino.opens--
	f.s.release(f.ino)
	return nil
}
