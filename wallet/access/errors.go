package access

import "errors"

// What the functions of this package refuse. Only ErrWrong costs a try.
var (
	ErrWrong     = errors.New("wrong code")                     // not the PIN, or not the PUK
	ErrBlocked   = errors.New("the code is blocked")            // no tries are left for what was asked
	ErrNotNow    = errors.New("not in this state")              // there is nothing to unlock, to unblock, or to set for the first time
	ErrMalformed = errors.New("not a code")                     // length or characters
	ErrTrivial   = errors.New("a code that is too easy")        // one character, or a run
	ErrNeedsPUK  = errors.New("the first PIN needs a PUK")      // and there is none yet
	ErrNoPUK     = errors.New("a PUK has no place here")        // the PIN is changed with the old PIN
	ErrState     = errors.New("the access state is not usable") // it was not made by this package
	ErrCost      = errors.New("not a cost for hashing codes")   // out of bounds
	ErrRandom    = errors.New("no random bytes for a code")     // the source failed
	ErrHasPUK    = errors.New("there is a PUK already")         // it can never be replaced
)
