package keyfile

import (
	"crypto/ecdh"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/boatd/boatd/keystore"
)

// pointR1 is publicPoint for secp256r1.
func pointR1(d []byte) ([]byte, error) {
	key, err := ecdh.P256().NewPrivateKey(d)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrSecret, err)
	}
	return key.PublicKey().Bytes(), nil
}

// A scalar is a number of 256 bits, the lowest 64 first.
type scalar [4]uint64

// orderK1 is the order of secp256k1's group (SEC 2, 2.4.1).
var orderK1 = scalar{0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}

func (s *scalar) load(b []byte) {
	for i := range s {
		s[i] = binary.BigEndian.Uint64(b[24-8*i:])
	}
}

func (s *scalar) store(b []byte) {
	for i := range s {
		binary.BigEndian.PutUint64(b[24-8*i:], s[i])
	}
}

// valid says whether s is a private key of secp256k1: from 1 to the order less
// 1. The time does not depend on s.
func (s *scalar) valid() bool {
	var borrow, or uint64
	for i := range s {
		_, borrow = bits.Sub64(s[i], orderK1[i], borrow)
		or |= s[i]
	}
	return borrow == 1 && or != 0
}

// add adds b to s modulo the order; both are below it. math/big would do, but
// leaves copies of keys and takes a time that depends on them.
func (s *scalar) add(b *scalar) {
	var sum, less scalar
	var carry, borrow uint64
	for i := range s {
		sum[i], carry = bits.Add64(s[i], b[i], carry)
	}
	for i := range s {
		less[i], borrow = bits.Sub64(sum[i], orderK1[i], borrow)
	}
	mask := -(carry | (1 ^ borrow)) // all ones where the sum reaches the order
	for i := range s {
		s[i] = sum[i]&^mask | less[i]&mask
	}
	sum, less = scalar{}, scalar{}
}
