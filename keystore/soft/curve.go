package soft

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	_ "crypto/sha256" // for crypto.SHA256
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/internal/k1"
)

// A curve is what differs between the two. Secrets are 32 bytes, big-endian.
type curve struct {
	name string
	// public derives the compressed public key; ErrSecret for a number that is
	// no private key.
	public func(secret []byte) ([]byte, error)
	// sign signs a 32-byte digest and verifies the result against public.
	sign func(secret, public, digest []byte) ([]byte, error)
}

var curves = []curve{
	{keystore.Secp256k1, publicK1, signK1},
	{keystore.Secp256r1, publicR1, signR1},
}

func signK1(secret, public, digest []byte) ([]byte, error) {
	sig, err := rawSignK1(secret, digest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrSignature, err)
	}
	if err := keystore.Verify(keystore.Secp256k1, public, digest, sig); err != nil {
		return nil, err
	}
	return sig, nil
}

// parseR1 reads a private key for crypto/ecdsa, whose operations with it take
// constant time on this curve. The library keeps the number in a big.Int and
// copies it into a form of its own; both stay in memory, without a way to wipe
// them, until the collector has reused their place.
func parseR1(secret []byte) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrSecret, err)
	}
	return key, nil
}

func publicK1(secret []byte) ([]byte, error) {
	point, err := k1.Public(secret)
	if err != nil {
		return nil, err
	}
	return compressed(point), nil
}

// compressed is the short form of a point (SEC 1, 2.3.3).
func compressed(point []byte) []byte { return append([]byte{2 | point[64]&1}, point[1:33]...) }

func publicR1(secret []byte) ([]byte, error) {
	key, err := parseR1(secret)
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrSecret, err)
	}
	return compressed(point), nil
}

func signR1(secret, public, digest []byte) ([]byte, error) {
	key, err := parseR1(secret)
	if err != nil {
		return nil, err
	}
	der, err := key.Sign(nil, digest, crypto.SHA256) // no random source: RFC 6979
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrSignature, err)
	}
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrSignature, err)
	}
	rs := make([]byte, 64)
	sig.R.FillBytes(rs[:32])
	sig.S.FillBytes(rs[32:])
	return keystore.Normalize(keystore.Secp256r1, public, digest, rs)
}
