package soft

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/boatd/boatd/keystore"
)

// known are answers of RFC 6979 with HMAC-SHA-256 and SHA-256 digests. The
// document has those of P-256 (A.2.5, where s may be high: the low one is
// expected); for secp256k1 the vectors are those that implementations have
// shared since 2013, and EIP-155's example.
var known = []struct {
	curve, secret, message, digest, rs string
	v                                  int
}{
	{keystore.Secp256r1, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", "sample", "",
		"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716 f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8", -1},
	{keystore.Secp256r1, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", "test", "",
		"f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367 019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083", -1},
	{keystore.Secp256k1, "0000000000000000000000000000000000000000000000000000000000000001", "Satoshi Nakamoto", "",
		"934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8 2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5", -1},
	{keystore.Secp256k1, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", "Satoshi Nakamoto", "",
		"fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0 6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5", -1},
	{keystore.Secp256k1, "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181", "Alan Turing", "",
		"7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c 58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea", -1},
	{keystore.Secp256k1, "0000000000000000000000000000000000000000000000000000000000000001",
		"All those moments will be lost in time, like tears in rain. Time to die...", "",
		"8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b 547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21", -1},
	{keystore.Secp256k1, "4646464646464646464646464646464646464646464646464646464646464646", "",
		"daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53",
		"28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276 67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83", 0},
}

func TestKnownSignatures(t *testing.T) {
	s := New(newSealer(), rand.Reader)
	for _, c := range known {
		k, err := s.Import(t.Context(), spec(c.curve), unhex(t, c.secret))
		if err != nil {
			t.Fatal(err)
		}
		digest := unhex(t, c.digest)
		if c.message != "" {
			sum := sha256.Sum256([]byte(c.message))
			digest = sum[:]
		}
		want := unhex(t, c.rs)
		if c.curve == keystore.Secp256r1 {
			want = low(want, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
		}
		got, err := s.Sign(t.Context(), k, digest)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got[:64], want) || c.v >= 0 && int(got[64]) != c.v {
			t.Errorf("%s %q: %x, want %x and v %d", c.curve, c.message, got, want, c.v)
		}
	}
}

// low replaces a high s by the order less s.
func low(rs []byte, order string) []byte {
	n, _ := new(big.Int).SetString(order, 16)
	s := new(big.Int).SetBytes(rs[32:])
	if other := new(big.Int).Sub(n, s); other.Cmp(s) < 0 {
		s = other
	}
	return append(bytes.Clone(rs[:32]), s.FillBytes(make([]byte, 32))...)
}

// TestFlavoursAgree compares this build's code for secp256k1 with decred's,
// which says something when cgo is on, and with answers that both builds check.
func TestFlavoursAgree(t *testing.T) {
	s := New(newSealer(), rand.Reader)
	leadingZero := false
	sum := sha256.New()
	for i := range 400 {
		secret := sha256.Sum256(binary.BigEndian.AppendUint32(nil, uint32(i/20)))
		digest := sha256.Sum256(binary.BigEndian.AppendUint32([]byte("digest"), uint32(i)))
		k, err := s.Import(t.Context(), spec(keystore.Secp256k1), secret[:])
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Sign(t.Context(), k, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		c := k1ecdsa.SignCompact(secp256k1.PrivKeyFromBytes(secret[:]), digest[:], true)
		if want := append(c[1:], c[0]-31); !bytes.Equal(got, want) {
			t.Fatalf("key %x, digest %x: %x, decred has %x", secret, digest, got, want)
		}
		leadingZero = leadingZero || got[0] == 0 || got[32] == 0
		sum.Write(got)
	}
	if !leadingZero {
		t.Error("no r or s began with a zero byte: the cases show less than they should")
	}
	const want = "e5a54909c5cc8e670c1a630fa8e203913d0e773c97f52b3cecb07f4b2d3b56ec"
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("all signatures together: %s, want %s", got, want)
	}
}

// TestDigestAboveTheOrder: RFC 6979 reduces the digest before the nonce is
// made; libraries differ there, our flavours do not.
func TestDigestAboveTheOrder(t *testing.T) {
	s := New(newSealer(), rand.Reader)
	k, err := s.Import(t.Context(), spec(keystore.Secp256k1), unhex(t, strings.Repeat("46", 32)))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	for _, small := range []int64{0, 1, 77} {
		below := big.NewInt(small).FillBytes(make([]byte, 32))
		above := new(big.Int).Add(n, big.NewInt(small)).FillBytes(make([]byte, 32))
		a, errA := s.Sign(t.Context(), k, below)
		b, errB := s.Sign(t.Context(), k, above)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("digest %d and the order more: %x and %x", small, a, b)
		}
	}
}

// TestWrongPublicKey: a signature that is not of the key the wallet knows never
// leaves, whatever made it wrong.
func TestWrongPublicKey(t *testing.T) {
	for _, c := range curves {
		secret := bytes.Repeat([]byte{5}, 32)
		other, err := c.public(bytes.Repeat([]byte{6}, 32))
		if err != nil {
			t.Fatal(err)
		}
		if sig, err := c.sign(secret, other, make([]byte, 32)); err == nil {
			t.Errorf("%s: signed as another key: %x", c.name, sig)
		}
		if sig, err := c.sign(make([]byte, 32), other, make([]byte, 32)); err == nil {
			t.Errorf("%s: signed with the key 0: %x", c.name, sig)
		}
	}
}

func TestFlavour(t *testing.T) {
	if f := Flavour(); f != "libsecp256k1" && f != "decred" {
		t.Errorf("Flavour %q", f)
	}
}

// TestWarm: warming up beside signatures changes nothing (the race detector
// watches).
func TestWarm(t *testing.T) {
	Warm()
	s := New(newSealer(), rand.Reader)
	if _, err := s.Sign(t.Context(), generate(t, s, keystore.Secp256k1), make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkSign(b *testing.B) {
	for _, curve := range []string{keystore.Secp256k1, keystore.Secp256r1} {
		b.Run(fmt.Sprintf("%s/%s", curve, Flavour()), func(b *testing.B) {
			s := New(lockedSealer(newSealer().key), rand.Reader)
			k := generate(b, s, curve)
			digest := sha256.Sum256([]byte("x"))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign(context.Background(), k, digest[:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpenBlob(b *testing.B) {
	s := New(lockedSealer(newSealer().key), rand.Reader)
	k := generate(b, s, keystore.Secp256k1)
	b.ReportAllocs()
	for b.Loop() {
		d, err := s.open(context.Background(), k)
		if err != nil {
			b.Fatal(err)
		}
		d.Wipe()
	}
}

func BenchmarkGenerate(b *testing.B) {
	s := New(lockedSealer(newSealer().key), rand.Reader)
	b.ReportAllocs()
	for b.Loop() {
		generate(b, s, keystore.Secp256k1)
	}
}
