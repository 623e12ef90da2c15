package keyfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/boatd/boatd/keystore"
)

func sum256(b []byte) []byte { s := sha256.Sum256(b); return s[:] }

// extended reads an xprv of BIP-32: its chain code and key.
func extended(t *testing.T, xprv string) (chain, key []byte) {
	t.Helper()
	n := new(big.Int)
	for _, c := range xprv {
		digit := strings.IndexRune("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", c)
		n.Mul(n, big.NewInt(58)).Add(n, big.NewInt(int64(digit)))
	}
	b := n.FillBytes(make([]byte, 82))
	if !bytes.Equal(sum256(sum256(b[:78]))[:4], b[78:]) {
		t.Fatalf("the checksum of %s is wrong", xprv)
	}
	return b[13:45], b[46:78]
}

// TestBIP32 has the test vectors 1 to 4 of BIP-32; 3 and 4 are for leading zeros.
func TestBIP32(t *testing.T) {
	const (
		seed1 = "000102030405060708090a0b0c0d0e0f"
		seed2 = "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542"
		seed3 = "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be"
		seed4 = "3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678"
	)
	for _, c := range []struct{ seed, path, xprv string }{
		{seed1, "m", "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"},
		{seed1, "m/0H", "xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7"},
		{seed1, "m/0H/1", "xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaXwTCg8MSY3H2EU4pWcQDnRnrVA1xe8fs"},
		{seed1, "m/0H/1/2h", "xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQSAewRiNMjANTtpgP4mLTj34bhnZX7UiM"},
		{seed1, "m/0H/1/2h/2", "xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMuPh7f7RtyzTtdrbdqqsunu5Mm3wDvUAKRHSC34sJ7in334"},
		{seed1, "m/0'/1/2'/2/1000000000", "xprvA41z7zogVVwxVSgdKUHDy1SKmdb533PjDz7J6N6mV6uS3ze1ai8FHa8kmHScGpWmj4WggLyQjgPie1rFSruoUihUZREPSL39UNdE3BBDu76"},
		{seed2, "m", "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U"},
		{seed2, "m/0", "xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86pgKt"},
		{seed2, "m/0/2147483647'", "xprv9wSp6B7kry3Vj9m1zSnLvN3xH8RdsPP1Mh7fAaR7aRLcQMKTR2vidYEeEg2mUCTAwCd6vnxVrcjfy2kRgVsFawNzmjuHc2YmYRmagcEPdU9"},
		{seed2, "m/0/2147483647'/1", "xprv9zFnWC6h2cLgpmSA46vutJzBcfJ8yaJGg8cX1e5StJh45BBciYTRXSd25UEPVuesF9yog62tGAQtHjXajPPdbRCHuWS6T8XA2ECKADdw4Ef"},
		{seed2, "m/0/2147483647'/1/2147483646'", "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc"},
		{seed2, "m/0/2147483647'/1/2147483646'/2", "xprvA2nrNbFZABcdryreWet9Ea4LvTJcGsqrMzxHx98MMrotbir7yrKCEXw7nadnHM8Dq38EGfSh6dqA9QWTyefMLEcBYJUuekgW4BYPJcr9E7j"},
		{seed3, "m", "xprv9s21ZrQH143K25QhxbucbDDuQ4naNntJRi4KUfWT7xo4EKsHt2QJDu7KXp1A3u7Bi1j8ph3EGsZ9Xvz9dGuVrtHHs7pXeTzjuxBrCmmhgC6"},
		{seed3, "m/0'", "xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L"},
		{seed4, "m", "xprv9s21ZrQH143K48vGoLGRPxgo2JNkJ3J3fqkirQC2zVdk5Dgd5w14S7fRDyHH4dWNHUgkvsvNDCkvAwcSHNAQwhwgNMgZhLtQC63zxwhQmRv"},
		{seed4, "m/0'", "xprv9vB7xEWwNp9kh1wQRfCCQMnZUEG21LpbR9NPCNN1dwhiZkjjeGRnaALmPXCX7SgjFTiCTT6bXes17boXtjq3xLpcDjzEuGLQBM5ohqkao9G"},
		{seed4, "m/0'/1'", "xprv9xJocDuwtYCMNAo3Zw76WENQeAS6WGXQ55RCy7tDJ8oALr4FWkuVoHJeHVAcAqiZLE7Je3vZJHxspZdFHfnBEjHqU5hG1Jaj32dVoS6XLT1"},
	} {
		levels, err := parsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		chain, key := extended(t, c.xprv)
		var n node
		if err := n.walk(unhex(t, c.seed), levels); err != nil || !bytes.Equal(n.key(), key) || !bytes.Equal(n.chain(), chain) {
			t.Errorf("%.8s %s: %x, %v, want %x %x", c.seed, c.path, n, err, key, chain)
		}
	}
}

func TestPath(t *testing.T) {
	for path, want := range map[string][]uint32{
		"m":                     {},
		"m/0":                   {0},
		"m/0h/1H/2'":            {hardened, hardened + 1, hardened + 2},
		"m/2147483647":          {hardened - 1},
		"m/2147483647'":         {1<<32 - 1},
		"":                      {hardened + 44, hardened + 60, hardened, 0, 0},
		"m/1/2/3/4/5/6/7/8/9/0": {1, 2, 3, 4, 5, 6, 7, 8, 9, 0},
	} {
		got, err := parsePath(path)
		if err != nil || len(got) != len(want) {
			t.Errorf("%q: %v, %v", path, got, err)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q: %v, want %v", path, got, want)
			}
		}
	}
}

func TestPathRefused(t *testing.T) {
	for _, path := range []string{
		"/", "M", "m/", "n/0", "44'/60'/0'/0/0", "m//0", "m/0/", " m/0", "m/ 0", "m/0 ", "m/-1", "m/+1", "m/01", "m/00", "m/0x1", "m/1_0",
		"m/'", "m/0''", "m/0'h", "m/h0", "m/2147483648", "m/4294967296", "m/99999999999999999999999", "m/*", "m/1e3", "m/\u0661",
		"m/1/2/3/4/5/6/7/8/9/10/11", "m" + strings.Repeat("/0", 10000),
	} {
		if got, err := parsePath(path); !errors.Is(err, ErrFormat) || len(err.Error()) > 500 {
			t.Errorf("%.60q: %v, %v", path, got, err)
		}
	}
}

// TestScalars compares with math/big, at the edges and anywhere.
func TestScalars(t *testing.T) {
	order, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	var numbers []*big.Int
	for i := range int64(3) {
		numbers = append(numbers, big.NewInt(i), new(big.Int).Sub(order, big.NewInt(i+1)))
	}
	numbers = append(numbers, new(big.Int).Rsh(order, 1), new(big.Int).Lsh(big.NewInt(1), 64), new(big.Int).Lsh(big.NewInt(1), 192))
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		b := make([]byte, 32)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		numbers = append(numbers, new(big.Int).Mod(new(big.Int).SetBytes(b), order))
	}
	for _, a := range numbers {
		for _, b := range numbers {
			var x, y scalar
			x.load(a.FillBytes(make([]byte, 32)))
			y.load(b.FillBytes(make([]byte, 32)))
			x.add(&y)
			got := make([]byte, 32)
			x.store(got)
			want := new(big.Int).Add(a, b)
			if want.Mod(want, order).Cmp(new(big.Int).SetBytes(got)) != 0 {
				t.Fatalf("%x + %x = %x, want %x", a, b, got, want)
			}
		}
	}
}

func TestScalarValid(t *testing.T) {
	for text, want := range map[string]bool{
		strings.Repeat("0", 64):                                            false,
		strings.Repeat("0", 63) + "1":                                      true,
		"1" + strings.Repeat("0", 63):                                      true,
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140": true,
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141": false,
		strings.Repeat("f", 64):                                            false,
	} {
		var s scalar
		s.load(unhex(t, text))
		if s.valid() != want {
			t.Errorf("%s: %v", text, !want)
		}
		_, err := publicPoint(keystore.Secp256k1, unhex(t, text))
		if (err == nil) != want || err != nil && !errors.Is(err, keystore.ErrSecret) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestGenerators: the private key 1 is the generator (SEC 2, 2.4.1 and 2.4.2).
func TestGenerators(t *testing.T) {
	one := append(make([]byte, 31), 1)
	for curve, want := range map[string]string{
		keystore.Secp256k1: "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
		keystore.Secp256r1: "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
	} {
		if point, err := publicPoint(curve, one); err != nil || hex.EncodeToString(point) != want {
			t.Errorf("%s: %x, %v", curve, point, err)
		}
	}
}
