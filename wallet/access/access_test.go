package access

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fxamacker/cbor/v2"
)

var cheap = Params{Cost: MinimalCost(), Rand: rand.Reader}

const (
	pin1 = "2580"
	pin2 = "a1B2c3"
	puk1 = "24681357"
	bad  = "9999x"
	badP = "13572468"
)

// finish journals nothing: it is what a caller does when no power is cut.
func finish(t *testing.T, try *Try, err error) (State, error) {
	t.Helper()
	if err != nil {
		return State{}, err
	}
	return try.Finish()
}

func must(t *testing.T, s State, err error) State {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return s
}

func setPIN(t *testing.T, s State, old, pin, puk string) (State, error) {
	try, err := s.Change(cheap, []byte(old), []byte(pin), []byte(puk))
	return finish(t, try, err)
}

func unlock(t *testing.T, s State, pin string) (State, error) {
	try, err := s.Unlock([]byte(pin))
	return finish(t, try, err)
}

func unblock(t *testing.T, s State, puk, pin string) (State, error) {
	try, err := s.Unblock(cheap, []byte(puk), []byte(pin))
	return finish(t, try, err)
}

// states are a device in every condition.
func states(t *testing.T) map[string]State {
	t.Helper()
	provisioned, err := State{}.Provision(cheap, []byte(puk1))
	provisioned = must(t, provisioned, err)
	set, err := setPIN(t, State{}, "", pin1, puk1)
	set = must(t, set, err)
	last, noPIN, lastPUK, blocked, blockedNone := set, set, set, set, provisioned
	last.PIN.Left = 1
	noPIN.PIN.Left = 0
	lastPUK.PIN.Left, lastPUK.PUK.Left = 0, 1
	blocked.PIN.Left, blocked.PUK.Left = 0, 0
	blockedNone.PUK.Left = 0
	worn := provisioned
	worn.PUK.Left = 1
	return map[string]State{
		"new": {}, "provisioned": provisioned, "worn": worn, "blocked without PIN": blockedNone,
		"set": set, "last try": last, "PUK": noPIN, "last PUK try": lastPUK, "blocked": blocked,
	}
}

func TestConditions(t *testing.T) {
	all := states(t)
	for name, want := range map[string]struct {
		c    Condition
		left int
	}{
		"new": {None, 10}, "provisioned": {None, 10}, "worn": {None, 10}, "blocked without PIN": {Blocked, 0},
		"set": {PIN, 10}, "last try": {PIN, 1}, "PUK": {PUK, 10}, "last PUK try": {PUK, 1}, "blocked": {Blocked, 0},
	} {
		s := all[name]
		if s.Condition() != want.c || s.Left() != want.left {
			t.Errorf("%s: %s %d, want %s %d", name, s.Condition(), s.Left(), want.c, want.left)
		}
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLoweredFirst: what is to be journaled before the compare is the state with
// the try spent, whether the code is right or not.
func TestLoweredFirst(t *testing.T) {
	all := states(t)
	for _, text := range []string{pin1, bad} {
		try, err := all["set"].Unlock([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if !try.Spends() || try.Lowered().PIN.Left != 9 || all["set"].PIN.Left != 10 {
			t.Errorf("%q: spends %v, lowered to %d", text, try.Spends(), try.Lowered().PIN.Left)
		}
		if s, err := try.Finish(); err != nil && s != try.Lowered() {
			t.Errorf("%q: after %v the state is not the lowered one", text, err)
		}
	}
	try, err := all["last PUK try"].Unblock(cheap, []byte(puk1), []byte(pin2))
	if err != nil {
		t.Fatal(err)
	}
	if l := try.Lowered(); l.Condition() != Blocked || l.PIN != all["last PUK try"].PIN {
		t.Errorf("a cut before the compare leaves %s", l.Condition())
	}
	for _, state := range []string{"new", "worn"} {
		puk := map[string]string{"new": puk1}[state]
		try, err := all[state].Change(cheap, nil, []byte(pin2), []byte(puk))
		if err != nil || try.Spends() || try.Lowered() != all[state] {
			t.Errorf("%s: setting a first PIN costs a try: %v", state, err)
		}
	}
}

func TestTenThenTen(t *testing.T) {
	s := states(t)["set"]
	for i := range Tries {
		if s.Condition() != PIN || s.Left() != Tries-i {
			t.Fatalf("after %d wrong PINs: %s %d", i, s.Condition(), s.Left())
		}
		s, _ = unlock(t, s, bad)
	}
	for i := range Tries {
		if s.Condition() != PUK || s.Left() != Tries-i {
			t.Fatalf("after %d wrong PUKs: %s %d", i, s.Condition(), s.Left())
		}
		s, _ = unblock(t, s, badP, pin2)
	}
	if s.Condition() != Blocked || s.Left() != 0 {
		t.Fatalf("%s %d", s.Condition(), s.Left())
	}
	s = s.AfterReset()
	s, err := setPIN(t, s, "", pin2, puk1)
	if s = must(t, s, err); s.Condition() != PIN {
		t.Errorf("after a reset the old PUK is not taken: %s", s.Condition())
	}
}

func TestShape(t *testing.T) {
	for text, want := range map[string]error{
		"": ErrMalformed, "1": ErrMalformed, "135": ErrMalformed, "1357": nil, "aZ09": nil,
		strings.Repeat("ab", 16): nil, strings.Repeat("ab", 16) + "a": ErrMalformed,
		"13 7": ErrMalformed, "135\x00": ErrMalformed, "13/7": ErrMalformed, "13:7": ErrMalformed, "13@7": ErrMalformed,
		"13[7": ErrMalformed, "13`7": ErrMalformed, "13{7": ErrMalformed, "135\xc3": ErrMalformed, "135\xff": ErrMalformed,
		"0000": ErrTrivial, "zzzzz": ErrTrivial, "1234": ErrTrivial, "6789": ErrTrivial, "9876": ErrTrivial, "3210": ErrTrivial,
		"abcdef": ErrTrivial, "ZYXW": ErrTrivial, "1233": nil, "1224": nil, "1235": nil, "0001": nil, "1000": nil, "1212": nil,
		"2468": nil, "abcE": nil, "4322": nil,
	} {
		if err := checkNew(pinRule, []byte(text)); !errors.Is(err, want) || (err != nil) != (want != nil) {
			t.Errorf("PIN %q: %v, want %v", text, err, want)
		}
	}
	for text, want := range map[string]error{
		"1357246": ErrMalformed, "13572468": nil, strings.Repeat("x1", 16): nil, strings.Repeat("x1", 17): ErrMalformed,
		"12345678": ErrTrivial, "88888888": ErrTrivial, "hgfedcba": ErrTrivial, "12345679": nil,
	} {
		if err := checkNew(pukRule, []byte(text)); !errors.Is(err, want) || (err != nil) != (want != nil) {
			t.Errorf("PUK %q: %v, want %v", text, err, want)
		}
	}
}

// TestErrorsSayNothing: no refusal repeats what was typed.
func TestErrorsSayNothing(t *testing.T) {
	for _, s := range states(t) {
		for _, text := range []string{"Sesame!", "S3sameOpen", "SSSSSSSS", "Ses"} {
			_, errU := unlock(t, s, text)
			_, errC := setPIN(t, s, text, text, text)
			_, errF := setPIN(t, s, "", text, text)
			_, errB := unblock(t, s, text, text)
			_, errP := s.Provision(cheap, []byte(text))
			for _, err := range []error{errU, errC, errF, errB, errP} {
				if strings.Contains(fmt.Sprint(err), text) {
					t.Errorf("%v", err)
				}
			}
		}
	}
	try, err := states(t)["set"].Change(cheap, []byte(pin1), []byte("Sesame"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		out := fmt.Sprintf(verb, *try)
		if strings.Contains(out, "Sesame") || strings.Contains(out, hex.EncodeToString([]byte("Sesame"))) || strings.Contains(out, "83 101 115") {
			t.Errorf("%s shows the PIN: %s", verb, out)
		}
	}
}

// TestNoTryWithoutMeans: a broken random source or an impossible cost is found
// before a try is spent.
func TestNoTryWithoutMeans(t *testing.T) {
	all := states(t)
	boom := errors.New("boom")
	for _, c := range []struct {
		p    Params
		want error
	}{
		{Params{MinimalCost(), iotest.ErrReader(boom)}, boom},
		{Params{MinimalCost(), io.LimitReader(rand.Reader, 15)}, ErrRandom},
		{Params{Cost{}, rand.Reader}, ErrCost},
		{Params{Cost{Version: 1, Passes: 1, KiB: 1 << 30, Lanes: 1}, rand.Reader}, ErrCost},
	} {
		_, errUnblock := all["PUK"].Unblock(c.p, []byte(puk1), []byte(pin2))
		_, errChange := all["set"].Change(c.p, []byte(pin1), []byte(pin2), nil)
		_, errFirst := all["new"].Change(c.p, nil, []byte(pin2), []byte(puk1))
		_, errProvision := State{}.Provision(c.p, []byte(puk1))
		for _, err := range []error{errUnblock, errChange, errFirst, errProvision} {
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		}
	}
}

func TestSaltsDiffer(t *testing.T) {
	a, errA := setPIN(t, State{}, "", pin1, puk1)
	b, errB := setPIN(t, State{}, "", pin1, puk1)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if a.PIN.Salt == a.PUK.Salt || a.PIN.Salt == b.PIN.Salt || a.PIN.Hash == b.PIN.Hash || a.PUK.Hash == b.PUK.Hash {
		t.Error("a salt is used twice")
	}
}

// TestOldCosts: codes are judged with the cost that they were made with.
func TestOldCosts(t *testing.T) {
	p := Params{Cost{Version: 1, Passes: 3, KiB: 64, Lanes: 2}, rand.Reader}
	try, err := State{}.Change(p, nil, []byte(pin1), []byte(puk1))
	s, err := finish(t, try, err)
	s = must(t, s, err)
	if s.PIN.Cost != p.Cost || s.PUK.Cost != p.Cost {
		t.Errorf("%+v", s.PIN.Cost)
	}
	s, err = setPIN(t, s, pin1, pin2, "")
	s = must(t, s, err)
	if s.PIN.Cost != MinimalCost() || s.PUK.Cost != p.Cost {
		t.Errorf("PIN %+v, PUK %+v", s.PIN.Cost, s.PUK.Cost)
	}
	s.PIN.Left = 0
	if _, err := unblock(t, s, puk1, pin1); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	for name, spoil := range map[string]func(s *State){
		"tries":             func(s *State) { s.PIN.Left = 11 },
		"PUK tries":         func(s *State) { s.PUK.Left = 255 },
		"no PUK":            func(s *State) { s.PUK = Code{} },
		"unknown version":   func(s *State) { s.PIN.Cost.Version = 2 },
		"no version":        func(s *State) { s.PIN.Cost.Version = 0 },
		"no passes":         func(s *State) { s.PUK.Cost.Passes = 0 },
		"endless":           func(s *State) { s.PUK.Cost.Passes = 1 << 31 },
		"all memory":        func(s *State) { s.PIN.Cost.KiB = 1 << 31 },
		"no memory":         func(s *State) { s.PIN.Cost.KiB = 7 },
		"no lanes":          func(s *State) { s.PIN.Cost.Lanes = 0 },
		"lanes":             func(s *State) { s.PIN.Cost.Lanes = 255 },
		"unset with values": func(s *State) { s.PIN.Set = false },
	} {
		s := states(t)["set"]
		spoil(&s)
		if err := s.Check(); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", name, err)
		}
		if s.Condition() == PIN {
			if _, err := unlock(t, s, pin1); !errors.Is(err, ErrState) {
				t.Errorf("%s: Unlock: %v", name, err)
			}
		}
	}
}

// TestKnownState: a state of today, as it lies in journals, opens for ever. The
// hashes are argon2id of the codes with salts of 0x55 and the standard cost.
func TestKnownState(t *testing.T) {
	const known = "a201a501f5020a03a40101020203194c0004010450555555555555555555555555555555550558201c31bb57bdca9d266bef6840797ab5fd535f95dd140f155f487d98de472bcead02a501f5020a03a40101020203194c0004010450555555555555555555555555555555550558202956b06a603b8659903f34a856bfe789e9519bab2ad7d66ca785e78daa37fc54"
	p := Params{StandardCost(), bytes.NewReader(bytes.Repeat([]byte{0x55}, 32))}
	try, err := State{}.Change(p, nil, []byte(pin1), []byte(puk1))
	s, err := finish(t, try, err)
	s = must(t, s, err)
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := enc.Marshal(s)
	if err != nil || hex.EncodeToString(b) != known {
		t.Errorf("state %x, %v", b, err)
	}
	raw, err := hex.DecodeString(known)
	if err != nil {
		t.Fatal(err)
	}
	var old State
	if err := cbor.Unmarshal(raw, &old); err != nil || old != s {
		t.Fatalf("%+v, %v", old, err)
	}
	if _, err := unlock(t, old, pin1); err != nil {
		t.Error(err)
	}
	if b, err := enc.Marshal(State{}); err != nil || len(b) != 1 {
		t.Errorf("a new device's state is %x, %v", b, err)
	}
}

// FuzzCodes: no text does more than it may. What is refused spends nothing, and
// only the code itself is right.
func FuzzCodes(f *testing.F) {
	f.Add([]byte(pin1), []byte(pin2), []byte(puk1))
	f.Add([]byte(""), []byte(pin2), []byte(""))
	f.Add([]byte("\x00\xff"), []byte("11111"), []byte("12345678"))
	s, err := State{}.Provision(cheap, []byte(puk1))
	if err != nil {
		f.Fatal(err)
	}
	try, err := s.Change(cheap, nil, []byte(pin1), nil)
	if err != nil {
		f.Fatal(err)
	}
	set, err := try.Finish()
	if err != nil {
		f.Fatal(err)
	}
	puk := set
	puk.PIN.Left = 0
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		for _, from := range []State{{}, s, set, puk} {
			u, errU := from.Unlock(a)
			ch, errC := from.Change(cheap, a, b, c)
			ub, errB := from.Unblock(cheap, c, b)
			for i, try := range []*Try{u, ch, ub} {
				if err := []error{errU, errC, errB}[i]; err != nil {
					continue
				}
				got, err := try.Finish()
				text, want := [][]byte{a, a, c}[i], pin1
				if from.Condition() != PIN {
					text, want = c, puk1
				}
				if right := string(text) == want; try.Spends() && right != (err == nil) {
					t.Errorf("%q instead of %q: %v", text, want, err)
				}
				if err := got.Check(); err != nil {
					t.Errorf("%+v: %v", got, err)
				}
			}
		}
	})
}

func BenchmarkUnlock(b *testing.B) {
	try, err := State{}.Change(Params{StandardCost(), rand.Reader}, nil, []byte(pin1), []byte(puk1))
	if err != nil {
		b.Fatal(err)
	}
	s, err := try.Finish()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		try, err := s.Unlock([]byte(pin1))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := try.Finish(); err != nil {
			b.Fatal(err)
		}
	}
}
