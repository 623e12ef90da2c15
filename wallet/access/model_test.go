package access

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A model is access as a person would keep it on paper.
type model struct {
	pin, puk         string // "" when not set
	pinLeft, pukLeft int
}

func (m model) condition() Condition {
	switch {
	case m.puk != "" && m.pukLeft == 0:
		return Blocked
	case m.pin == "":
		return None
	case m.pinLeft == 0:
		return PUK
	}
	return PIN
}

// prove says whether text is right, and counts.
func prove(code string, left *int, text string) bool {
	*left--
	if text == code {
		*left = Tries
		return true
	}
	return false
}

func (m *model) unlock(pin string) error {
	switch m.condition() {
	case None:
		return ErrNotNow
	case PUK, Blocked:
		return ErrBlocked
	}
	if !prove(m.pin, &m.pinLeft, pin) {
		return ErrWrong
	}
	return nil
}

func (m *model) unblock(puk, pin string) error {
	if m.condition() != PUK {
		return ErrNotNow
	}
	if !prove(m.puk, &m.pukLeft, puk) {
		return ErrWrong
	}
	m.pin, m.pinLeft = pin, Tries
	return nil
}

func (m *model) change(old, pin, puk string) error {
	switch c := m.condition(); {
	case c == PUK || c == Blocked:
		return ErrBlocked
	case (c == None) != (old == ""):
		return ErrNotNow
	case c == PIN && puk != "":
		return ErrNoPUK
	case c == PIN:
		if !prove(m.pin, &m.pinLeft, old) {
			return ErrWrong
		}
	case m.puk == "" && puk == "":
		return ErrNeedsPUK
	case m.puk == "":
		m.puk, m.pukLeft = puk, Tries
	case puk != "":
		if !prove(m.puk, &m.pukLeft, puk) {
			return ErrWrong
		}
	}
	m.pin, m.pinLeft = pin, Tries
	return nil
}

// A step is one random command.
type step struct {
	name          string
	old, pin, puk string
}

// A host draws commands. It has moods, so that ten wrong codes in a row happen.
type host struct {
	rng   *rand.Rand
	name  string // what it does most of the time
	wrong int    // of 8 codes
	bare  bool   // changes without a PUK
}

func (h *host) draw(m model) step {
	if h.rng.IntN(40) == 0 {
		h.name = []string{"unlock", "change", "unblock"}[h.rng.IntN(3)]
		h.wrong, h.bare = []int{0, 2, 8}[h.rng.IntN(3)], h.rng.IntN(2) == 0
	}
	code := func(right string, others ...string) string {
		if right != "" && h.rng.IntN(8) >= h.wrong {
			return right
		}
		others = slices.DeleteFunc(others, func(o string) bool { return o == right })
		return others[h.rng.IntN(len(others))]
	}
	s := step{h.choose(m), code(m.pin, pin1, pin2, "x7x7"), code("Q9w8", pin1, pin2), code(m.puk, puk1, badP)}
	if m.pin == "" && s.name == "change" {
		s.old = ""
	}
	if h.bare && s.name == "change" {
		s.puk = ""
	}
	switch h.rng.IntN(200) {
	case 0:
		s.name = "reset"
	case 1, 2, 3, 4, 5, 6, 7, 8:
		s.name = "cut"
	}
	return s
}

// choose is mostly what makes sense.
func (h *host) choose(m model) string {
	if sense := map[Condition]string{None: "change", PUK: "unblock"}[m.condition()]; sense != "" && h.rng.IntN(4) > 0 {
		return sense
	}
	return h.name
}

// ask is the command to both, which say what is wrong with it.
func (c step) ask(s State, m *model) (try *Try, got, want error) {
	switch c.name {
	case "change":
		try, got = s.Change(cheap, []byte(c.old), []byte(c.pin), []byte(c.puk))
		want = m.change(c.old, c.pin, c.puk)
	case "unblock":
		try, got = s.Unblock(cheap, []byte(c.puk), []byte(c.pin))
		want = m.unblock(c.puk, c.pin)
	default:
		try, got = s.Unlock([]byte(c.old))
		want = m.unlock(c.old)
	}
	return try, got, want
}

// TestModel runs random commands with right and wrong codes and power cuts
// against the model. A counter never rises unless the right code was given or a
// factory reset was done.
func TestModel(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(40) {
		h := host{rng: rand.New(rand.NewPCG(seed, 1)), name: "change"}
		var s State
		var m model
		for i := range 500 {
			c := h.draw(m)
			before, where := s, fmt.Sprintf("seed %d, step %d, %+v", seed, i, c)
			after := m
			if c.name == "reset" {
				s, after = s.AfterReset(), model{puk: m.puk, pukLeft: Tries}
				before = s
			}
			var err error
			switch try, got, want := c.ask(s, &after); {
			case got != nil:
				if err = got; !errors.Is(got, want) {
					t.Fatalf("%s: %v, want %v", where, got, want)
				}
			case c.name == "cut":
				s = try.Lowered()
				after = m
				after.pinLeft--
			default:
				if s, err = try.Finish(); !errors.Is(err, want) || (err == nil) != (want == nil) {
					t.Fatalf("%s: %v, want %v", where, err, want)
				}
			}
			m = after
			compare(t, where, s, m)
			if (err != nil || c.name == "cut") && (rose(before.PIN, s.PIN) || rose(before.PUK, s.PUK)) {
				t.Fatalf("%s: a counter rose", where)
			}
			seen[fmt.Sprint(c.name, " ", s.Condition(), " ", err)]++
		}
	}
	for _, want := range []string{"unlock PIN <nil>", "unlock PUK wrong code", "unblock PIN <nil>", "unblock BLOCKED wrong code", "cut PUK <nil>",
		"change PIN <nil>", "change PIN wrong code", "change NONE wrong code", "change BLOCKED wrong code"} {
		if seen[want] == 0 {
			t.Errorf("the random commands never came to %q: %v", want, seen)
		}
	}
}

func rose(before, after Code) bool { return before.Set && after.Left > before.Left }

func compare(t *testing.T, where string, s State, m model) {
	t.Helper()
	if s.Condition() != m.condition() || s.PIN.Set != (m.pin != "") || s.PUK.Set != (m.puk != "") {
		t.Fatalf("%s: %s, the model has %s", where, s.Condition(), m.condition())
	}
	if s.PIN.Set && int(s.PIN.Left) != m.pinLeft || s.PUK.Set && int(s.PUK.Left) != m.pukLeft {
		t.Fatalf("%s: tries %d and %d, the model has %d and %d", where, s.PIN.Left, s.PUK.Left, m.pinLeft, m.pukLeft)
	}
	if err := s.Check(); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
}
