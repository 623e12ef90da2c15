package journal

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/internal/vfs/crashfs"
)

// One step writes at most 8 KiB of blocks with up to 1 KiB of payload, and
// twice the payload beyond, in one sync that changes no metadata. Growth and
// rotation come on top; over time, per step, they are bounded too.
func TestCostOfAStep(t *testing.T) {
	s := crashfs.New()
	o := options(s, 1)
	o.Chunk, o.RotateAt = defaultChunk, defaultRotateAt
	j := mustOpen(t, o, nil)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 6000 {
		n := i % 1025
		if i%10 == 0 {
			n = rng.IntN(40_000)
		}
		if i == 77 {
			n = MaxPayload
		}
		grows := j.size-j.tail < int64(n+frameHead+16)+o.Chunk/4
		if !grows {
			s.ResetCounters()
		}
		if _, err := j.Append(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		c := s.Counters()
		if bound := 8<<10 + 2*max(0, n-1<<10); !grows && (c.Blocks*4096 > bound || c.Syncs != 1 || c.Writes != 1 || c.SizeSyncs != 0) {
			t.Fatalf("payload %d: %+v, at most %d bytes", n, c, bound)
		}
	}
}

// The same over a long time, with all that comes on top. The figures are those
// of the README.
func TestCostOverTime(t *testing.T) {
	steps, states := 20_000, []int{100, 10_000} // records in the snapshot
	if runtime.GOARCH == "arm" {
		steps, states = 6000, states[:1]
	}
	for _, state := range states {
		s := crashfs.New()
		j := mustOpen(t, Options{FS: s, Rand: options(s, 1).Rand, Major: 1}, nil)
		list := slices.Repeat([]string{strings.Repeat("s", 200)}, state)
		if err := j.Rotate(dump(list)); err != nil {
			t.Fatal(err)
		}
		before := j.Stats()
		s.ResetCounters()
		for range steps {
			if _, err := j.Append(make([]byte, 300)); err != nil {
				t.Fatal(err)
			}
			if j.ShouldRotate() {
				if err := j.Rotate(dump(list)); err != nil {
					t.Fatal(err)
				}
			}
		}
		c, after := s.Counters(), j.Stats()
		perStep := c.Blocks * 4096 / steps
		t.Logf("%d records of 200 bytes kept, steps of 300 bytes: %d bytes of blocks and %.2f syncs a step, %d generations; appended %d, other %d bytes",
			state, perStep, float64(c.Syncs)/float64(steps), after.Generation-before.Generation,
			(after.AppendedBytes-before.AppendedBytes)/int64(steps), (after.OtherBytes-before.OtherBytes)/int64(steps))
		if perStep > 8<<10 || c.Syncs > steps+steps/50 {
			t.Errorf("%d bytes of blocks a step, %d syncs", perStep, c.Syncs)
		}
		if after.Generation < before.Generation+1 {
			t.Error("no rotation in all this time")
		}
	}
}

// Opening reads the file once, in reads of 64 KiB, after 100,000 records and
// the rotations that they bring, and memory is bounded by the largest record.
func TestCostOfOpening(t *testing.T) {
	records := 100_000
	if runtime.GOARCH == "arm" || testing.Short() {
		records = 10_000
	}
	s := crashfs.New()
	want := live(t, s, records)
	size := int64(len(file(t, s)))
	s.ResetCounters()
	j := mustOpen(t, Options{FS: s, Major: 1}, want)
	c := s.Counters()
	t.Logf("%d records appended, %d held, generation %d: file of %d bytes, %d reads, %d bytes", records, len(want), j.Stats().Generation, size, c.Reads, c.ReadBytes)
	// One read more confirms the last record.
	if int64(c.Reads) > size/readSize+2 || c.ReadBytes > size+1000 || c.Writes > 2 || c.Syncs != 1 || c.DirSyncs != 1 {
		t.Errorf("%+v", c)
	}
	if size > 4<<20 {
		t.Errorf("file of %d bytes", size)
	}
}

// live appends records like those of transactions and keeps, at a rotation, the
// last 2000. It returns what the journal holds.
func live(t testing.TB, s vfs.FS, records int) (held []string) {
	j, held, err := open(Options{FS: s, Major: 1})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	payload := strings.Repeat("0123456789abcdef", 40)
	for range records {
		p := payload[:60+rng.IntN(400)]
		held = append(held, p)
		if _, err := j.Append([]byte(p)); err != nil {
			t.Fatal(err)
		}
		if j.ShouldRotate() {
			held = slices.Clone(held[max(0, len(held)-2000):])
			if err := j.Rotate(dump(held)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return held
}

func TestMemory(t *testing.T) {
	s := crashfs.New()
	j := mustOpen(t, options(s, 1), nil)
	for range 20 {
		mustAppend(t, j, strings.Repeat("x", MaxPayload))
	}
	if cap(j.buf) > readSize {
		t.Errorf("keeps %d bytes after a large record", cap(j.buf))
	}
	f, _ := s.Open("journal")
	w := &window{f: f}
	r := &reader{window: w, seed: j.seed()}
	w.skipTo(t, headerSize)
	if err := r.snapshot(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.log(func([]byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if cap(w.buf) > 2*(maxFrame+readSize) {
		t.Errorf("reads with %d bytes", cap(w.buf))
	}
}

func (w *window) skipTo(t *testing.T, n int) {
	if _, err := w.peek(n); err != nil {
		t.Fatal(err)
	}
	w.skip(n)
}
