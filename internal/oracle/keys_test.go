//go:build e2e

package oracle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/boatd/boatd/chains/ethereum/typed"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/keyfile"
	"github.com/boatd/boatd/keystore/soft"
)

// A seal is a sealer of which the key is known.
type seal struct{}

func (seal) Label() string                       { return "known" }
func (seal) KEK(context.Context) ([]byte, error) { return make([]byte, 32), nil }
func (seal) Renew(context.Context) error         { return nil }

// A source of what stores draw, from a case's randomness.
type source struct{ r *random }

func (s source) Read(p []byte) (int, error) { return copy(p, s.r.bytes(len(p))), nil }

// A signer is a key in boatd's own store.
type signer struct {
	store   *soft.Store
	key     *keystore.Key
	secret  string // 0x and hex
	address string
}

// draw imports a random key, sometimes a very small or a very large one.
func draw(t *testing.T, r *random) *signer {
	t.Helper()
	store := soft.New(seal{}, source{r})
	for {
		raw := r.bytes(32)
		key, err := store.Import(t.Context(), keystore.Spec{Name: "k", Curve: keystore.Secp256k1, Usage: "mt"}, raw)
		if errors.Is(err, keystore.ErrSecret) {
			continue // zero, or beyond the order
		}
		if err != nil {
			t.Fatal(err)
		}
		address, err := codec.Address(keystore.Secp256k1, key.Public)
		if err != nil {
			t.Fatal(err)
		}
		return &signer{store: store, key: key, secret: showHex(raw), address: address}
	}
}

// raw signs with v 0 or 1, as networks take it.
func (k *signer) raw(t *testing.T, digest []byte) []byte {
	t.Helper()
	sig, err := k.store.Sign(t.Context(), k.key, digest)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// sign signs with v 27 or 28, as hosts get it.
func (k *signer) sign(t *testing.T, digest []byte) []byte {
	t.Helper()
	sig, err := typed.EncodeSignature(k.raw(t, digest))
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// TestE2EOracleAddresses: checksums, and addresses of keys.
func TestE2EOracleAddresses(t *testing.T) {
	cases(t, 6, 500, func(t *testing.T, r *random) {
		k := draw(t, r)
		lower := r.hex(20)
		var a struct{ Address, Public, Of string }
		ask(t, question{"ask": "address", "address": lower, "key": k.secret}, &a)
		if got, err := codec.ParseAddress(lower); err != nil || got != a.Address {
			t.Errorf("%s is %s, not %s: %v", lower, got, a.Address, err)
		}
		if got, err := codec.ParseAddress(a.Address); err != nil || got != a.Address {
			t.Errorf("%s is %s: %v", a.Address, got, err)
		}
		if showHex(k.key.Public) != a.Public || k.address != a.Of {
			t.Errorf("the key %s\n has %x %s\n not %s %s", k.secret, k.key.Public, k.address, a.Public, a.Of)
		}
	})
}

// TestE2EOracleMnemonics: keys that come from words (BIP-39, BIP-32).
func TestE2EOracleMnemonics(t *testing.T) {
	cases(t, 7, 100, func(t *testing.T, r *random) {
		path := "m"
		for range r.IntN(6) {
			path += fmt.Sprintf("/%d", []uint32{0, 1, 60, 1<<31 - 1, r.Uint32() >> 1}[r.IntN(5)])
			if r.chance(2) {
				path += "'"
			}
		}
		if r.chance(3) {
			path = keyfile.DefaultPath
		}
		passphrase := ascii(r, 20)
		var a struct{ Phrase, Key string }
		ask(t, question{"ask": "mnemonic", "entropy": r.hex(16 + 4*r.IntN(5)), "passphrase": passphrase, "path": path}, &a)
		got, err := keyfile.ParseMnemonic([]byte(a.Phrase), []byte(passphrase), path)
		if err != nil || showHex(got) != a.Key {
			t.Errorf("%q with %q at %s:\n have %x, %v\n want %s", a.Phrase, passphrase, path, got, err, a.Key)
		}
	})
}

// TestE2EOracleKeyFiles: Web3 files, in both directions.
func TestE2EOracleKeyFiles(t *testing.T) {
	cases(t, 8, 5, func(t *testing.T, r *random) {
		k := draw(t, r)
		passphrase := "p" + ascii(r, 20)
		file, err := keyfile.EncodeWeb3(bytesOf(t, k.secret), []byte(passphrase), source{r})
		if err != nil {
			t.Fatal(err)
		}
		var a struct{ File, Key, Address string }
		scrypt := map[string]int{"N": 1 << (1 + r.IntN(12)), "r": 1 + r.IntN(8), "p": 1 + r.IntN(4)}
		ask(t, question{"ask": "web3", "key": k.secret, "passphrase": passphrase, "scrypt": scrypt, "file": string(file)}, &a)
		if a.Key != k.secret || a.Address != k.address {
			t.Errorf("boatd's file: %s %s, not %s %s:\n%s", a.Key, a.Address, k.secret, k.address, file)
		}
		got, err := keyfile.ParseWeb3([]byte(a.File), []byte(passphrase))
		if err != nil || showHex(got) != k.secret {
			t.Errorf("the oracle's file: %x, %v, not %s:\n%s", got, err, k.secret, a.File)
		}
		if _, err := keyfile.ParseWeb3([]byte(a.File), []byte(passphrase+"x")); !errors.Is(err, keyfile.ErrPassphrase) {
			t.Errorf("another passphrase: %v", err)
		}
	})
}

// ascii is text that needs no normal form.
func ascii(r *random, n int) string {
	var b strings.Builder
	for range r.IntN(n + 1) {
		b.WriteByte(byte(' ' + r.IntN(95)))
	}
	return b.String()
}
