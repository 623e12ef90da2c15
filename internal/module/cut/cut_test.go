package cut

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// A written log: writes of one byte repeated, flushes.
type builder struct{ b []byte }

func newBuilder() *builder {
	head := make([]byte, SectorSize)
	binary.LittleEndian.PutUint64(head, magic)
	binary.LittleEndian.PutUint64(head[8:], version)
	binary.LittleEndian.PutUint32(head[24:], SectorSize)
	return &builder{head}
}

func (w *builder) entry(sector, sectors, flags uint64, fill byte) *builder {
	head := make([]byte, SectorSize)
	binary.LittleEndian.PutUint64(head, sector)
	binary.LittleEndian.PutUint64(head[8:], sectors)
	binary.LittleEndian.PutUint64(head[16:], flags)
	w.b = append(append(w.b, head...), bytes.Repeat([]byte{fill}, int(sectors)*SectorSize)...)
	return w
}

func (w *builder) write(sector, sectors uint64, fill byte) *builder {
	return w.entry(sector, sectors, 0, fill)
}
func (w *builder) flush() *builder { return w.entry(0, 0, flagFlush, 0) }

// sectors is what a disk holds, a byte a sector; a sector is of one byte only.
func sectors(t *testing.T, disk []byte) string {
	t.Helper()
	var s []byte
	for i := 0; i < len(disk); i += SectorSize {
		if !bytes.Equal(disk[i:i+SectorSize], bytes.Repeat(disk[i:i+1], SectorSize)) {
			t.Fatalf("sector %d is torn", i/SectorSize)
		}
		s = append(s, disk[i])
	}
	return string(s)
}

func blank(n int) []byte { return bytes.Repeat([]byte{'.'}, n*SectorSize) }

func TestDisk(t *testing.T) {
	l, err := parse(newBuilder().write(0, 2, 'a').write(2, 1, 'b').flush().write(1, 2, 'c').flush().write(4, 2, 'd').entry(7, 1, flagFUA, 'e').b)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{"........", "........", "........", "aab.....", "aab.....", "acc.....", "acc.....", "acc....e"} {
		disk := blank(8)
		if err := l.Disk(disk, n, nil); err != nil {
			t.Fatal(err)
		}
		if got := sectors(t, disk); got != want {
			t.Errorf("after %d entries: %s, want %s", n, got, want)
		}
	}
	if got := l.Flushes(); !slices.Equal(got, []int{3, 5}) {
		t.Errorf("flushes at %v", got)
	}
}

// TestDiskByChance: what was flushed is always there, what was not is there in
// every possible way.
func TestDiskByChance(t *testing.T) {
	l, err := parse(newBuilder().write(0, 1, 'a').flush().write(1, 2, 'b').write(3, 1, 'c').b)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	chance := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		disk := blank(4)
		if err := l.Disk(disk, l.Len(), chance); err != nil {
			t.Fatal(err)
		}
		seen[sectors(t, disk)] = true
	}
	for _, want := range []string{"a...", "a.b.", "ab..", "abb.", "a..c", "a.bc", "ab.c", "abbc"} {
		if !seen[want] {
			t.Errorf("%s was never made", want)
		}
		delete(seen, want)
	}
	for s := range seen {
		t.Errorf("%s cannot be", s)
	}
}

// TestKilled: a log ends anywhere when its writer is killed.
func TestKilled(t *testing.T) {
	text := newBuilder().write(0, 2, 'a').flush().write(2, 3, 'b').b
	whole, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for size := SectorSize; size <= len(text); size++ {
		l, err := parse(text[:size])
		if err != nil {
			t.Fatal(err)
		}
		if at := whole.At(int64(size)); at != l.Len() {
			t.Errorf("%d bytes have %d entries, At says %d", size, l.Len(), at)
		}
	}
}

// TestBeforeFlush: QEMU makes an empty file grow, and writes its head with the
// first flush.
func TestBeforeFlush(t *testing.T) {
	written := newBuilder().write(0, 1, 'a').b
	clear(written[:SectorSize])
	for _, text := range [][]byte{nil, written[:SectorSize], written} {
		l, err := parse(text)
		if err != nil || l.Len() != 0 || len(l.Flushes()) != 0 {
			t.Errorf("%d bytes: %v, %v", len(text), l, err)
		}
	}
}

func TestNoLog(t *testing.T) {
	good := newBuilder().write(0, 1, 'a').b
	wrongMagic, unknown, wild := slices.Clone(good), slices.Clone(good), newBuilder().entry(1<<40, 1, 0, 0).b
	wrongMagic[0]++
	unknown[SectorSize+16] = 4
	for name, text := range map[string][]byte{"magic": wrongMagic, "flags": unknown, "sector": wild} {
		if _, err := parse(text); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l, err := parse(newBuilder().write(3, 2, 'a').b)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Disk(blank(4), 1, nil); !errors.Is(err, ErrFormat) {
		t.Errorf("a write beyond the end: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(newBuilder().write(0, 2, 'a').flush().b)
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parse(text)
		if err != nil {
			return
		}
		disk := blank(64)
		_ = l.Disk(disk, l.Len(), nil)
		if l.At(int64(len(text))) != l.Len() {
			t.Error("not all of its entries lie in it")
		}
	})
}
