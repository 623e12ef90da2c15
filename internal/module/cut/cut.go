// Package cut reads the log of a disk's writes and says what a power cut leaves
// of them.
//
// The log is what QEMU's blklogwrites writes, in the format of Linux'
// dm-log-writes: a superblock, then for each write or flush one sector that
// describes it and the sectors that were written.
package cut

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
)

// SectorSize is that of the log and of the disk, in bytes: what a disk writes
// whole or not at all.
const SectorSize = 512

// Of linux/drivers/md/dm-log-writes.c.
const (
	magic     = 0x6a736677736872
	version   = 1
	flagFlush = 1
	flagFUA   = 2
)

// ErrFormat is a file that is no such log, or one with entries that nobody here
// understands.
var ErrFormat = errors.New("not a log of writes")

// A Log is what was written to a disk, in order.
type Log struct {
	entries []entry
}

type entry struct {
	end   int64 // where it ends in the file
	at    int64 // where it was written on the disk, in bytes
	data  []byte
	flush bool // everything before it is durable
	fua   bool // and it is itself
}

// Read reads a log. Its last entry is left out if it is not whole: whoever wrote
// it was killed. QEMU writes the superblock at the first flush: a log without one
// has nothing that is durable, and is empty.
func Read(path string) (*Log, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return l, nil
}

func parse(text []byte) (*Log, error) {
	if len(text) < SectorSize || bytes.Equal(text[:SectorSize], make([]byte, SectorSize)) {
		return &Log{}, nil
	}
	le := binary.LittleEndian
	if le.Uint64(text) != magic || le.Uint64(text[8:]) != version || le.Uint32(text[24:]) != SectorSize {
		return nil, fmt.Errorf("%w: it begins with %q", ErrFormat, text[:28])
	}
	l := &Log{}
	pos := SectorSize
	for pos+SectorSize <= len(text) {
		head := text[pos:]
		sector, sectors, flags := le.Uint64(head), le.Uint64(head[8:]), le.Uint64(head[16:])
		if flags&^(flagFlush|flagFUA) != 0 || sectors > 1<<20 || sector > 1<<32 {
			return nil, fmt.Errorf("%w: entry %d: sector %d, %d sectors, flags %#x", ErrFormat, len(l.entries), sector, sectors, flags)
		}
		begin, size := pos+SectorSize, int(sectors)*SectorSize
		if begin+size > len(text) {
			break
		}
		pos = begin + size
		l.entries = append(l.entries, entry{
			end: int64(pos), at: int64(sector) * SectorSize, data: text[begin:pos],
			flush: flags&flagFlush != 0, fua: flags&flagFUA != 0,
		})
	}
	return l, nil
}

// Len is the number of entries.
func (l *Log) Len() int { return len(l.entries) }

// At is the number of entries that lie whole in the first size bytes of the log:
// what had been written when the file had that size.
func (l *Log) At(size int64) int {
	n := 0
	for n < len(l.entries) && l.entries[n].end <= size {
		n++
	}
	return n
}

// Flushes are the places in the log right behind a flush: as many entries lie
// before them.
func (l *Log) Flushes() []int {
	var at []int
	for i, e := range l.entries {
		if e.flush {
			at = append(at, i+1)
		}
	}
	return at
}

// Disk makes of a disk, as it was when the log began, what it may hold when the
// power goes after n entries: everything up to the last flush, and of what was
// written after it some whole, some not at all, some in part. The disk is
// changed in place. Without a source of chance all that came after the flush is
// lost.
func (l *Log) Disk(disk []byte, n int, chance *rand.Rand) error {
	durable := 0
	for i, e := range l.entries[:n] {
		if e.flush {
			durable = i + 1
		}
	}
	for i, e := range l.entries[:n] {
		if e.at+int64(len(e.data)) > int64(len(disk)) {
			return fmt.Errorf("%w: entry %d goes beyond the disk's end", ErrFormat, i)
		}
		kept := fate(len(e.data)/SectorSize, i < durable || e.fua, chance)
		for s, keep := range kept {
			if keep {
				copy(disk[e.at+int64(s)*SectorSize:], e.data[s*SectorSize:(s+1)*SectorSize])
			}
		}
	}
	return nil
}

// fate says which sectors of a write are kept.
func fate(sectors int, durable bool, chance *rand.Rand) []bool {
	kept := make([]bool, sectors)
	whole := durable
	if !durable {
		if chance == nil {
			return kept
		}
		switch chance.IntN(3) {
		case 0:
			return kept
		case 1:
			whole = true
		}
	}
	for s := range kept {
		kept[s] = whole || chance.IntN(2) == 0
	}
	return kept
}
