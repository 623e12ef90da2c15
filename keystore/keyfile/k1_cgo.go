//go:build cgo

package keyfile

import (
	"fmt"

	"github.com/ethereum/go-ethereum/crypto/secp256k1"

	"github.com/boatd/boatd/keystore"
)

// pointK1 is publicPoint for secp256k1, by libsecp256k1's constant-time
// multiplication; the big.Ints hold nothing but the public point.
func pointK1(d []byte) ([]byte, error) {
	if len(d) != secretSize {
		return nil, fmt.Errorf("%w: %d bytes", keystore.ErrSecret, len(d))
	}
	x, y := secp256k1.S256().ScalarBaseMult(d)
	if x == nil {
		return nil, fmt.Errorf("%w: out of range", keystore.ErrSecret)
	}
	point := make([]byte, 65)
	point[0] = 4
	x.FillBytes(point[1:33])
	y.FillBytes(point[33:])
	return point, nil
}
