package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/boatd/boatd/internal/vfs/crashfs"
)

// sample is a file with a snapshot and a log, what they hold, and where each
// frame begins.
type sample struct {
	bytes   []byte
	records []string
	starts  []int // of all frames, the snapshot's end among them, then the tail
	end     int   // index in starts of the snapshot-end frame
	seed    uint32
}

func newSample(t testing.TB) sample {
	t.Helper()
	fs := crashfs.New()
	j, _, err := open(options(fs, 1))
	if err != nil {
		t.Fatal(err)
	}
	s := sample{
		records: []string{"one", "", strings.Repeat("three", 9), "four", strings.Repeat("5", 77), "", "seven", strings.Repeat("eight", 130)},
		starts:  []int{headerSize},
		end:     3,
		seed:    0,
	}
	if err := j.Rotate(dump(s.records[:s.end])); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.records[s.end:] {
		if _, err := j.Append([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	next := func(n int) { s.starts = append(s.starts, s.starts[len(s.starts)-1]+frameSize(n)) }
	for i, r := range s.records {
		if i == s.end {
			next(8)
		}
		next(len(r))
	}
	s.bytes, s.seed = file(t, fs), j.seed()
	if int64(s.tail()) != j.tail || len(s.bytes) < s.tail()+4096 {
		t.Fatalf("tail %d, not %d", s.tail(), j.tail)
	}
	return s
}

func (s sample) tail() int { return s.starts[len(s.starts)-1] }

// with returns a file system that has these bytes as the journal.
func with(b []byte) *crashfs.FS {
	s := crashfs.New()
	s.Put("journal", b)
	return s
}

// refused checks that bytes are refused with ErrDamaged and nothing is written.
func refused(t *testing.T, what string, b []byte) {
	t.Helper()
	s := with(b)
	s.Put("journal.new", []byte("evidence"))
	_, _, err := open(options(s, 2))
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("%s: %v", what, err)
	}
	if s.Counters().Ops != 0 || !bytes.Equal(file(t, s), b) {
		t.Fatalf("%s: refused and touched", what)
	}
}

// accepted checks that bytes are read as these records, that afterwards only
// zeros follow them on the medium, and that the journal goes on.
func accepted(t *testing.T, what string, b []byte, want []string) {
	t.Helper()
	s := with(b)
	j, got, err := open(options(s, 2))
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%s: %v, holds %s", what, err, brief(got))
	}
	if !allZero(file(t, s)[j.tail:]) || s.Pending() != 0 {
		t.Fatalf("%s: something is left behind the tail", what)
	}
	if _, err := j.Append([]byte("goes on")); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if _, got, err := open(options(s, 3)); err != nil || !slices.Equal(got, append(slices.Clone(want), "goes on")) {
		t.Fatalf("%s: then %v, holds %s", what, err, brief(got))
	}
}

// Every bit of the file, flipped. In the last frame that cannot be told from a
// write that was cut short: this residue is accepted, since the alternative is
// to refuse to start after power cuts.
func TestEveryBit(t *testing.T) {
	t.Parallel()
	s := newSample(t)
	step := 1
	if runtime.GOARCH == "arm" {
		step = 7
	}
	kinds := map[string]int{}
	for bit := 0; bit < (s.tail()+64)*8; bit += step {
		b := slices.Clone(s.bytes)
		at := bit / 8
		b[at] ^= 1 << (bit % 8)
		i, _ := slices.BinarySearch(s.starts, at+1)
		i-- // at is in frame i, or in the header with -1, or in the zeros
		last := len(s.starts) - 2
		switch {
		case i < 0:
			kinds["header"]++
			refused(t, "header", b)
		case i > last:
			kinds["zeros"]++
			accepted(t, "zeros", b, s.records)
		case s.padding(i, at):
			kinds["padding"]++
			accepted(t, "padding", b, s.records)
		case i == last:
			kinds["last frame"]++
			accepted(t, "last frame", b, s.records[:len(s.records)-1])
		default:
			kinds["frame"]++
			refused(t, "frame", b)
		}
	}
	if len(kinds) != 5 {
		t.Errorf("%v", kinds)
	}
}

// padding says whether byte at of the file is behind the payload of frame i.
func (s sample) padding(i, at int) bool {
	n := int(binary.LittleEndian.Uint32(s.bytes[s.starts[i]:]) & 0xffffff)
	return at >= s.starts[i]+frameHead+n
}

// A file cut off anywhere: within the header or the snapshot it is damaged,
// within the log its end is taken for a torn tail.
func TestCutOff(t *testing.T) {
	s := newSample(t)
	for n := range s.tail() + 100 {
		i, exact := slices.BinarySearch(s.starts, n)
		if !exact {
			i--
		}
		switch {
		case i <= s.end:
			refused(t, "cut in header or snapshot", s.bytes[:n])
		case i >= len(s.starts)-1:
			accepted(t, "cut behind", s.bytes[:n], s.records)
		default:
			accepted(t, "cut in log", s.bytes[:n], s.records[:i-1])
		}
	}
}

// A lost sector or page among frames that were acknowledged is found.
func TestLostSectors(t *testing.T) {
	s := newSample(t)
	last := s.starts[len(s.starts)-2]
	for _, size := range []int{64, 512} {
		for lo := 0; lo+size <= last; lo += 16 {
			b := slices.Clone(s.bytes)
			clear(b[lo : lo+size])
			if !bytes.Equal(b, s.bytes) {
				refused(t, "lost", b)
			}
		}
	}
}

// put returns the file with a frame at at.
func (s sample) put(at int, kind byte, seq int, payload string) []byte {
	b := slices.Clone(s.bytes)
	copy(b[at:], appendFrame(nil, s.seed, kind, uint32(seq), []byte(payload)))
	return b
}

func TestFramesInTheWrongPlace(t *testing.T) {
	s := newSample(t)
	tail, next := s.tail(), len(s.records)+1 // one is the snapshot's end

	accepted(t, "the next frame", s.put(tail, kindData, next, "next"), append(slices.Clone(s.records), "next"))
	accepted(t, "an old number", s.put(tail, kindData, next-1, "old"), s.records)
	accepted(t, "an old number, later", s.put(tail+64, kindData, 0, "old"), s.records)
	accepted(t, "the same number, later", s.put(tail+64, kindData, next, "same"), s.records)
	accepted(t, "a number that cannot be", s.put(tail+64, kindData, next+5, "far"), s.records)
	accepted(t, "an unknown kind", s.put(tail, 3, next, "kind"), s.records)
	accepted(t, "not at a multiple of 16", s.put(tail+72, kindData, next+1, "askew"), s.records)
	refused(t, "a later number", s.put(tail+64, kindData, next+4, "lost"))
	refused(t, "a later number, at the tail", s.put(tail+16, kindData, next+1, "lost"))
	refused(t, "a second snapshot end", s.put(tail, kindEnd, next, "12345678"))

	foreign := s
	foreign.seed++
	accepted(t, "another salt", foreign.put(tail, kindData, next, "foreign"), s.records)
	accepted(t, "another salt, later", foreign.put(tail+64, kindData, next+1, "foreign"), s.records)

	damagedFollower := s.put(tail+64, kindData, next+1, "lost")
	damagedFollower[tail+64+frameHead] ^= 1
	refused(t, "a later frame that is damaged too", damagedFollower)

	for name, payload := range map[string]string{
		"number of frames": "\x04\x00\x00\x00\x00\x00\x00\x00", "length": "\x03\x00\x00\x00\x00\x00\x00",
	} {
		refused(t, name, s.put(s.starts[s.end], kindEnd, s.end, payload))
	}
	refused(t, "no snapshot end", s.put(s.starts[s.end], kindData, s.end, "12345678"))
	refused(t, "empty file", nil)
	refused(t, "another file", []byte(strings.Repeat("not a journal\n", 99)))
	refused(t, "only zeros", make([]byte, 4096))
}

// A torn frame holds, as its payload, frames that would fit: who sees that its
// head is whole does not look at them. When it has been wiped and something
// shorter stands in its place they must be gone too.
func TestForgedFramesInTornFrame(t *testing.T) {
	s := newSample(t)
	tail, next := s.tail(), len(s.records)+1
	var forged []byte
	for i := range 40 {
		forged = appendFrame(forged, s.seed, kindData, uint32(next+1+i), []byte("forged"))
	}
	b := s.put(tail, kindData, next, string(forged)+"the end")
	b[tail+frameHead+len(forged)] ^= 1 // torn
	accepted(t, "forged frames", b, s.records)
}

func TestLeftoverOfRotation(t *testing.T) {
	s := newSample(t)
	fs := with(s.bytes)
	fs.Put("journal.new", s.bytes)
	fs.Put("other", []byte("not ours"))
	if _, got, err := open(options(fs, 2)); err != nil || !slices.Equal(got, s.records) {
		t.Fatal(err)
	}
	if names, _ := fs.List(); !slices.Equal(names, []string{"journal", "other"}) {
		t.Errorf("files %q", names)
	}
	// Without the live file it is the leftover of a first start.
	fs = crashfs.New()
	fs.Put("journal.new", s.bytes)
	if _, got, err := open(options(fs, 2)); err != nil || len(got) != 0 {
		t.Errorf("%v, holds %s", err, brief(got))
	}
}

func TestShortReads(t *testing.T) {
	s := newSample(t)
	fs := with(s.bytes)
	fs.ShortReads()
	j, got, err := open(options(fs, 2))
	if err != nil || !slices.Equal(got, s.records) {
		t.Fatalf("%v, holds %s", err, brief(got))
	}
	if pos, err := j.Append([]byte("x")); err != nil {
		t.Error(err)
	} else if b, err := j.ReadBack(pos); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	if err := j.Rotate(dump(got)); err != nil {
		t.Error(err)
	}
}

// deaf reads nothing and says nothing.
type deaf struct{}

func (deaf) ReadAt([]byte, int64) (int, error) { return 0, nil }

func TestReaderWithoutProgress(t *testing.T) {
	if _, err := replay(deaf{}, 1, nil); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

// Whatever the file, Open ends, needs little memory, refuses without writing or
// leaves a journal that works.
func checkAny(t *testing.T, b []byte) {
	s := with(b)
	j, got, err := open(options(s, 2))
	if err != nil {
		if s.Counters().Ops != 0 {
			t.Fatalf("refused (%v) and touched", err)
		}
		return
	}
	want := append(got, "next")
	if _, err := j.Append([]byte("next")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := open(options(s, 3)); err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, holds %s, want %s", err, brief(got), brief(want))
	}
	if err := j.Rotate(dump(want)); err != nil {
		t.Fatal(err)
	}
}

func FuzzOpen(f *testing.F) {
	s := newSample(f)
	f.Add([]byte(nil))
	f.Add(s.bytes[:headerSize])
	f.Add(s.bytes[:s.tail()])
	f.Add(s.bytes)
	f.Fuzz(checkAny)
}

// FuzzOpenSealed makes files whose checksums are right: a header and then what
// the script says, three bytes a part: kind and flags, length, number.
func FuzzOpenSealed(f *testing.F) {
	f.Add(uint16(2), []byte{1, 9, 0, 2, 8, 1, 1, 50, 2})
	f.Add(uint16(900), []byte{2, 8, 0, 1, 3, 1, 65, 3, 2, 1, 3, 3})
	f.Add(uint16(0), []byte{2, 8, 0, 129, 3, 1, 1, 9, 9, 33, 3, 2})
	f.Fuzz(func(t *testing.T, minor uint16, script []byte) {
		h := header{major: 1, minor: minor, generation: 7, salt: [8]byte{1, 2, 3}}
		b := h.encode()
		var seq uint32
		for len(script) >= 3 && len(b) < 1<<20 {
			op, n, delta := script[0], int(script[1]), script[2]
			script = script[3:]
			if op&32 != 0 { // long
				n *= 1100
			}
			payload := bytes.Repeat([]byte{delta}, n)
			if op&3 == kindEnd {
				payload = binary.LittleEndian.AppendUint64(nil, uint64(seq)+uint64(n)-8)
			}
			if op&4 != 0 { // a number that is not the next
				seq += uint32(int8(delta))
			}
			at := len(b)
			b = appendFrame(b, h.seed(), op&3, seq, payload)
			seq++
			if op&64 != 0 { // torn
				b[len(b)-1-len(b[at:])/2] ^= 0x55
			}
			if op&128 != 0 { // with a gap
				b = append(b, make([]byte, 16*int(delta))...)
			}
		}
		checkAny(t, b)
	})
}
