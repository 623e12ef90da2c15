package crashfs

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A clone goes its own way and keeps what was pending.
func TestClone(t *testing.T) {
	s := New()
	f := durable(t, s, "a", sectors('a', 2))
	write(t, f, sectors('b', 1), 0)
	must(t, s.Rename("a", "b"))
	c := s.Clone()
	g, err := c.Open("b")
	must(t, err)
	write(t, g, sectors('c', 1), sectorSize)
	must(t, g.Sync())
	must(t, c.SyncDir())
	wantOutcomes(t, c, "a b", "none bc")
	wantOutcomes(t, s, "a b", "aa none", "ba none", "none aa", "none ba")
	if shape(s, "b") != "ba" {
		t.Error("the clone changed the original")
	}
}

// Work on an outcome does not change the file system that it came from.
func TestOutcomesAreIndependent(t *testing.T) {
	s := New()
	f := durable(t, s, "a", sectors('a', 2))
	write(t, f, sectors('b', 1), 0)
	before := found(s, 100, "a")
	for _, c := range s.Outcomes(100, 1) {
		h := durable(t, c, "a", sectors('z', 5))
		must(t, h.Truncate(0))
		must(t, c.Remove("a"))
		must(t, c.SyncDir())
	}
	if after := found(s, 100, "a"); !slices.Equal(before, after) {
		t.Errorf("%q became %q", before, after)
	}
}

// With more pieces than can be enumerated: the sample has what was promised,
// is as long as it was asked for, and is the same again from the same seed.
func TestSample(t *testing.T) {
	s := New()
	f := durable(t, s, "a", sectors('a', 40))
	for i := range 4 {
		write(t, f, sectors('b', 10), int64(i*10*sectorSize))
	}
	sample := func(limit int, seed uint64) (all []string) {
		for c, fs := range s.Outcomes(limit, seed) {
			if again := s.Crash(c); content(again, "a") != content(fs, "a") {
				t.Errorf("%v: not the same again", c)
			}
			all = append(all, shape(fs, "a"))
		}
		return all
	}
	got := sample(1000, 7)
	if len(got) != 1000 || !slices.Equal(got, sample(1000, 7)) || slices.Equal(got, sample(1000, 8)) {
		t.Errorf("%d outcomes, or not those of the seed", len(got))
	}
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	want := []string{a, b, b[:20] + a[:20], a[:10] + b[:10] + a[:20], b[:10] + a[:10] + b[:20]}
	for i := range 40 {
		want = append(want, b[:i]+a[i:], a[:i]+"b"+a[i+1:], b[:i]+"a"+b[i+1:])
	}
	for i := range 10 { // 2048 bytes, of one write
		if lo, hi := 4*i, 4*i+4; lo/10 == (hi-1)/10 {
			want = append(want, a[:lo]+b[lo:hi]+a[hi:], b[:lo]+a[lo:hi]+b[hi:])
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("no outcome %s", w)
		}
	}
	few := sample(10, 7)
	if len(few) != 10 || few[0] != a || few[1] != b {
		t.Errorf("a small sample: %q", few)
	}
}

func TestEveryOutcomeOnce(t *testing.T) {
	s := New()
	f := durable(t, s, "a", sectors('a', 10))
	write(t, f, sectors('b', 10), 0)
	seen := map[string]int{}
	for _, c := range s.Outcomes(1<<10, 1) {
		seen[content(c, "a")]++
	}
	if len(seen) != 1<<10 || s.Pending() != 10 {
		t.Errorf("%d outcomes of %d pieces", len(seen), s.Pending())
	}
}

func BenchmarkAppendAndCrash(b *testing.B) {
	s := New()
	s.Put("a", make([]byte, 64<<10))
	f, _ := s.Open("a")
	p := bytes.Repeat([]byte("x"), 1000)
	for i := 0; b.Loop(); i++ {
		f.WriteAt(p, int64(i*1000%(60<<10)))
		for range s.Outcomes(16, 1) {
		}
		f.Sync()
	}
}

func ExampleFS_Outcomes() {
	s := New()
	f, _ := s.Create("a")
	s.SyncDir()
	f.WriteAt([]byte("hello"), 0)
	for choice, found := range s.Outcomes(100, 1) {
		fmt.Printf("%v: %q\n", choice, content(found, "a"))
	}
	// Output:
	// 0 of 2 pieces [0]: ""
	// 1 of 2 pieces [1]: "\x00\x00\x00\x00\x00"
	// 1 of 2 pieces [2]: ""
	// 2 of 2 pieces [3]: "hello"
}
