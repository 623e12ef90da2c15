package access

import (
	"fmt"

	"github.com/boatd/boatd/internal/secret"
)

// A Try is one command on its way: the code that it has to prove, if any, and
// what it changes once that is right. The texts in it are the caller's own
// slices, who wipes them after Finish.
type Try struct {
	lowered State // with the counter of the code to be proved down by one
	prove   func(*State) *Code
	text    secret.Bytes // that must be the code
	set     []change
}

// A change gives a code a new text.
type change struct {
	code func(*State) *Code
	to   Code // with its salt, without its hash
	text secret.Bytes
}

func thePIN(s *State) *Code { return &s.PIN }
func thePUK(s *State) *Code { return &s.PUK }

// Unlock proves the PIN. ErrNotNow without one, ErrBlocked when it has no tries
// left.
func (s State) Unlock(pin []byte) (*Try, error) {
	switch s.Condition() {
	case None:
		return nil, fmt.Errorf("%w: no PIN has been set", ErrNotNow)
	case PUK, Blocked:
		return nil, ErrBlocked
	}
	if err := pinRule.check(pin); err != nil {
		return nil, err
	}
	return s.proving(thePIN, pin)
}

// Unblock proves the PUK and sets a new PIN. ErrNotNow unless the PUK is what is
// asked for.
func (s State) Unblock(p Params, puk, pin []byte) (*Try, error) {
	if s.Condition() != PUK {
		return nil, fmt.Errorf("%w: the PUK is not asked for", ErrNotNow)
	}
	if err := pukRule.check(puk); err != nil {
		return nil, err
	}
	t, err := s.proving(thePUK, puk)
	if err != nil {
		return nil, err
	}
	return t.setting(p, pinRule, thePIN, pin)
}

// Change sets a PIN. Where there is one, old proves it and puk must be empty.
// Where there is none, old is empty, and puk becomes the PUK of a device without
// one (ErrNeedsPUK if it is empty). A device that has one already, because it
// was provisioned or reset, keeps it: an empty puk sets the PIN alone, any other
// is proved first and a wrong one costs a try.
func (s State) Change(p Params, old, pin, puk []byte) (*Try, error) {
	switch s.Condition() {
	case PUK, Blocked:
		return nil, ErrBlocked
	case None:
		if len(old) > 0 {
			return nil, fmt.Errorf("%w: no PIN has been set", ErrNotNow)
		}
		return s.first(p, pin, puk)
	}
	if len(old) == 0 {
		return nil, fmt.Errorf("%w: a PIN has been set", ErrNotNow)
	}
	if len(puk) > 0 {
		return nil, ErrNoPUK
	}
	if err := pinRule.check(old); err != nil {
		return nil, err
	}
	t, err := s.proving(thePIN, old)
	if err != nil {
		return nil, err
	}
	return t.setting(p, pinRule, thePIN, pin)
}

// first sets the first PIN.
func (s State) first(p Params, pin, puk []byte) (*Try, error) {
	t := &Try{lowered: s}
	switch {
	case !s.PUK.Set && len(puk) == 0:
		return nil, ErrNeedsPUK
	case !s.PUK.Set:
		if _, err := t.setting(p, pukRule, thePUK, puk); err != nil {
			return nil, err
		}
	case len(puk) > 0:
		if err := pukRule.check(puk); err != nil {
			return nil, err
		}
		var err error
		if t, err = s.proving(thePUK, puk); err != nil {
			return nil, err
		}
	}
	return t.setting(p, pinRule, thePIN, pin)
}

// proving begins a try of a code that has tries left.
func (s State) proving(code func(*State) *Code, text []byte) (*Try, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	t := &Try{lowered: s, prove: code, text: secret.New(text)}
	code(&t.lowered).Left--
	return t, nil
}

// setting adds a new code to a try. Everything that can fail fails here, before
// anything is spent.
func (t *Try) setting(p Params, r rule, code func(*State) *Code, text []byte) (*Try, error) {
	if err := checkNew(r, text); err != nil {
		return nil, err
	}
	fresh, err := p.fresh()
	if err != nil {
		return nil, err
	}
	t.set = append(t.set, change{code, fresh, secret.New(text)})
	return t, nil
}

// Spends says whether the try can be lost, and Lowered must be durable before
// Finish.
func (t *Try) Spends() bool { return t.prove != nil }

// Lowered is the state with the try already spent; the state as it was if the
// command needs no code.
func (t *Try) Lowered() State { return t.lowered }

// Finish compares and returns the state to journal next: with all tries of the
// code restored and what the command sets. ErrWrong if the code is not right;
// then the state is Lowered. It takes the time and memory of one hash for the
// code and one for each that is set.
func (t *Try) Finish() (State, error) {
	s := t.lowered
	if t.prove != nil {
		code := t.prove(&s)
		if !code.is(t.text) {
			return t.lowered, ErrWrong
		}
		code.Left = Tries
	}
	for _, c := range t.set {
		*c.code(&s) = c.to.with(c.text)
	}
	return s, nil
}
