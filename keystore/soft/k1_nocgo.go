//go:build !cgo

package soft

import (
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/boatd/boatd/keystore/internal/k1"
)

const flavour = "decred"

// warmK1 builds the table of multiples of the generator.
func warmK1() {
	var one secp256k1.ModNScalar
	var g secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(one.SetInt(1), &g)
}

// rawSignK1 returns r‖s‖v of a 32-byte digest, s low, v 0 to 3.
func rawSignK1(secret, digest []byte) ([]byte, error) {
	k, err := k1.Private(secret)
	if err != nil {
		return nil, err
	}
	defer k.Zero()
	// RFC 6979 feeds the nonce generator with the digest modulo the order of
	// the curve (2.3.4, bits2octets). The library takes it as it is, which
	// would differ from libsecp256k1 for digests above the order.
	var e secp256k1.ModNScalar
	e.SetByteSlice(digest)
	reduced := e.Bytes()
	c := ecdsa.SignCompact(k, reduced[:], true) // 27+4+v ‖ r ‖ s
	return append(c[1:], c[0]-31), nil
}
