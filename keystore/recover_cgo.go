//go:build cgo

package keystore

import "github.com/ethereum/go-ethereum/crypto/secp256k1"

// recoverK1 returns the compressed public key of secp256k1 under which r‖s‖v,
// 65 bytes, is a signature of the 32-byte digest.
func recoverK1(digest, sig []byte) ([]byte, error) {
	point, err := secp256k1.RecoverPubkey(digest, sig)
	if err != nil {
		return nil, err
	}
	return append([]byte{2 | point[64]&1}, point[1:33]...), nil // SEC 1, 2.3.3
}
