//go:build cgo

package k1

import (
	"fmt"

	"github.com/ethereum/go-ethereum/crypto/secp256k1"

	"github.com/boatd/boatd/keystore"
)

// Public returns the public key of a private one, uncompressed (SEC 1, 65 bytes);
// keystore.ErrSecret for what is no private key. The big.Ints hold nothing but the
// public point.
func Public(secret []byte) ([]byte, error) {
	if len(secret) != Size {
		return nil, fmt.Errorf("%w: %d bytes", keystore.ErrSecret, len(secret))
	}
	x, y := secp256k1.S256().ScalarBaseMult(secret)
	if x == nil {
		return nil, fmt.Errorf("%w: out of range", keystore.ErrSecret)
	}
	point := make([]byte, 65)
	point[0] = 4
	x.FillBytes(point[1:33])
	y.FillBytes(point[33:])
	return point, nil
}
