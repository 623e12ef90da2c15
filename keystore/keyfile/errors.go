package keyfile

import (
	"errors"
	"fmt"
)

// What a file can be refused for. No error tells a byte of a key, a word of a
// mnemonic or a passphrase. A number that is no private key of its curve is
// keystore.ErrSecret.
var (
	// ErrFormat: the bytes are not a file of the format.
	ErrFormat = errors.New("not a key file of this format")
	// ErrUnsupported: the file may be good, but not for boatd: another curve,
	// cipher or function, which the text names.
	ErrUnsupported = errors.New("the key file uses what is not supported")
	// ErrPassphrase: the passphrase is wrong, or the file was changed. Where a
	// format cannot tell one from the other, neither can boatd.
	ErrPassphrase = errors.New("the passphrase does not open the key file")
	// ErrMismatch: the public key or address in the file is of another key.
	ErrMismatch = errors.New("the key file names the public key or address of another key")
	// ErrCost: what the file asks for takes too much. It comes as a [CostError].
	ErrCost = errors.New("opening the key file takes too much")
)

// A CostError is an [ErrCost] with its figures: what the file would have taken.
type CostError struct{ Cost Cost }

// Error tells the figures beside the limits.
func (e *CostError) Error() string {
	return fmt.Sprintf("%v: %d KiB of memory (at most %d), %d million instructions (at most %d)", ErrCost,
		e.Cost.Memory>>10, limit.Memory>>10, e.Cost.Instructions/1e6, limit.Instructions/1e6)
}

// Unwrap returns ErrCost.
func (e *CostError) Unwrap() error { return ErrCost }
