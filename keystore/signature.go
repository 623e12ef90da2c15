package keystore

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"math/big"
)

// secp256k1Order is the order of the group (SEC 2, 2.4.1).
var secp256k1Order, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

// order returns the order of a curve's group, which is how far r and s reach.
func order(curve string) (*big.Int, error) {
	switch curve {
	case Secp256k1:
		return secp256k1Order, nil
	case Secp256r1:
		return elliptic.P256().Params().N, nil
	}
	return nil, fmt.Errorf("curve %q: %w", curve, ErrCurve)
}

// Normalize brings a raw signature, as hardware returns it, into the form that
// [Store.Sign] promises. rs is r‖s, 64 bytes, with any s; public is the
// compressed key that must have made it. A high s is replaced by the order less
// s, which signs the same (SEC 1, 4.1.3; EIP-2 and BIP 62 want the low one),
// and v is found by trial. The result has been verified: ErrSignature if it
// cannot be.
func Normalize(curve string, public, digest, rs []byte) ([]byte, error) {
	n, err := order(curve)
	if err != nil {
		return nil, err
	}
	if len(rs) != 64 {
		return nil, fmt.Errorf("%w: it has %d bytes, not 64", ErrSignature, len(rs))
	}
	sig := bytes.Clone(rs)
	if s := new(big.Int).SetBytes(rs[32:]); s.Cmp(n) < 0 && isHigh(s, n) {
		s.Sub(n, s).FillBytes(sig[32:])
	}
	tails := [][]byte{{}}
	if curve == Secp256k1 {
		tails = [][]byte{{0}, {1}}
	}
	for _, v := range tails {
		sig = append(sig[:64], v...)
		if err = Verify(curve, public, digest, sig); err == nil {
			return sig, nil
		}
	}
	return nil, err
}

// Verify checks a signature in the form of [Store.Sign]: its length, r and s
// from 1 to the order less 1, s low, v 0 or 1, and that public, a compressed
// key, made it over the 32-byte digest. ErrSignature if not. (The one point in
// 2^127 for which v would be 2 or 3 is refused too: chains know no such v.)
func Verify(curve string, public, digest, sig []byte) error {
	n, err := order(curve)
	if err != nil {
		return err
	}
	if len(digest) != 32 {
		return fmt.Errorf("%w, not %d", ErrDigest, len(digest))
	}
	want := 64
	if curve == Secp256k1 {
		want = 65
	}
	if len(sig) != want {
		return fmt.Errorf("%w: it has %d bytes, not %d", ErrSignature, len(sig), want)
	}
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64])
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(n) >= 0 || isHigh(s, n) {
		return fmt.Errorf("%w: r or s is out of range", ErrSignature)
	}
	if curve == Secp256k1 {
		return verifyK1(public, digest, sig)
	}
	return verifyR1(public, digest, r, s)
}

// isHigh says whether s is in the upper half of 1 to n-1, or beyond.
func isHigh(s, n *big.Int) bool {
	return s.Cmp(new(big.Int).Rsh(n, 1)) > 0
}

// verifyK1 verifies by recovery: the key that comes out is public if and only
// if r and s are its signature and v is right.
func verifyK1(public, digest, sig []byte) error {
	if sig[64] > 1 {
		return fmt.Errorf("%w: v is %d", ErrSignature, sig[64])
	}
	got, err := recoverK1(digest, sig)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if !bytes.Equal(got, public) {
		return fmt.Errorf("%w: another key made it", ErrSignature)
	}
	return nil
}

func verifyR1(public, digest []byte, r, s *big.Int) error {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), public)
	if x == nil {
		return fmt.Errorf("%w: %q is not a public key of %s", ErrSignature, public, Secp256r1)
	}
	point := make([]byte, 65)
	point[0] = 4
	x.FillBytes(point[1:33])
	y.FillBytes(point[33:])
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if !ecdsa.Verify(key, digest, r, s) {
		return fmt.Errorf("%w: another key made it", ErrSignature)
	}
	return nil
}
