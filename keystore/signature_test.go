package keystore_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/boatd/boatd/keystore"
)

var curves = []string{keystore.Secp256k1, keystore.Secp256r1}

func order(curve string) *big.Int {
	if curve == keystore.Secp256k1 {
		return secp256k1.Params().N
	}
	return elliptic.P256().Params().N
}

func bytes32(v *big.Int) []byte { return v.FillBytes(make([]byte, 32)) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func digestOf(i uint32) []byte {
	d := sha256.Sum256(binary.BigEndian.AppendUint32(nil, i))
	return d[:]
}

// other returns rs with the order less s in the place of s.
func other(curve string, rs []byte) []byte {
	s := new(big.Int).SetBytes(rs[32:64])
	return join(rs[:32], bytes32(s.Sub(order(curve), s)))
}

func isLow(curve string, rs []byte) bool {
	twice := new(big.Int).SetBytes(rs[32:64])
	return twice.Lsh(twice, 1).Cmp(order(curve)) < 0
}

var testSecret = bytes.Repeat([]byte{0x5a}, 32)

// signed is a raw signature made by other code than the package's.
func signed(t testing.TB, curve string, digest []byte) (public, rs []byte) {
	t.Helper()
	if curve == keystore.Secp256k1 {
		k := secp256k1.PrivKeyFromBytes(testSecret)
		return k.PubKey().SerializeCompressed(), k1ecdsa.SignCompact(k, digest, true)[1:]
	}
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), testSecret)
	if err != nil {
		t.Fatal(err)
	}
	der, err := k.Sign(nil, digest, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		t.Fatal(err)
	}
	point, err := k.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{2 + point[64]%2}, point[1:33]...), join(bytes32(sig.R), bytes32(sig.S))
}

// TestNormalize: both forms of every signature give the same low one, with
// r and s at 32 bytes also where they begin with zeros.
func TestNormalize(t *testing.T) {
	cases := []uint32{
		63, 84, 222, 229, 274, 420, 1605, 1888, // r or s begins with one or two zero bytes
	}
	for i := range uint32(20) {
		cases = append(cases, i)
	}
	for _, curve := range curves {
		zeroR, zeroS, wasHigh := 0, 0, 0
		for _, i := range cases {
			digest := digestOf(i)
			public, rs := signed(t, curve, digest)
			if !isLow(curve, rs) {
				wasHigh++
			}
			a, errA := keystore.Normalize(curve, public, digest, rs)
			b, errB := keystore.Normalize(curve, public, digest, other(curve, rs))
			if errA != nil || errB != nil {
				t.Fatalf("%s %d: %v, %v", curve, i, errA, errB)
			}
			if !bytes.Equal(a, b) || !isLow(curve, a) || !bytes.Equal(a[:32], rs[:32]) {
				t.Fatalf("%s %d: %x and %x of %x", curve, i, a, b, rs)
			}
			if err := keystore.Verify(curve, public, digest, a); err != nil {
				t.Fatalf("%s %d: %v", curve, i, err)
			}
			if a[0] == 0 {
				zeroR++
			}
			if a[32] == 0 {
				zeroS++
			}
		}
		if zeroR == 0 || zeroS == 0 || (curve == keystore.Secp256r1 && wasHigh == 0) {
			t.Errorf("%s: %d leading zeros in r, %d in s, %d high: the cases show less than they should", curve, zeroR, zeroS, wasHigh)
		}
	}
}

// TestNormalizeKeepsItsInput: what a caller hands over stays as it was.
func TestNormalizeKeepsItsInput(t *testing.T) {
	for _, curve := range curves {
		public, rs := signed(t, curve, digestOf(0))
		rs = other(curve, rs)
		in := append(bytes.Clone(rs), 0xaa, 0xbb)[:64] // room behind it, as in a device's buffer
		if _, err := keystore.Normalize(curve, public, digestOf(0), in); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(in, rs) || !bytes.Equal(in[:66][64:], []byte{0xaa, 0xbb}) {
			t.Errorf("%s: the input became %x", curve, in[:66])
		}
	}
}

// TestChosenSignatures: for any r that is a point's x and any s there is a key
// that "made" the signature of a digest: edge values that no signer would hit.
func TestChosenSignatures(t *testing.T) {
	n := order(keystore.Secp256k1)
	half := new(big.Int).Rsh(n, 1)
	one := big.NewInt(1)
	rs := []*big.Int{one, big.NewInt(2), big.NewInt(3), big.NewInt(0x100), new(big.Int).Lsh(one, 200)}
	ss := []*big.Int{one, big.NewInt(255), half, new(big.Int).Add(half, one), new(big.Int).Sub(n, one), new(big.Int).Lsh(one, 128)}
	digests := [][]byte{make([]byte, 32), bytes.Repeat([]byte{0xff}, 32), bytes32(n), digestOf(1)}
	made := 0
	for _, r := range rs {
		for _, s := range ss {
			for _, digest := range digests {
				for v := byte(0); v <= 1; v++ {
					compact := join([]byte{31 + v}, bytes32(r), bytes32(s))
					key, _, err := k1ecdsa.RecoverCompact(compact, digest)
					if err != nil {
						continue // r is no x of the curve
					}
					made++
					want := join(compact[1:], []byte{v})
					if s.Cmp(half) > 0 {
						want = join(other(keystore.Secp256k1, want[:64]), []byte{v ^ 1})
					}
					got, err := keystore.Normalize(keystore.Secp256k1, key.SerializeCompressed(), digest, compact[1:])
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%x, digest %x: %x, %v, want %x", compact, digest, got, err, want)
					}
				}
			}
		}
	}
	if made < 100 {
		t.Errorf("only %d cases", made)
	}
}

// TestOverflowedR: where the point's x is above the order, v would be 2 or 3.
// The signature is mathematically good and no chain can use it.
func TestOverflowedR(t *testing.T) {
	digest := digestOf(7)
	found := false
	for r := int64(1); r < 50 && !found; r++ {
		sig := join(bytes32(big.NewInt(r)), bytes32(big.NewInt(5)), []byte{2})
		key, _, err := k1ecdsa.RecoverCompact(join([]byte{33}, sig[:64]), digest)
		if err != nil {
			continue
		}
		found = true
		public := key.SerializeCompressed()
		if err := keystore.Verify(keystore.Secp256k1, public, digest, sig); !errors.Is(err, keystore.ErrSignature) {
			t.Errorf("Verify with v 2: %v", err)
		}
		if got, err := keystore.Normalize(keystore.Secp256k1, public, digest, sig[:64]); !errors.Is(err, keystore.ErrSignature) {
			t.Errorf("Normalize: %x, %v", got, err)
		}
	}
	if !found {
		t.Error("no such point was found")
	}
}

// TestRefused: what is no signature of this key over this digest.
func TestRefused(t *testing.T) {
	for _, curve := range curves {
		digest := digestOf(3)
		public, rs := signed(t, curve, digest)
		n := order(curve)
		zero, nn, ff := make([]byte, 32), bytes32(n), bytes.Repeat([]byte{0xff}, 32)
		above := func(b []byte) []byte { // the same number modulo the order
			v := new(big.Int).SetBytes(b)
			if v.Add(v, n).BitLen() > 256 {
				return nn
			}
			return bytes32(v)
		}
		p2, _ := signed(t, curve, digest)
		p2[0] ^= 1 // the negative of the key
		for _, c := range []struct {
			name               string
			public, digest, rs []byte
			want               error
		}{
			{"r 0", public, digest, join(zero, rs[32:]), keystore.ErrSignature},
			{"s 0", public, digest, join(rs[:32], zero), keystore.ErrSignature},
			{"both 0", public, digest, join(zero, zero), keystore.ErrSignature},
			{"r the order", public, digest, join(nn, rs[32:]), keystore.ErrSignature},
			{"s the order", public, digest, join(rs[:32], nn), keystore.ErrSignature},
			{"r more than the order", public, digest, join(above(rs[:32]), rs[32:]), keystore.ErrSignature},
			{"s more than the order", public, digest, join(rs[:32], above(rs[32:])), keystore.ErrSignature},
			{"all ones", public, digest, join(ff, ff), keystore.ErrSignature},
			{"r and s exchanged", public, digest, join(rs[32:], rs[:32]), keystore.ErrSignature},
			{"r 1, s 1", public, digest, join(bytes32(big.NewInt(1)), bytes32(big.NewInt(1))), keystore.ErrSignature},
			{"another digest", public, digestOf(4), rs, keystore.ErrSignature},
			{"the negative key", p2, digest, rs, keystore.ErrSignature},
			{"no key", nil, digest, rs, keystore.ErrSignature},
			{"a key of zeros", make([]byte, 33), digest, rs, keystore.ErrSignature},
			{"an uncompressed prefix", join([]byte{4}, public[1:]), digest, rs, keystore.ErrSignature},
			{"a key off the curve", join([]byte{2}, ff), digest, rs, keystore.ErrSignature},
			{"no signature", public, digest, nil, keystore.ErrSignature},
			{"a short one", public, digest, rs[:63], keystore.ErrSignature},
			{"a long one", public, digest, join(rs, zero[:1]), keystore.ErrSignature},
			{"a short digest", public, digest[:31], rs, keystore.ErrDigest},
			{"a long digest", public, join(digest, zero), rs, keystore.ErrDigest},
			{"no digest", public, nil, rs, keystore.ErrDigest},
		} {
			if got, err := keystore.Normalize(curve, c.public, c.digest, c.rs); !errors.Is(err, c.want) || got != nil {
				t.Errorf("%s, %s: %x, %v, want %v", curve, c.name, got, err, c.want)
			}
		}
		for i := range rs {
			bad := bytes.Clone(rs)
			bad[i] ^= 1 << (i % 8)
			if got, err := keystore.Normalize(curve, public, digest, bad); !errors.Is(err, keystore.ErrSignature) {
				t.Errorf("%s, a flipped bit in byte %d: %x, %v", curve, i, got, err)
			}
		}
	}
	for _, f := range []func(curve string) error{
		func(c string) error { _, err := keystore.Normalize(c, nil, nil, nil); return err },
		func(c string) error { return keystore.Verify(c, nil, nil, nil) },
	} {
		if err := f("ed25519"); !errors.Is(err, keystore.ErrCurve) {
			t.Errorf("an unknown curve: %v", err)
		}
	}
}

// TestVerifyIsStrict: Verify takes the one form that stores return.
func TestVerifyIsStrict(t *testing.T) {
	for _, curve := range curves {
		digest := digestOf(9)
		public, rs := signed(t, curve, digest)
		good, err := keystore.Normalize(curve, public, digest, rs)
		if err != nil {
			t.Fatal(err)
		}
		high := join(other(curve, good), good[64:])
		if len(high) == 65 {
			high[64] ^= 1
		}
		cases := map[string][]byte{"high s": high, "short": good[:63], "long": join(good, []byte{0}), "none": nil}
		if curve == keystore.Secp256k1 {
			for _, v := range []byte{good[64] ^ 1, good[64] + 2, 4, 27, 28, 255} {
				cases["v "+string('a'+rune(v%26))] = join(good[:64], []byte{v})
			}
			cases["without v"] = good[:64]
		}
		for name, sig := range cases {
			if err := keystore.Verify(curve, public, digest, sig); !errors.Is(err, keystore.ErrSignature) {
				t.Errorf("%s, %s: %v", curve, name, err)
			}
		}
	}
}

// FuzzNormalize: whatever comes in, what comes out verifies, by other code too.
func FuzzNormalize(f *testing.F) {
	for _, curve := range curves {
		public, rs := signed(f, curve, digestOf(0))
		f.Add(curve, public, digestOf(0), rs)
		f.Add(curve, public, digestOf(0), other(curve, rs))
		f.Add(curve, public, digestOf(1), rs)
		f.Add(curve, public[:5], digestOf(0), rs[:63])
	}
	f.Add("", []byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, curve string, public, digest, rs []byte) {
		sig, err := keystore.Normalize(curve, public, digest, rs)
		if err != nil {
			if sig != nil {
				t.Errorf("both %x and %v", sig, err)
			}
			return
		}
		if err := keystore.Verify(curve, public, digest, sig); err != nil || !isLow(curve, sig) {
			t.Errorf("%x: %v", sig, err)
		}
		if curve != keystore.Secp256k1 {
			return
		}
		key, _, err := k1ecdsa.RecoverCompact(join([]byte{31 + sig[64]}, sig[:64]), digest)
		if err != nil || !bytes.Equal(key.SerializeCompressed(), public) {
			t.Errorf("decred recovers another key from %x: %v", sig, err)
		}
	})
}
