//go:build !cgo

package k1

import (
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/boatd/boatd/keystore"
)

// Private reads a private key, keystore.ErrSecret for what is none. The caller
// zeroes it. The library leaves copies of nonces and keys on stack and heap that
// nothing can wipe.
func Private(secret []byte) (*secp256k1.PrivateKey, error) {
	if len(secret) != Size {
		return nil, fmt.Errorf("%w: %d bytes", keystore.ErrSecret, len(secret))
	}
	var k secp256k1.PrivateKey
	if k.Key.SetByteSlice(secret) || k.Key.IsZero() {
		k.Zero()
		return nil, fmt.Errorf("%w: out of range", keystore.ErrSecret)
	}
	return &k, nil
}

// Public returns the public key of a private one, uncompressed (SEC 1, 65 bytes);
// keystore.ErrSecret for what is no private key.
func Public(secret []byte) ([]byte, error) {
	k, err := Private(secret)
	if err != nil {
		return nil, err
	}
	defer k.Zero()
	return k.PubKey().SerializeUncompressed(), nil
}
