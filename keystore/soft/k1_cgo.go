//go:build cgo

package soft

import (
	"fmt"

	"github.com/ethereum/go-ethereum/crypto/secp256k1"

	"github.com/boatd/boatd/keystore"
)

const flavour = "libsecp256k1"

// warmK1 has nothing to do: the tables are constants of the library.
func warmK1() {}

// publicK1 derives by the library's constant-time multiplication; the big.Ints
// hold nothing but the public point.
func publicK1(secret []byte) ([]byte, error) {
	if len(secret) != secretSize {
		return nil, fmt.Errorf("%w: %d bytes", keystore.ErrSecret, len(secret))
	}
	x, y := secp256k1.S256().ScalarBaseMult(secret)
	if x == nil {
		return nil, fmt.Errorf("%w: out of range", keystore.ErrSecret)
	}
	return secp256k1.CompressPubkey(x, y), nil
}

// rawSignK1 returns r‖s‖v of a 32-byte digest, s low, v 0 to 3.
func rawSignK1(secret, digest []byte) ([]byte, error) {
	return secp256k1.Sign(digest, secret)
}
