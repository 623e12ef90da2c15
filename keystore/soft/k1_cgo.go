//go:build cgo

package soft

import "github.com/ethereum/go-ethereum/crypto/secp256k1"

const flavour = "libsecp256k1"

// warmK1 has nothing to do: the tables are constants of the library.
func warmK1() {}

// rawSignK1 returns r‖s‖v of a 32-byte digest, s low, v 0 to 3.
func rawSignK1(secret, digest []byte) ([]byte, error) {
	return secp256k1.Sign(digest, secret)
}
