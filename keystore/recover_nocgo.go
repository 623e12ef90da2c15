//go:build !cgo

package keystore

import "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

// recoverK1 returns the compressed public key of secp256k1 under which r‖s‖v,
// 65 bytes, is a signature of the 32-byte digest.
func recoverK1(digest, sig []byte) ([]byte, error) {
	pub, _, err := ecdsa.RecoverCompact(append([]byte{31 + sig[64]}, sig[:64]...), digest)
	if err != nil {
		return nil, err
	}
	return pub.SerializeCompressed(), nil
}
