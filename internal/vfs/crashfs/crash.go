package crashfs

import (
	"fmt"
	"iter"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// A Choice says which of the pending pieces reached the medium. It belongs to
// one state of one FS; the same seed gives the same choices again.
type Choice struct {
	keep []uint64 // one bit a piece, in the order of the pieces
	n    int
}

func newChoice(n int) Choice { return Choice{make([]uint64, (n+63)/64), n} }

func (c Choice) has(i int) bool { return c.keep[i/64]>>(i%64)&1 != 0 }

func (c Choice) set(lo, hi int, keep bool) {
	for i := lo; i < hi; i++ {
		if keep {
			c.keep[i/64] |= 1 << (i % 64)
		} else {
			c.keep[i/64] &^= 1 << (i % 64)
		}
	}
}

// String is for the message of a test that fails.
func (c Choice) String() string {
	kept := 0
	for _, w := range c.keep {
		kept += bits.OnesCount64(w)
	}
	return fmt.Sprintf("%d of %d pieces %x", kept, c.n, c.keep)
}

// A ref is one pending piece of the whole file system: a piece of a file, a
// move of the directory, or, with neither, whether files that grew show what
// the medium held before instead of zeros.
type ref struct {
	op   int
	ino  *inode
	i    int // in ino.pend
	move int // in FS.moves
	unit int // pieces of one op with the same unit are in the same 2048 bytes
}

// pending lists all pieces in the order of the operations.
func (s *FS) pending() []ref {
	var refs []ref
	grew := false
	for _, ino := range s.inodes() {
		for i, p := range ino.pend {
			refs = append(refs, ref{op: p.op, ino: ino, i: i, unit: p.index * sectorSize / 2048})
			grew = grew || p.index < 0 && p.size > ino.diskSize
		}
	}
	for i, m := range s.moves {
		refs = append(refs, ref{op: m.op, move: i})
	}
	slices.SortStableFunc(refs, func(a, b ref) int { return a.op - b.op })
	if grew && len(s.stale) > 0 {
		refs = append(refs, ref{op: s.ops + 1, move: -1})
	}
	return refs
}

// inodes lists the files that have a name or may have one after a crash.
func (s *FS) inodes() []*inode {
	var all []*inode
	add := func(ino *inode) {
		if !slices.Contains(all, ino) {
			all = append(all, ino)
		}
	}
	for _, e := range s.disk {
		add(e.ino)
	}
	for _, m := range s.moves {
		add(m.ino)
	}
	return all
}

// Pending returns the number of pieces that a power cut could lose now.
func (s *FS) Pending() int { return len(s.pending()) }

// Crash returns the file system as it is found after a power cut now, if the
// choice is what reached the medium. The FS itself is not changed.
func (s *FS) Crash(c Choice) *FS { return s.crash(c, s.pending()) }

// Outcomes yields what a power cut now can leave behind: every outcome if
// there are at most limit, else limit of them: nothing and everything arrived,
// the work in order up to some piece, one piece alone, all but one (pieces
// being whole operations, 2048 bytes or 512 bytes), and random subsets from
// the seed. The FS must not be changed meanwhile.
func (s *FS) Outcomes(limit int, seed uint64) iter.Seq2[Choice, *FS] {
	return func(yield func(Choice, *FS) bool) {
		refs := s.pending()
		for c := range choices(refs, limit, seed) {
			if !yield(c, s.crash(c, refs)) {
				return
			}
		}
	}
}

func choices(refs []ref, limit int, seed uint64) iter.Seq[Choice] {
	n := len(refs)
	if n < 20 && 1<<n <= limit {
		return func(yield func(Choice) bool) {
			for v := range uint64(1) << n {
				if !yield(Choice{[]uint64{v}, n}) {
					return
				}
			}
		}
	}
	return func(yield func(Choice) bool) {
		all := systematic(refs)
		rng := rand.New(rand.NewPCG(seed, uint64(n)))
		take := min(len(all), limit-limit/4)
		for i := range take {
			if i >= 2 { // the first two are: nothing, everything
				i = i * len(all) / take
			}
			if !yield(all[i](newChoice(n))) {
				return
			}
		}
		levels := levels(refs)
		for range limit - take {
			if !yield(random(newChoice(n), levels[rng.IntN(len(levels))], rng)) {
				return
			}
		}
	}
}

// levels cuts the pieces into groups that are kept or lost together, in three
// sizes. A group g is the pieces level[g] to level[g+1].
func levels(refs []ref) [][]int {
	cut := func(together func(a, b ref) bool) []int {
		var starts []int
		for i := range refs {
			if i == 0 || !together(refs[i-1], refs[i]) {
				starts = append(starts, i)
			}
		}
		return append(starts, len(refs))
	}
	sizes := [][]int{
		cut(func(a, b ref) bool { return a.op == b.op }),
		cut(func(a, b ref) bool { return a.op == b.op && a.ino == b.ino && a.unit == b.unit }),
		cut(func(a, b ref) bool { return false }),
	}
	// Sizes that come to the same are one.
	return slices.CompactFunc(sizes, func(a, b []int) bool { return len(a) == len(b) })
}

// systematic lists the choices that are not random, as functions that fill in
// an empty one: there may be many more of them than are wanted.
func systematic(refs []ref) []func(Choice) Choice {
	n := len(refs)
	fill := func(lo, hi int, most bool) func(Choice) Choice {
		return func(c Choice) Choice {
			c.set(0, n, most)
			c.set(lo, hi, !most)
			return c
		}
	}
	all := []func(Choice) Choice{fill(0, 0, false), fill(0, 0, true)}
	for _, level := range levels(refs) {
		for g := range len(level) - 1 {
			lo, hi := level[g], level[g+1]
			all = append(all, fill(0, hi, false), fill(lo, hi, false), fill(lo, hi, true))
		}
	}
	return all
}

func random(c Choice, level []int, rng *rand.Rand) Choice {
	density := rng.IntN(9) // of 8
	for g := range len(level) - 1 {
		c.set(level[g], level[g+1], rng.IntN(8) < density)
	}
	return c
}

func (s *FS) crash(c Choice, refs []ref) *FS {
	t := New()
	t.space, t.stale = s.space, s.stale
	names := slices.Clone(s.disk)
	var stale []*sector
	for i, r := range refs {
		switch {
		case !c.has(i) || r.ino != nil:
		case r.move < 0:
			stale = s.stale
		default:
			names = s.moves[r.move].apply(names)
		}
	}
	for _, e := range names {
		found := e.ino.survive(c, refs, stale)
		found.names = 1
		t.names = append(t.names, entry{e.name, found})
		t.used += found.allocated()
	}
	t.disk = slices.Clone(t.names)
	return t
}

func (m move) apply(names []entry) []entry {
	if m.from != "" {
		names = unbind(names, m.from, m.ino)
	}
	if m.to != "" {
		names = append(unbind(names, m.to, nil), entry{m.to, m.ino})
	}
	return names
}

// survive returns the file as the medium has it with the pieces of the choice.
func (n *inode) survive(c Choice, refs []ref, stale []*sector) *inode {
	secs, size := slices.Clone(n.disk), n.diskSize
	grow := func(to int) {
		for len(secs) < to {
			if i := len(secs); i < len(stale) {
				secs = append(secs, stale[i])
			} else {
				secs = append(secs, nil)
			}
		}
	}
	for i, r := range refs {
		if r.ino != n || !c.has(i) {
			continue
		}
		switch p := n.pend[r.i]; {
		case p.index >= 0:
			grow(p.index + 1)
			secs[p.index] = p.data
		case p.cut:
			secs, size = cut(secs, p.size), p.size
		default:
			size = p.size
		}
	}
	grow(int((size + sectorSize - 1) / sectorSize))
	return &inode{disk: cut(secs, size), diskSize: size, size: size}
}

// Clone returns a copy that goes its own way, without power cuts, faults or a
// watcher, and with what is pending: the machine after its process was killed.
func (s *FS) Clone() *FS {
	t := New()
	t.space, t.ops, t.opsBase = s.space, s.ops, s.ops
	t.stale = slices.Clone(s.stale)
	copies := map[*inode]*inode{}
	for _, ino := range append(s.inodes(), seen(s.names)...) {
		if copies[ino] == nil {
			d := *ino
			d.disk, d.cache, d.pend = slices.Clone(ino.disk), slices.Clone(ino.cache), slices.Clone(ino.pend)
			d.opens = 0
			copies[ino] = &d
		}
	}
	for _, e := range s.names {
		t.names = append(t.names, entry{e.name, copies[e.ino]})
		t.used += e.ino.allocated()
	}
	for _, e := range s.disk {
		t.disk = append(t.disk, entry{e.name, copies[e.ino]})
	}
	for _, m := range s.moves {
		m.ino = copies[m.ino]
		t.moves = append(t.moves, m)
	}
	return t
}

func seen(entries []entry) []*inode {
	var inos []*inode
	for _, e := range entries {
		inos = append(inos, e.ino)
	}
	return inos
}
