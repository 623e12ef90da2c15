package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/boatd/boatd/internal/vfs/crashfs"
)

// effort is how many lives are lived and how many outcomes of a power cut are
// looked at, at each operation of them. BOATD_TEST_LONG=1 takes minutes.
func effort() (lives uint64, outcomes int) {
	switch {
	case os.Getenv("BOATD_TEST_LONG") != "":
		return 6, 1000
	case runtime.GOARCH == "arm", testing.Short():
		return 1, 10
	}
	return 1, 50
}

// A step of a scenario: append a payload, or rotate and keep so many records.
type step struct {
	payload string
	keep    int // of a rotation
	rotate  bool
}

// scenario is a long life in few steps: payloads of nothing, of several
// sectors, over several blocks, over several chunks, and of bytes that pose as
// frames; rotations to nothing, to little, and to more than the log.
func scenario(seed uint64, n int) []step {
	rng := rand.New(rand.NewPCG(seed, 0))
	var steps []step
	for i := range n {
		size := rng.IntN(300)
		switch rng.IntN(12) {
		case 0:
			size = 0
		case 1, 2:
			size = rng.IntN(3000)
		case 3:
			size = 4000 + rng.IntN(6000)
		}
		steps = append(steps, step{payload: text(i, size, rng)})
		if rng.IntN(9) == 0 {
			steps = append(steps, step{rotate: true, keep: rng.IntN(6)})
		}
	}
	return steps
}

// text makes a payload that names itself, with zeros, random bytes or forged
// frames inside.
func text(i, size int, rng *rand.Rand) string {
	b := []byte(fmt.Sprintf("<%d>", i))
	for len(b) < size {
		switch rng.IntN(3) {
		case 0:
			b = append(b, make([]byte, 512)...)
		case 1:
			b = append(b, byte(rng.Uint32()))
		case 2:
			for len(b)%align != 0 {
				b = append(b, 0)
			}
			b = appendFrame(b, rng.Uint32(), kindData, uint32(i+1+rng.IntN(3)), []byte("forged"))
		}
	}
	return string(b[:size])
}

// A life runs a scenario and knows at every moment what the journal may hold if
// the power is cut now.
type life struct {
	t       *testing.T
	fs      *crashfs.FS
	j       *Journal
	acked   []string   // what was acknowledged, in order
	allowed [][]string // what may be found; the first is acked
}

// run takes steps until one fails.
func (l *life) run(steps []step) error {
	for _, s := range steps {
		if err := l.do(s); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) do(s step) error {
	if s.rotate {
		return l.rotate(s.keep)
	}
	return l.append(s.payload)
}

func (l *life) append(p string) error {
	with := append(slices.Clone(l.acked), p)
	before := l.allowed
	l.allowed = append(slices.Clone(before), with)
	_, err := l.j.Append([]byte(p))
	switch {
	case err == nil:
		l.acked = with
		l.allowed = [][]string{with}
	case errors.Is(err, crashfs.ErrPower): // no process is left to know anything
	case !l.j.Stats().InDoubt:
		l.allowed = [][]string{l.acked}
	}
	return err
}

func (l *life) rotate(keep int) error {
	kept := slices.Clone(l.acked[max(0, len(l.acked)-keep):])
	generation := l.j.Stats().Generation
	l.allowed = append(slices.Clone(l.allowed), kept)
	err := l.j.Rotate(dump(kept))
	if l.j.Stats().Generation != generation {
		l.acked = kept
	}
	if !l.j.Stats().InDoubt && !errors.Is(err, crashfs.ErrPower) {
		l.allowed = [][]string{l.acked}
	}
	return err
}

func (l *life) permits(got []string) bool {
	return slices.ContainsFunc(l.allowed, func(a []string) bool { return slices.Equal(a, got) })
}

// afterCut opens what a power cut left and checks it. It returns nil for a
// state in which there is no journal yet.
func (l *life) afterCut(name fmt.Stringer, found *crashfs.FS) (*Journal, []string) {
	l.t.Helper()
	j, got, err := open(options(found, 99))
	if err != nil {
		l.t.Fatalf("%v: %v\nwant %s", name, err, brief(l.acked))
	}
	if !l.permits(got) {
		l.t.Fatalf("%v: found %s\nacknowledged %s\nof %d alternatives", name, brief(got), brief(l.acked), len(l.allowed))
	}
	return j, got
}

// goOn goes on with a journal that was found, cuts the power again at each
// operation of that, and opens again.
func (l *life) goOn(name fmt.Stringer, found *crashfs.FS, limit int) {
	m := &life{t: l.t, fs: found}
	check := func() {
		for c, again := range found.Outcomes(limit, 5) {
			m.afterCut(pair{name, c}, again)
		}
	}
	m.allowed = l.allowed // until it is open, and whatever of it was found
	found.Watch(check)
	j, got, err := open(options(found, 98))
	if err != nil {
		l.t.Fatalf("%v: %v", name, err)
	}
	m.j, m.acked, m.allowed = j, got, [][]string{got}
	check() // what Open showed is durable
	for _, s := range []step{{payload: "again"}, {payload: strings.Repeat("more", 700)}, {rotate: true, keep: 2}, {payload: "end"}} {
		if err := m.do(s); err != nil {
			l.t.Fatalf("%v: going on: %v", name, err)
		}
	}
	check()
}

type pair struct{ a, b fmt.Stringer }

func (p pair) String() string { return p.a.String() + ", then " + p.b.String() }

type at struct {
	op int
	fmt.Stringer
}

func (a at) String() string { return fmt.Sprintf("operation %d, %v", a.op, a.Stringer) }

type killed struct{}

func (killed) String() string { return "process killed" }

// The power is cut at every operation of a long life, from the file's making
// on, and every outcome, or a sample of them, is opened. From a part of them
// life goes on and the power is cut again at every operation. The same for a
// process that is killed while the machine runs on: what its successor finds
// must be durable before it acts on it.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	lives, limit := effort()
	for seed := range lives {
		powerCut(t, seed+4, limit)
	}
}

func powerCut(t *testing.T, seed uint64, limit int) {
	steps := scenario(seed, 40)
	s := crashfs.New()
	l := &life{t: t, fs: s, allowed: [][]string{nil}}
	op, outcomes := 0, 0
	s.Watch(func() {
		op++
		for c, found := range s.Outcomes(limit, seed+uint64(op)) {
			outcomes++
			if outcomes%29 == 0 {
				l.goOn(at{op, c}, found, 4)
			} else {
				l.afterCut(at{op, c}, found)
			}
		}
		l.goOn(at{op, killed{}}, s.Clone(), 4)
	})
	l.j = mustOpen(t, options(s, 1), nil)
	if err := l.run(steps); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, options(s.Clone(), 2), l.acked)
	t.Logf("seed %d: %d operations, %d outcomes, generation %d", seed, op, outcomes, l.j.Stats().Generation)
}

// The same by CutAfter, which also shows that a journal whose power is gone
// fails and does not panic or spin.
func TestPowerCutByCount(t *testing.T) {
	t.Parallel()
	steps := scenario(2, 25)
	_, limit := effort()
	for n := 1; ; n++ {
		s := crashfs.New()
		l := &life{t: t, fs: s, allowed: [][]string{nil}}
		s.CutAfter(n)
		j, _, err := open(options(s, 1))
		if l.j = j; err == nil {
			err = l.run(steps)
		}
		if err == nil {
			if n < 60 {
				t.Fatalf("done after %d operations", n)
			}
			return
		}
		if !errors.Is(err, crashfs.ErrPower) {
			t.Fatal(err)
		}
		for range 2 {
			if j == nil {
				break
			}
			if _, err := j.Append([]byte("x")); !errors.Is(err, crashfs.ErrPower) {
				t.Fatalf("cut %d: append: %v", n, err)
			}
			if err := j.Rotate(dump(nil)); !errors.Is(err, crashfs.ErrPower) {
				t.Fatalf("cut %d: rotate: %v", n, err)
			}
		}
		for c, found := range s.Outcomes(limit, 3) {
			l.afterCut(at{n, c}, found)
		}
	}
}

// Each operation in turn fails, once, a few times, or from there on for good;
// the journal goes on or fails clean, and recovers when the fault is over.
// Whenever the journal does not say that something is in doubt, a power cut or
// a kill shows exactly what was acknowledged.
func TestFaults(t *testing.T) {
	t.Parallel()
	steps := scenario(4, 16)
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC, syscall.EROFS} {
		for _, count := range []int{1, 2, 3, 7, 0} {
			t.Run(fmt.Sprintf("%v/%d", fault, count), func(t *testing.T) {
				failures := 0
				for n := 1; ; n++ {
					f, reached := faulty(t, steps, crashfs.Fault{At: n, Count: count, Err: fault})
					failures += f
					if !reached {
						break
					}
				}
				if failures == 0 {
					t.Error("nothing failed")
				}
			})
		}
	}
}

// faulty runs the steps with one fault and returns how many of them failed, and
// whether the fault was reached at all.
func faulty(t *testing.T, steps []step, fault crashfs.Fault) (failures int, reached bool) {
	s := crashfs.New()
	s.Inject(fault)
	j, _, err := open(options(s, 1))
	if err != nil {
		s.Heal()
		mustOpen(t, options(s, 1), nil)
		return 1, true
	}
	l := &life{t: t, fs: s, j: j, allowed: [][]string{nil}}
	check := func() {
		for c, found := range s.Outcomes(4, uint64(fault.At)) {
			l.afterCut(at{fault.At, c}, found)
		}
		// A successor reads what is cached, and makes it durable.
		clone := s.Clone()
		k, got := l.afterCut(at{fault.At, killed{}}, clone)
		k.Close()
		for _, found := range clone.Outcomes(4, uint64(fault.At)) {
			mustOpen(t, options(found, 97), got)
		}
	}
	failedNow := 0
	for _, st := range steps {
		before := l.acked
		if l.do(st) == nil {
			failedNow = 0
			continue
		}
		failures++
		if !st.rotate && !slices.Equal(l.acked, before) {
			t.Fatal("a failed append counts")
		}
		if failedNow++; failedNow < 4 {
			check()
		}
	}
	check()
	reached = s.Counters().Ops >= fault.At
	s.Heal()
	if err := l.j.Repair(); err != nil {
		t.Fatalf("fault %+v: after it: %v", fault, err)
	}
	l.allowed = [][]string{l.acked}
	check()
	if err := l.append("healed"); err != nil {
		t.Fatalf("fault %+v: after it: %v", fault, err)
	}
	if err := l.rotate(3); err != nil {
		t.Fatalf("fault %+v: after it: %v", fault, err)
	}
	check()
	return failures, reached
}
