package storetest

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/boatd/boatd/keystore"
)

func order(curve string) *big.Int {
	if curve == keystore.Secp256k1 {
		return secp256k1.Params().N
	}
	return elliptic.P256().Params().N
}

func scalar(v int64) []byte { return big.NewInt(v).FillBytes(make([]byte, 32)) }

// A pair is a private key and its public one.
type pair struct{ secret, public []byte }

// pairs are the extremes and one in the middle.
func pairs(curve string) []pair {
	n := order(curve)
	var out []pair
	for _, d := range []*big.Int{
		big.NewInt(1), big.NewInt(2), new(big.Int).Rsh(n, 1), new(big.Int).Sub(n, big.NewInt(1)),
		new(big.Int).Rsh(n, 9), // a leading zero byte
	} {
		secret := d.FillBytes(make([]byte, 32))
		out = append(out, pair{secret, publicOf(curve, secret)})
	}
	return out
}

// publicOf derives the compressed public key; nil for what is no private key.
func publicOf(curve string, secret []byte) []byte {
	if curve == keystore.Secp256k1 {
		return secp256k1.PrivKeyFromBytes(secret).PubKey().SerializeCompressed()
	}
	k, err := ecdh.P256().NewPrivateKey(secret)
	if err != nil {
		return nil
	}
	point := k.PublicKey().Bytes()
	return append([]byte{2 + point[64]%2}, point[1:33]...)
}

// pointR1 decompresses a public key of secp256r1.
func pointR1(pub []byte) (*ecdsa.PublicKey, error) {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), pub)
	if x == nil {
		return nil, fmt.Errorf("%x is not a compressed point of secp256r1", pub)
	}
	point := append([]byte{4}, append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)...)
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

// onCurve says why pub is not a compressed public key.
func onCurve(curve string, pub []byte) error {
	if len(pub) != 33 {
		return fmt.Errorf("%d bytes, not 33", len(pub))
	}
	if curve == keystore.Secp256k1 {
		_, err := secp256k1.ParsePubKey(pub)
		return err
	}
	_, err := pointR1(pub)
	return err
}

// judge says what is wrong with a signature as Store.Sign should return it.
func judge(k *keystore.Key, digest, sig []byte) error {
	want := 64
	if k.Curve == keystore.Secp256k1 {
		want = 65
	}
	if len(sig) != want {
		return fmt.Errorf("the signature has %d bytes, not %d", len(sig), want)
	}
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64])
	if twice := new(big.Int).Lsh(s, 1); twice.Cmp(order(k.Curve)) > 0 {
		return fmt.Errorf("s is high: %x", sig)
	}
	if k.Curve == keystore.Secp256k1 {
		return judgeK1(k.Public, digest, sig)
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		return err
	}
	key, err := pointR1(k.Public)
	if err != nil {
		return err
	}
	if !ecdsa.VerifyASN1(key, digest, der) {
		return fmt.Errorf("crypto/ecdsa does not verify %x", sig)
	}
	return nil
}

func judgeK1(public, digest, sig []byte) error {
	if sig[64] > 1 {
		return fmt.Errorf("v is %d", sig[64])
	}
	compact := append([]byte{31 + sig[64]}, sig[:64]...)
	key, _, err := k1ecdsa.RecoverCompact(compact, digest)
	if err != nil {
		return err
	}
	if got := key.SerializeCompressed(); !bytes.Equal(got, public) {
		return fmt.Errorf("the signature is %x's, not %x's", got, public)
	}
	var r, s secp256k1.ModNScalar
	r.SetByteSlice(sig[:32])
	s.SetByteSlice(sig[32:64])
	if !k1ecdsa.NewSignature(&r, &s).Verify(digest, key) {
		return fmt.Errorf("decred does not verify %x", sig)
	}
	return nil
}
