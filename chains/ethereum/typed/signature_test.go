package typed_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/typed"
)

// TestMessageDigest: the first is of viem's documentation, the second of
// go-ethereum's tests, the third of alloy's, the last of web3.js's.
func TestMessageDigest(t *testing.T) {
	for message, want := range map[string]string{
		"hello world": "d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68",
		"Hello Joe":   "a080337ae51c4e064c189e113edd0ba391df9206e2f49db658bb32cf2911730b",
		"hello_world": "d52de6e039c023a7c77752126e4d9d99e2a7dacea3d19e97e9c2ebcb3ecf1c00",
		"Some data":   "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655",
	} {
		if got := hex.EncodeToString(typed.MessageDigest([]byte(message))); got != want {
			t.Errorf("%q: %s", message, got)
		}
	}
	// A length of several digits, and none.
	for _, n := range []int{0, 32, 100, 65536} {
		message := bytes.Repeat([]byte{'x'}, n)
		want := crypto.Keccak256(append([]byte("\x19Ethereum Signed Message:\n"+big.NewInt(int64(n)).String()), message...))
		if !bytes.Equal(typed.MessageDigest(message), want) {
			t.Errorf("%d bytes", n)
		}
	}
}

// signatures are some that others made: EIP-712's of its example, web3.js's
// documentation of a message, and one of an authorization on Base Sepolia.
var signatures = []struct {
	name, address, signature string
	digest                   func(testing.TB) []byte
}{
	{"mail", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826",
		"4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c",
		func(t testing.TB) []byte { return parse(t, mail).Digest }},
	{"message", "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
		"b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c",
		func(testing.TB) []byte { return typed.MessageDigest([]byte("Some data")) }},
	{"authorization", "0x88c45377C7653a3B5e42685cB74835f669D9A546",
		"914b420dd8a68397dcd76e9f1c6f6028b57ca1ea626387778db7d2b5ecb4e55730243dcaef80d550c85d7015ff3896355baf5272aba881322ffd3f6a52855e0a1b",
		func(t testing.TB) []byte { return parse(t, authorization).Digest }},
}

func TestSignatures(t *testing.T) {
	for _, c := range signatures {
		digest, sig := c.digest(t), unhex(t, c.signature)
		if got, err := typed.Recover(digest, sig); got != c.address || err != nil {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
		if err := typed.Verify(c.address, digest, sig); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		raw := bytes.Clone(sig)
		raw[64] -= 27
		if got, err := typed.EncodeSignature(raw); !bytes.Equal(got, sig) || err != nil || raw[64] > 1 {
			t.Errorf("%s: %x, %v", c.name, got, err)
		}
	}
}

// TestSigned: what this package hashes and go-ethereum signs, verifies; the
// example's key is the hash of "cow".
func TestSigned(t *testing.T) {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("cow")))
	if err != nil {
		t.Fatal(err)
	}
	digest := parse(t, mail).Digest
	raw, err := crypto.Sign(digest, key)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := typed.EncodeSignature(raw)
	if err != nil || hex.EncodeToString(sig) != signatures[0].signature {
		t.Errorf("%x, %v", sig, err)
	}
}

// TestSignaturesRefused: one signature with each thing that can be wrong.
func TestSignaturesRefused(t *testing.T) {
	order := crypto.S256().Params().N
	good, digest, address := unhex(t, signatures[0].signature), parse(t, mail).Digest, signatures[0].address
	with := func(at int, part ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], part)
		return b
	}
	high := new(big.Int).Sub(order, new(big.Int).SetBytes(good[32:64])).FillBytes(make([]byte, 32))
	for name, sig := range map[string][]byte{
		"none": nil, "short": good[:64], "long": append(bytes.Clone(good), 0),
		"v 0": with(64, 0), "v 1": with(64, 1), "v 26": with(64, 26), "v 29": with(64, 29), "v 255": with(64, 255),
		"other v": with(64, 27), "r 0": with(0, make([]byte, 32)...), "s 0": with(32, make([]byte, 32)...),
		"r the order": with(0, order.Bytes()...), "s the order": with(32, order.Bytes()...),
		"high s": append(append(bytes.Clone(good[:32]), high...), 27), "another r": with(5, good[5]^1), "another s": with(60, good[60]^1),
	} {
		if err := typed.Verify(address, digest, sig); !errors.Is(err, typed.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := typed.Verify(signatures[1].address, digest, good); !errors.Is(err, typed.ErrSignature) {
		t.Errorf("another account: %v", err)
	}
	if err := typed.Verify(address, digest[:31], good); !errors.Is(err, typed.ErrSignature) {
		t.Errorf("a short digest: %v", err)
	}
	if err := typed.Verify("0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD827", digest, good); !errors.Is(err, chains.ErrChecksum) {
		t.Errorf("a wrong checksum: %v", err)
	}
	raw := bytes.Clone(good)
	raw[64] -= 27
	for name, sig := range map[string][]byte{"encoded twice": good, "short": raw[:64], "v 2": append(raw[:64:64], 2), "high s": append(append(raw[:32:32], high...), 0)} {
		if _, err := typed.EncodeSignature(sig); !errors.Is(err, typed.ErrSignature) {
			t.Errorf("encode, %s: %v", name, err)
		}
	}
}
