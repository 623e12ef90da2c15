// Package access is PIN and PUK as arithmetic on a value. It does no I/O: the
// caller journals the states that it is given, in the order in which it is given
// them, and holds a lock from reading the state to journaling the last one.
//
//	try, err := state.Unlock(pin)        malformed or out of place: nothing is spent
//	journal(try.Lowered())               the counter is down, durably, before the compare
//	state, err = try.Finish()            ErrWrong: the lowered state stays
//	journal(state)                       the counter is up again
//
// So a power cut in between can only cost tries, never give any.
//
// The codes are kept as argon2id hashes (RFC 9106). They are access control and
// no key material: whoever can read them can read everything that they guard.
package access

import (
	"fmt"
	"io"

	"github.com/boatd/boatd/internal/secret"
)

// Tries is how often a code may be wrong in a row.
const Tries = 10

// A Condition is what a device asks for. That of an unlocked channel, READY, is
// the channel's.
type Condition string

// The conditions, as AT+BOATPIN? shows them.
const (
	None    Condition = "NONE"    // no PIN has been set
	PIN     Condition = "PIN"     // the PIN, while it has tries left
	PUK     Condition = "PUK"     // the PIN has none left
	Blocked Condition = "BLOCKED" // nor has the PUK: only a factory reset helps
)

// A Code is a PIN or a PUK as it is kept. The zero Code is none.
type Code struct {
	Set  bool     `cbor:"1,keyasint"`
	Left uint8    `cbor:"2,keyasint"` // tries
	Cost Cost     `cbor:"3,keyasint"` // that Hash was made with
	Salt [16]byte `cbor:"4,keyasint"`
	Hash [32]byte `cbor:"5,keyasint"`
}

// A State is all that is kept of access to a device. The zero State is that of
// a device with neither PIN nor PUK.
type State struct {
	PIN Code `cbor:"1,keyasint,omitzero"`
	PUK Code `cbor:"2,keyasint,omitzero"`
}

// Condition says what is asked for.
func (s State) Condition() Condition {
	switch {
	case s.PUK.Set && s.PUK.Left == 0:
		return Blocked
	case !s.PIN.Set:
		return None
	case s.PIN.Left == 0:
		return PUK
	}
	return PIN
}

// Left returns the tries left of the code that is asked for now: of the PIN, or
// of the PUK once the PIN has none. Without a PIN it is all of them.
func (s State) Left() int {
	switch s.Condition() {
	case PIN:
		return int(s.PIN.Left)
	case PUK, Blocked:
		return int(s.PUK.Left)
	}
	return Tries
}

// Check says whether a state that comes from outside, such as from a journal,
// can be one of this package's: ErrState if not.
func (s State) Check() error {
	for _, c := range []Code{s.PIN, s.PUK} {
		if !c.Set && c != (Code{}) {
			return fmt.Errorf("%w: a code that is not set has a value", ErrState)
		}
		if c.Left > Tries {
			return fmt.Errorf("%w: %d tries", ErrState, c.Left)
		}
		if err := c.Cost.check(); c.Set && err != nil {
			return fmt.Errorf("%w: %w", ErrState, err)
		}
	}
	if s.PIN.Set && !s.PUK.Set {
		return fmt.Errorf("%w: a PIN without a PUK", ErrState)
	}
	return nil
}

// Provision sets the PUK of a device that has none: ErrHasPUK otherwise.
func (s State) Provision(p Params, puk []byte) (State, error) {
	if s.PUK.Set {
		return s, ErrHasPUK
	}
	if err := checkNew(pukRule, puk); err != nil {
		return s, err
	}
	fresh, err := p.fresh()
	if err != nil {
		return s, err
	}
	s.PUK = fresh.with(secret.New(puk))
	return s, nil
}

// AfterReset is the state after a factory reset (level 2): no PIN, the same
// PUK, and all tries of both.
func (s State) AfterReset() State {
	s.PIN = Code{}
	if s.PUK.Set {
		s.PUK.Left = Tries
	}
	return s
}

// Params are what hashing a new code takes.
type Params struct {
	Cost Cost
	Rand io.Reader // for the salt; a cryptographic source
}

// fresh returns a code that has everything but its hash.
func (p Params) fresh() (Code, error) {
	if err := p.Cost.check(); err != nil {
		return Code{}, err
	}
	c := Code{Set: true, Left: Tries, Cost: p.Cost}
	if _, err := io.ReadFull(p.Rand, c.Salt[:]); err != nil {
		return Code{}, fmt.Errorf("%w: %w", ErrRandom, err)
	}
	return c, nil
}
