package cose

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// TestBeyondOrder: s and the order plus s are the same number to the curve; the
// second is refused. It fits into 32 bytes for tiny s only, so the digest is
// made for the signature here: digest = s·k - r·d, with the nonce k and the key d.
func TestBeyondOrder(t *testing.T) {
	n := secp256k1.Params().N
	d := secp256k1.PrivKeyFromBytes(bytes.Repeat([]byte{0x5a}, 32))
	k := secp256k1.PrivKeyFromBytes(bytes.Repeat([]byte{0x17}, 32))
	number := func(p *secp256k1.PrivateKey) *big.Int { return new(big.Int).SetBytes(p.Serialize()) }
	r, s := new(big.Int).Mod(k.PubKey().X(), n), big.NewInt(5)
	digest := new(big.Int).Mul(s, number(k))
	digest.Sub(digest, new(big.Int).Mul(r, number(d))).Mod(digest, n)
	word := func(v *big.Int) []byte { return v.FillBytes(make([]byte, 32)) }
	for _, c := range []struct {
		s    *big.Int
		want bool
	}{{s, true}, {new(big.Int).Sub(n, s), true}, {new(big.Int).Add(n, s), false}} {
		if got := verifyK1(d.PubKey().SerializeCompressed(), word(digest), append(word(r), word(c.s)...)); got != c.want {
			t.Errorf("s %x: %v", c.s, got)
		}
	}
}
