package cose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/fxamacker/cbor/v2"

	"github.com/boatd/boatd/internal/cose"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The key "11" of the COSE working group's examples, compressed, and what they
// sign: "This is the content.".
const (
	public11  = "02bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff"
	content   = "This is the content."
	payload   = "54 546869732069732074686520636f6e74656e742e"
	signature = "5840 8eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"
	good      = "d284 43a10126 a104423131" + payload + signature
)

// TestExamples: the examples of the COSE working group for COSE_Sign1 (directories
// RFC8152, ecdsa-examples and sign1-tests of cose-wg/Examples, public domain;
// the first is RFC 9052, appendix C.2.1). Two of those that pass there are
// refused here: one whose algorithm is not protected, one without a tag.
func TestExamples(t *testing.T) {
	for name, c := range map[string]struct {
		message, external string
		parse, verify     error
	}{
		"C.2.1":        {message: good},
		"ecdsa-sig-01": {message: "d284 45a201260300 a104423131" + payload + "5840 6520bbaf2081d7e0ed0f95f76eb0733d667005f7467cec4b87b9381a6ba1ede8e00df29f32a37230f39a842a54821fdd223092819d7728efb9d3a0080b75380b"},
		"sign-pass-01": {message: "d284 41a0 a2012604423131" + payload + "5840 87db0d2e5571843b78ac33ecb2830df7b6e0a4d5b7376de336b23c591c90c425317e56127fbe04370097ce347087b233bf722b64072beb4486bda4031d27244f", parse: cose.ErrMessage},
		"sign-pass-02": {message: "d284 43a10126 a104423131" + payload + "5840 10729cd711cb3813d8d8e944a8da7111e7b258c9bdca6135f7ae1adbee9509891267837e1e33bd36c150326ae62755c6bd8e540c3e8f92d7d225e8db72b8820b", external: "11aa22bb33cc44dd55006699"},
		"sign-pass-03": {message: strings.TrimPrefix(good, "d2"), parse: cose.ErrMessage},
		"sign-fail-01": {message: "d903e6" + strings.TrimPrefix(good, "d2"), parse: cose.ErrMessage},
		"sign-fail-02": {message: strings.Replace(good, "742e", "742f", 1), verify: cose.ErrSignature},
		"sign-fail-03": {message: strings.Replace(good, "43a10126", "45a1013903e6", 1), parse: cose.ErrMessage},
		"sign-fail-04": {message: strings.Replace(good, "43a10126", "4aa10167756e6b6e6f776e", 1), parse: cose.ErrMessage},
		"sign-fail-06": {message: strings.Replace(good, "43a10126", "45a201260300", 1), verify: cose.ErrSignature},
		"sign-fail-07": {message: "d284 43a10126 a104423131" + payload + "5840 6520bbaf2081d7e0ed0f95f76eb0733d667005f7467cec4b87b9381a6ba1ede8e00df29f32a37230f39a842a54821fdd223092819d7728efb9d3a0080b75380b", verify: cose.ErrSignature},
	} {
		m, err := cose.Parse(unhex(t, c.message))
		if !errors.Is(err, c.parse) || (err == nil) != (c.parse == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if m.Algorithm != cose.ES256 || string(m.KeyID) != "11" || string(m.Payload) != content && name != "sign-fail-02" {
			t.Errorf("%s: %+v", name, m)
		}
		if err := m.Verify(unhex(t, public11), unhex(t, c.external)); !errors.Is(err, c.verify) || (err == nil) != (c.verify == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBuild: what is to be signed and what is built are the bytes of the examples.
func TestBuild(t *testing.T) {
	for external, want := range map[string]string{
		"":                         "846a5369676e61747572653143a101264054546869732069732074686520636f6e74656e742e",
		"11aa22bb33cc44dd55006699": "846a5369676e61747572653143a101264c11aa22bb33cc44dd5500669954546869732069732074686520636f6e74656e742e",
	} {
		got, err := cose.ToBeSigned(cose.ES256, []byte(content), unhex(t, external))
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%x, %v", got, err)
		}
	}
	got, err := cose.Build(cose.ES256, []byte("11"), []byte(content), unhex(t, signature)[2:])
	if err != nil || !bytes.Equal(got, unhex(t, good)) {
		t.Errorf("%x, %v", got, err)
	}
	// ES256K's number needs two bytes; no payload is not null.
	got, err = cose.Build(cose.ES256K, nil, nil, make([]byte, 64))
	if err != nil || hex.EncodeToString(got[:10]) != "d28444a101382ea04058" {
		t.Errorf("%x, %v", got, err)
	}
	if got, err = cose.ToBeSigned(cose.ES256K, nil, nil); err != nil || hex.EncodeToString(got) != "846a5369676e61747572653144a101382e4040" {
		t.Errorf("%x, %v", got, err)
	}
}

func TestBuildRefused(t *testing.T) {
	sig, large := make([]byte, 64), make([]byte, cose.MaxPayload+1)
	for name, call := range map[string]func() ([]byte, error){
		"algorithm 0":     func() ([]byte, error) { return cose.Build(0, nil, nil, sig) },
		"EdDSA":           func() ([]byte, error) { return cose.ToBeSigned(-8, nil, nil) },
		"with v":          func() ([]byte, error) { return cose.Build(cose.ES256K, nil, nil, append(sig, 0)) },
		"no signature":    func() ([]byte, error) { return cose.Build(cose.ES256, nil, nil, nil) },
		"large payload":   func() ([]byte, error) { return cose.Build(cose.ES256, nil, large, sig) },
		"large to sign":   func() ([]byte, error) { return cose.ToBeSigned(cose.ES256, large, nil) },
		"large key id":    func() ([]byte, error) { return cose.Build(cose.ES256, make([]byte, 65), nil, sig) },
		"unknown curve":   func() ([]byte, error) { _, err := cose.ForCurve("ed25519"); return nil, err },
		"algorithm by it": func() ([]byte, error) { a, _ := cose.ForCurve(""); return cose.ToBeSigned(a, nil, nil) },
	} {
		if b, err := call(); !errors.Is(err, cose.ErrMessage) || b != nil {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
	m, err := cose.Build(cose.ES256, make([]byte, 64), large[1:], sig)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cose.Parse(m); err != nil {
		t.Errorf("the largest: %v", err)
	}
}

// A signer signs as key stores do, by other code than that which verifies.
type signer struct {
	alg    cose.Algorithm
	curve  string
	order  *big.Int
	public []byte                     // compressed
	plain  []byte                     // uncompressed
	sign   func(digest []byte) []byte // r‖s
}

func signers(t testing.TB) []signer {
	t.Helper()
	r1, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{0x5a}, 32))
	if err != nil {
		t.Fatal(err)
	}
	point, err := r1.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	k1 := secp256k1.PrivKeyFromBytes(bytes.Repeat([]byte{0x5a}, 32))
	return []signer{
		{cose.ES256, "secp256r1", elliptic.P256().Params().N, append([]byte{2 + point[64]%2}, point[1:33]...), point, func(digest []byte) []byte {
			der, err := ecdsa.SignASN1(nil, r1, digest)
			var sig struct{ R, S *big.Int }
			if _, more := asn1.Unmarshal(der, &sig); err != nil || more != nil {
				t.Fatal(err, more)
			}
			return append(sig.R.FillBytes(make([]byte, 32)), sig.S.FillBytes(make([]byte, 32))...)
		}},
		{cose.ES256K, "secp256k1", secp256k1.Params().N, k1.PubKey().SerializeCompressed(), k1.PubKey().SerializeUncompressed(), func(digest []byte) []byte {
			return k1ecdsa.SignCompact(k1, digest, true)[1:]
		}},
	}
}

func (s signer) message(t testing.TB, kid, payload, external []byte) []byte {
	t.Helper()
	signed, err := cose.ToBeSigned(s.alg, payload, external)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(signed)
	m, err := cose.Build(s.alg, kid, payload, s.sign(digest[:]))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRoundTrip: for both algorithms what is built is read back and verifies;
// with the other s too; and after a change of one bit of any byte it does not.
func TestRoundTrip(t *testing.T) {
	for _, s := range signers(t) {
		if alg, err := cose.ForCurve(s.curve); alg != s.alg || err != nil {
			t.Error(alg, err)
		}
		for _, external := range [][]byte{nil, []byte("outside")} {
			raw := s.message(t, []byte("key"), []byte("payload"), external)
			m, err := cose.Parse(raw)
			if err != nil || m.Algorithm != s.alg || string(m.KeyID) != "key" || string(m.Payload) != "payload" {
				t.Fatalf("%d: %+v, %v", s.alg, m, err)
			}
			if err := m.Verify(s.public, external); err != nil {
				t.Errorf("%d: %v", s.alg, err)
			}
			for name, bad := range map[string][]byte{"none": nil, "short": s.public[:32], "long": append(bytes.Clone(s.public), 0), "no point": make([]byte, 33), "uncompressed": s.plain, "other y": append([]byte{s.public[0] ^ 1}, s.public[1:]...)} {
				if err := m.Verify(bad, external); !errors.Is(err, cose.ErrSignature) {
					t.Errorf("%d, public key %s: %v", s.alg, name, err)
				}
			}
			if err := m.Verify(s.public, append([]byte("x"), external...)); !errors.Is(err, cose.ErrSignature) {
				t.Errorf("%d, other external data: %v", s.alg, err)
			}
			kid := bytes.Index(raw, []byte("key"))
			for i := range raw {
				if external != nil && i%8 != 0 { // slow on an emulated processor
					continue
				}
				b := bytes.Clone(raw)
				b[i] ^= 1 << (i % 8)
				if m, err := cose.Parse(b); err == nil && m.Verify(s.public, external) == nil && (i < kid-2 || i > kid+2) {
					t.Errorf("%d: verifies with byte %d changed", s.alg, i)
				}
			}
			other := bytes.Clone(raw)
			at := len(other) - 32
			new(big.Int).Sub(s.order, new(big.Int).SetBytes(raw[at:])).FillBytes(other[at:])
			if m, err := cose.Parse(other); err != nil || m.Verify(s.public, external) != nil {
				t.Errorf("%d: the other s: %v", s.alg, err)
			}
		}
	}
}

// TestRange: r and s are from 1 to the order less 1.
func TestRange(t *testing.T) {
	for _, s := range signers(t) {
		raw := s.message(t, nil, []byte("x"), nil)
		for _, at := range []int{len(raw) - 64, len(raw) - 32} {
			for _, v := range []*big.Int{new(big.Int), s.order, new(big.Int).Add(s.order, big.NewInt(1)), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))} {
				b := bytes.Clone(raw)
				v.FillBytes(b[at : at+32])
				m, err := cose.Parse(b)
				if err != nil {
					t.Fatal(err)
				}
				if err := m.Verify(s.public, nil); !errors.Is(err, cose.ErrSignature) {
					t.Errorf("%d, %x at %d: %v", s.alg, v, at, err)
				}
			}
		}
	}
}

// TestHeaders: what may stand beside the algorithm, and what not.
func TestHeaders(t *testing.T) {
	const sig = "5840" + "11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
	for name, c := range map[string]struct {
		message string
		good    bool
		kid     string
	}{
		"no key id":              {"d284 43a10126 a0 40" + sig, true, ""},
		"protected with text":    {"d284 47a20126044131 31 a0 40" + sig, false, ""},
		"protected key id":       {"d284 46a20126044131 a0 40" + sig, true, "1"},
		"empty key id":           {"d284 43a10126 a10440 40" + sig, true, ""},
		"unknown ones":           {"d284 43a10126 a3 0300 0541aa 617801 40" + sig, true, ""},
		"certificates":           {"d284 43a10126 a1 1821 82 41aa 41bb 40" + sig, true, ""},
		"ES256K":                 {"d284 44a101382e a0 40" + sig, true, ""},
		"critical":               {"d284 46a20126028103 a0 40" + sig, false, ""},
		"critical, unprotected":  {"d284 43a10126 a1028103 40" + sig, false, ""},
		"both":                   {"d284 45a201260300 a10300 40" + sig, false, ""},
		"algorithm twice":        {"d284 43a10126 a10126 40" + sig, false, ""},
		"algorithm unprotected":  {"d284 40 a10126 40" + sig, false, ""},
		"no algorithm":           {"d284 43a10300 a0 40" + sig, false, ""},
		"EdDSA":                  {"d284 43a10127 a0 40" + sig, false, ""},
		"algorithm 7":            {"d284 43a10107 a0 40" + sig, false, ""},
		"a key twice":            {"d284 45a201260126 a0 40" + sig, false, ""},
		"keys not sorted":        {"d284 45a203000126 a0 40" + sig, false, ""},
		"a long integer":         {"d284 44a1013806 a0 40" + sig, false, ""},
		"a long length":          {"d284 5803a10126 a0 40" + sig, false, ""},
		"a long array":           {"d29804 43a10126 a0 40" + sig, false, ""},
		"a long tag":             {"d81284 43a10126 a0 40" + sig, false, ""},
		"indefinite array":       {"d29f 43a10126 a0 40" + sig + "ff", false, ""},
		"indefinite map":         {"d284 44bf0126ff a0 40" + sig, false, ""},
		"indefinite payload":     {"d284 43a10126 a0 5f40ff" + sig, false, ""},
		"a float label":          {"d284 43a10126 a1f93c0000 40" + sig, false, ""},
		"a null label":           {"d284 43a10126 a1f600 40" + sig, false, ""},
		"a bytes label":          {"d284 43a10126 a1410100 40" + sig, false, ""},
		"a list as label":        {"d284 43a10126 a1800 0 40" + sig, false, ""},
		"a tag inside":           {"d284 43a10126 a103d86400 40" + sig, false, ""},
		"undefined":              {"d284 43a10126 a103f7 40" + sig, false, ""},
		"key id a text":          {"d284 43a10126 a1046131 40" + sig, false, ""},
		"key id null":            {"d284 43a10126 a104f6 40" + sig, false, ""},
		"large key id":           {"d284 43a10126 a1045841" + strings.Repeat("00", 65) + "40" + sig, false, ""},
		"largest key id":         {"d284 43a10126 a1045840" + strings.Repeat("61", 64) + "40" + sig, true, strings.Repeat("a", 64)},
		"detached payload":       {"d284 43a10126 a0 f6" + sig, false, ""},
		"payload a text":         {"d284 43a10126 a0 60" + sig, false, ""},
		"payload a list":         {"d284 43a10126 a0 80" + sig, false, ""},
		"protected a map":        {"d284 a10126 a0 40" + sig, false, ""},
		"protected a list":       {"d284 4180 a0 40" + sig, false, ""},
		"protected with a tail":  {"d284 44a1012600 a0 40" + sig, false, ""},
		"unprotected a list":     {"d284 43a10126 80 40" + sig, false, ""},
		"three parts":            {"d283 43a10126 a0 40", false, ""},
		"five parts":             {"d285 43a10126 a0 40" + sig + "00", false, ""},
		"a tail":                 {"d284 43a10126 a0 40" + sig + "00", false, ""},
		"two tags":               {"d2d284 43a10126 a0 40" + sig, false, ""},
		"COSE_Mac0's tag":        {"d184 43a10126 a0 40" + sig, false, ""},
		"a short signature":      {"d284 43a10126 a0 40 583f" + strings.Repeat("11", 63), false, ""},
		"a long signature":       {"d284 43a10126 a0 40 5841" + strings.Repeat("11", 65), false, ""},
		"no signature":           {"d284 43a10126 a0 40 40", false, ""},
		"too deep":               {"d284 43a10126 a103" + strings.Repeat("81", 8) + "00 40" + sig, false, ""},
		"more headers than fit":  {"d284 43a10126 a10398 41" + strings.Repeat("00", 65) + "40" + sig, false, ""},
		"a length of 2^64-1":     {"d284 43a10126 a0 5bffffffffffffffff", false, ""},
		"an array of 2^32-1":     {"d29affffffff", false, ""},
		"nothing":                {"", false, ""},
		"only a tag":             {"d2", false, ""},
		"an integer of 64 bits":  {"d284 43a10126 a1031bffffffffffffffff 40" + sig, false, ""},
		"text that is not UTF-8": {"d284 43a10126 a10361ff 40" + sig, false, ""},
	} {
		m, err := cose.Parse(unhex(t, c.message))
		if c.good && (err != nil || string(m.KeyID) != c.kid) || !c.good && (!errors.Is(err, cose.ErrMessage) || m != nil) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

// TestSizes: the largest payload with the largest headers, and one byte more.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		payload, header int // bytes
		good            bool
	}{
		{cose.MaxPayload, cose.MaxHeaders - 82, true}, {cose.MaxPayload, cose.MaxHeaders - 81, false}, {cose.MaxPayload + 1, 0, false}, {0, cose.MaxPayload + cose.MaxHeaders - 79, false},
	} {
		raw, err := cbor.Marshal([]any{[]byte{0xa1, 1, 0x26}, map[int][]byte{5: make([]byte, c.header)}, make([]byte, c.payload), make([]byte, 64)})
		if err != nil {
			t.Fatal(err)
		}
		raw = append([]byte{0xd2}, raw...)
		if _, err := cose.Parse(raw); (err == nil) != c.good || err != nil && !errors.Is(err, cose.ErrMessage) {
			t.Errorf("%d bytes, %+v: %v", len(raw), c, err)
		}
	}
}

// FuzzSign1: whatever comes is refused or read; what is read has no other form:
// written again it is the same bytes.
func FuzzSign1(f *testing.F) {
	f.Add(unhex(f, good))
	f.Add(unhex(f, "d284 46a20126044131 a3 0300 0541aa 617801 40"+signature))
	f.Add(unhex(f, "d284 43a10126 a1 1821 82 41aa 41bb 40"+signature))
	for _, s := range signers(f) {
		f.Add(s.message(f, nil, nil, nil))
		f.Add(s.message(f, []byte{1}, []byte("payload"), nil))
	}
	keys := signers(f)
	encMode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := cose.Parse(raw)
		if err != nil {
			if !errors.Is(err, cose.ErrMessage) || m != nil {
				t.Fatal(m, err)
			}
			return
		}
		if len(m.KeyID) > 64 || len(m.Signature) != 64 || len(m.Payload) > len(raw) {
			t.Fatalf("%+v", m)
		}
		for _, s := range keys {
			if err := m.Verify(s.public, nil); err != nil && !errors.Is(err, cose.ErrSignature) {
				t.Fatal(err)
			}
		}
		var loose cbor.Tag
		if err := cbor.Unmarshal(raw, &loose); err != nil || loose.Number != 18 {
			t.Fatal(loose, err)
		}
		if again, err := encMode.Marshal(loose); err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("written again: %x, %v", again, err)
		}
	})
}
