package chaintest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	ethcrypto "github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/chains"
)

// A Signer is a key in memory. Its signatures have the form that
// keystore.Store promises, and the same digest gives the same signature.
type Signer struct {
	curve string
	pub   []byte
	sign  func(digest []byte) ([]byte, error)
}

// NewSigner returns the key number n of a curve, "secp256k1" or "secp256r1".
func NewSigner(curve string, n byte) *Signer {
	secret := sha256.Sum256([]byte{'k', n})
	if curve == "secp256r1" {
		return p256Signer(secret[:])
	}
	key, err := ethcrypto.ToECDSA(secret[:])
	if err != nil {
		panic(err) // the hash of two bytes is a key, or it is not: no input decides it
	}
	return &Signer{curve, ethcrypto.CompressPubkey(&key.PublicKey), func(digest []byte) ([]byte, error) {
		return ethcrypto.Sign(digest, key)
	}}
}

// NewCheapSigner returns a key whose signatures are [CheapSignature]. Its
// public key is a hash, too, and no point of the curve.
func NewCheapSigner(curve string, n byte) *Signer {
	x := sha256.Sum256([]byte{'p', n})
	pub := append([]byte{2}, x[:]...)
	return &Signer{curve, pub, func(digest []byte) ([]byte, error) { return CheapSignature(curve, pub, digest), nil }}
}

func (o Options) signer(curve string) *Signer {
	if o.Cheap {
		return NewCheapSigner(curve, 1)
	}
	return NewSigner(curve, 1)
}

// CheapSignature returns what a chain with Options.Cheap takes for a signature
// of a public key: a hash that anybody can compute. It makes simulations of
// hundreds of thousands of runs possible and protects nothing.
func CheapSignature(curve string, pub, digest []byte) []byte {
	r := sha256.Sum256(slices.Concat([]byte("r"), pub, digest))
	s := sha256.Sum256(slices.Concat([]byte("s"), pub, digest))
	s[0] &= 0x3f // low
	sig := append(r[:], s[:]...)
	if curve == "secp256k1" {
		sig = append(sig, 0)
	}
	return sig
}

// Public returns the compressed public key.
func (s *Signer) Public() []byte { return s.pub }

// Sign signs a 32-byte digest.
func (s *Signer) Sign(ctx context.Context, digest []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.sign(digest)
}

// Account returns the signer's account on a network.
func (s *Signer) Account(c chains.Codec) (chains.Account, error) {
	address, err := c.Address(s.curve, s.pub)
	return chains.Account{Address: address, Curve: s.curve, Public: s.pub, Sign: s.Sign}, err
}

func p256Signer(secret []byte) *Signer {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil {
		panic(err) // as in NewSigner
	}
	full, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	pub := append([]byte{2 | full[64]&1}, full[1:33]...)
	return &Signer{"secp256r1", pub, func(digest []byte) ([]byte, error) {
		der, err := key.Sign(nil, digest, crypto.SHA256) // without randomness: RFC 6979
		if err != nil {
			return nil, err
		}
		var sig struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(der, &sig); err != nil {
			return nil, err
		}
		if n := elliptic.P256().Params().N; sig.S.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
			sig.S.Sub(n, sig.S)
		}
		return append(sig.R.FillBytes(make([]byte, 32)), sig.S.FillBytes(make([]byte, 32))...), nil
	}}
}

// verify says whether sig is a signature of pub that a network may release.
func verify(curve string, cheap bool, pub, digest, sig []byte) error {
	ok := false
	switch {
	case cheap:
		ok = bytes.Equal(sig, CheapSignature(curve, pub, digest))
	case curve == "secp256k1" && len(sig) == 65:
		found, err := ethcrypto.SigToPub(digest, sig)
		// VerifySignature refuses a high s.
		ok = err == nil && bytes.Equal(ethcrypto.CompressPubkey(found), pub) && ethcrypto.VerifySignature(pub, digest, sig[:64])
	case curve == "secp256r1" && len(sig) == 64:
		ok = verifyP256(pub, digest, sig)
	}
	if !ok {
		return fmt.Errorf("not a signature of %x", pub)
	}
	return nil
}

func verifyP256(pub, digest, sig []byte) bool {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), pub)
	if x == nil {
		return false
	}
	s := new(big.Int).SetBytes(sig[32:])
	if s.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) > 0 {
		return false
	}
	key := &ecdsa.PublicKey{Curve: elliptic.P256(), X: x, Y: y}
	return ecdsa.Verify(key, digest, new(big.Int).SetBytes(sig[:32]), s)
}
