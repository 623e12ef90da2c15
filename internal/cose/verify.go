package cose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/crypto"
)

// Verify checks that public, a compressed point (SEC 1) on the curve of the
// algorithm, made the signature over the message and external, as of
// [ToBeSigned]. ErrSignature if not. Of the two s that sign the same, COSE
// allows both: two different messages may have the same meaning.
func (m *Message) Verify(public, external []byte) error {
	signed, err := sigStructure(m.protected, m.Payload, external)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	digest := sha256.Sum256(signed)
	if len(public) != 33 {
		return fmt.Errorf("%w: a public key has 33 bytes, not %d", ErrSignature, len(public))
	}
	good := false
	switch m.Algorithm {
	case ES256:
		good = verifyR1(public, digest[:], m.Signature)
	case ES256K:
		good = verifyK1(public, digest[:], m.Signature)
	}
	if !good {
		return fmt.Errorf("%w: this key did not make it", ErrSignature)
	}
	return nil
}

func verifyR1(public, digest, rs []byte) bool {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), public)
	if x == nil {
		return false
	}
	point := make([]byte, 65)
	point[0] = 4
	x.FillBytes(point[1:33])
	y.FillBytes(point[33:])
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	return err == nil && ecdsa.Verify(key, digest, new(big.Int).SetBytes(rs[:32]), new(big.Int).SetBytes(rs[32:]))
}

// verifyK1: the library wants the low s, which is the order less the high one.
func verifyK1(public, digest, rs []byte) bool {
	order := crypto.S256().Params().N
	s := new(big.Int).SetBytes(rs[32:])
	if s.Cmp(order) >= 0 {
		return false
	}
	if s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s)
	}
	low := append(rs[:32:32], s.FillBytes(make([]byte, 32))...)
	return crypto.VerifySignature(public, digest, low)
}
