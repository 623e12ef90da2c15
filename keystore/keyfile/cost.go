package keyfile

import "math/bits"

// The most that reading a file may cost: a quarter of the memory of a small
// module, and some ten seconds of its processor. The file that geth writes by
// default (scrypt with N 262144, r 8, p 1: 256 MiB) is refused; what it writes
// with --lightkdf is read, and so are both examples of the format's definition.
const (
	MaxMemory       uint64 = 64 << 20      // bytes
	MaxInstructions uint64 = 8_000_000_000 // of an ARMv7 processor
)

var limit = Cost{MaxMemory, MaxInstructions}

// A Cost is what a key derivation takes, estimated from its parameters alone.
//
// The instructions were counted on Go 1.26's code for ARMv7, executed one by
// one by an emulator, as differences between two sizes, without those of the
// runtime. They are no time: a Cortex-A7 executes something like 500 to 1000
// million of this kind in a second, and scrypt waits for memory besides, which
// nobody has measured on a module. They hold for this code, within some per
// cent, and are meant to tell a second from a minute.
type Cost struct {
	Memory       uint64 // bytes; MaxUint64 stands for more than that
	Instructions uint64 // likewise
}

// Counted instructions. An iteration of PBKDF2 with HMAC-SHA-256 is two blocks
// of SHA-256 (4400 each) and moving the state. A step of scrypt's two loops is
// 2r times Salsa20/8 with the copying around it: 1846 were counted for r = 1
// and 13776 for r = 8.
const (
	hmacInstructions = 12_000
	stepInstructions = 100  // of a step, and
	pairInstructions = 1750 // for each r of it
)

// pbkdf2Cost is for keys of at most 32 bytes, with a salt of at most maxSalt.
func pbkdf2Cost(iterations uint64) Cost {
	return Cost{Instructions: mul(iterations, hmacInstructions)}
}

// maxSalt bounds a salt: scrypt hashes it once for each 32 bytes of r and p,
// so that a long one would be work of its own.
const maxSalt = 64

// scryptCost: the table is 128·N·r bytes, and 128·r·p are mixed (RFC 7914). To
// make and to hash these, PBKDF2 runs once for each 32 bytes of them.
func scryptCost(n, r, p uint64) Cost {
	rp := mul(r, p)
	step := add(mul(r, pairInstructions), stepInstructions)
	return Cost{
		Memory:       mul(128, add(mul(n, r), add(rp, mul(2, r)))),
		Instructions: add(mul(mul(2, mul(n, p)), step), mul(add(mul(4, rp), 2), hmacInstructions)),
	}
}

// within returns a CostError if c is above most.
func (c Cost) within(most Cost) error {
	if c.Memory > most.Memory || c.Instructions > most.Instructions {
		return &CostError{c}
	}
	return nil
}

// mul and add stop at the greatest number: the factors come from a file.
func mul(a, b uint64) uint64 {
	over, product := bits.Mul64(a, b)
	if over != 0 {
		return 1<<64 - 1
	}
	return product
}

func add(a, b uint64) uint64 {
	sum, over := bits.Add64(a, b, 0)
	if over != 0 {
		return 1<<64 - 1
	}
	return sum
}
