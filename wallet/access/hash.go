package access

import (
	"crypto/subtle"
	"fmt"

	"golang.org/x/crypto/argon2"

	"github.com/boatd/boatd/internal/secret"
)

// A Cost is how much work and memory the hash of a code takes. It is kept with
// each hash, so that later versions can raise it for new codes.
type Cost struct {
	Version uint8  `cbor:"1,keyasint"` // of the function: 1, argon2id of RFC 9106
	Passes  uint32 `cbor:"2,keyasint"`
	KiB     uint32 `cbor:"3,keyasint"` // of memory
	Lanes   uint8  `cbor:"4,keyasint"`
}

// StandardCost is that of devices: 19 MiB, 2 passes, 1 lane. On a Cortex-A7 it
// takes the better part of a second. The memory is garbage afterwards; where it
// is a good part of the module's, the caller follows with debug.FreeOSMemory,
// which stops the whole process for a moment and is therefore not done here.
func StandardCost() Cost { return Cost{Version: 1, Passes: 2, KiB: 19 * 1024, Lanes: 1} }

// MinimalCost protects nothing and takes no time: for simulations.
func MinimalCost() Cost { return Cost{Version: 1, Passes: 1, KiB: 8, Lanes: 1} }

// check bounds a cost, so that a damaged one takes neither all memory nor all
// day.
func (c Cost) check() error {
	if c.Version != 1 || c.Passes < 1 || c.Passes > 16 || c.KiB < 8 || c.KiB > 64*1024 || c.Lanes < 1 || c.Lanes > 4 {
		return fmt.Errorf("%w: %+v", ErrCost, c)
	}
	return nil
}

// hash is what is kept of a code. The cost has been checked.
func (c Code) hash(text secret.Bytes) (sum []byte) {
	_ = text.Use(func(b []byte) error {
		sum = argon2.IDKey(b, c.Salt[:], c.Cost.Passes, c.Cost.KiB, c.Cost.Lanes, uint32(len(c.Hash)))
		return nil
	})
	return sum
}

// with returns the code with the hash of text.
func (c Code) with(text secret.Bytes) Code {
	copy(c.Hash[:], c.hash(text))
	return c
}

// is says whether text is the code, in a time that does not depend on how much
// of it is right.
func (c Code) is(text secret.Bytes) bool {
	return c.Set && subtle.ConstantTimeCompare(c.hash(text), c.Hash[:]) == 1
}
