//go:build !cgo

package keyfile

import (
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/boatd/boatd/keystore"
)

// pointK1 is publicPoint for secp256k1. decred's multiplication takes a time
// that depends on the key, as in the soft store without cgo.
func pointK1(d []byte) ([]byte, error) {
	if len(d) != secretSize {
		return nil, fmt.Errorf("%w: %d bytes", keystore.ErrSecret, len(d))
	}
	var k secp256k1.PrivateKey
	defer k.Zero()
	if k.Key.SetByteSlice(d) || k.Key.IsZero() {
		return nil, fmt.Errorf("%w: out of range", keystore.ErrSecret)
	}
	return k.PubKey().SerializeUncompressed(), nil
}
