// Package storetest is the conformance suite of keystore.Store: what the doc
// comments of the interface promise, for every backend alike. A backend's own
// test hands over a store and a way to open it again:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Harness {
//			dir := t.TempDir()
//			open := func() keystore.Store { return mystore.New(dir) }
//			return storetest.Harness{Store: open(), Reopen: open}
//		})
//	}
//
// Signatures are judged by other code than package keystore's.
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/boatd/boatd/keystore"
)

// A Harness is one empty store under test.
type Harness struct {
	Store keystore.Store
	// Reopen returns the same store as a restart of boatd would find it.
	Reopen func() keystore.Store
	// Deterministic: the same digest gives the same signature (RFC 6979).
	Deterministic bool
}

// Run runs the suite. open is called for each part of it.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	parts := []struct {
		name string
		run  func(t *testing.T, h Harness, curve string)
	}{
		{"Generate", generate},
		{"KeysDiffer", keysDiffer},
		{"Sign", sign},
		{"Reopen", reopen},
		{"Tampering", tampering},
		{"Blob", blob},
		{"Digest", digests},
		{"Context", contexts},
		{"Concurrent", concurrent},
		{"Destroy", destroy},
		{"Import", imports},
		{"Export", exports},
	}
	t.Run("Names", func(t *testing.T) { names(t, open(t).Store) })
	for _, curve := range open(t).Store.Curves() {
		for _, p := range parts {
			t.Run(curve+"/"+p.name, func(t *testing.T) { p.run(t, open(t), curve) })
		}
	}
}

// spec is a key such as hosts make.
func spec(curve string) keystore.Spec {
	return keystore.Spec{Name: "k0", Curve: curve, Usage: "t"}
}

func newKey(t *testing.T, s keystore.Store, sp keystore.Spec) *keystore.Key {
	t.Helper()
	k, err := s.Generate(t.Context(), sp)
	if err != nil {
		t.Fatalf("Generate: %v", err)
	}
	return k
}

func clone(k *keystore.Key) *keystore.Key {
	return &keystore.Key{Spec: k.Spec, Public: bytes.Clone(k.Public), Blob: bytes.Clone(k.Blob)}
}

func digest(text string) []byte {
	d := sha256.Sum256([]byte(text))
	return d[:]
}

func names(t *testing.T, s keystore.Store) {
	if !slices.Contains([]string{"soft", "tpm", "pkcs11", "tee"}, s.Name()) {
		t.Errorf("the AT interface knows no store %q", s.Name())
	}
	curves := s.Curves()
	if len(curves) == 0 {
		t.Error("a store without curves")
	}
	for _, c := range curves {
		if c != keystore.Secp256k1 && c != keystore.Secp256r1 {
			t.Errorf("curve %q", c)
		}
	}
	for _, c := range []string{"", "SECP256K1", "ed25519"} {
		if _, err := s.Generate(t.Context(), spec(c)); !errors.Is(err, keystore.ErrCurve) {
			t.Errorf("Generate on %q: %v, want ErrCurve", c, err)
		}
	}
}

func generate(t *testing.T, h Harness, curve string) {
	sp := keystore.Spec{Name: "a.Z_0-", Curve: curve, Usage: "mtx", Exportable: true}
	k := newKey(t, h.Store, sp)
	if k.Spec != sp {
		t.Errorf("Spec %+v, want %+v", k.Spec, sp)
	}
	if err := onCurve(curve, k.Public); err != nil {
		t.Errorf("public key %x: %v", k.Public, err)
	}
	if len(k.Blob) == 0 || len(k.Blob) > 4096 {
		t.Errorf("a blob of %d bytes", len(k.Blob))
	}
	want := clone(k)
	pub, err := h.Store.Open(t.Context(), k)
	if err != nil || !bytes.Equal(pub, k.Public) {
		t.Errorf("Open: %x, %v; want %x", pub, err, k.Public)
	}
	clear(pub)
	if k.Spec != want.Spec || !bytes.Equal(k.Public, want.Public) || !bytes.Equal(k.Blob, want.Blob) {
		t.Error("Open changed the key, or returned a part of it")
	}
}

func keysDiffer(t *testing.T, h Harness, curve string) {
	a, b := newKey(t, h.Store, spec(curve)), newKey(t, h.Store, spec(curve))
	if bytes.Equal(a.Public, b.Public) {
		t.Error("two keys are the same")
	}
	if bytes.Equal(a.Blob, b.Blob) {
		t.Error("two blobs are the same")
	}
}

func sign(t *testing.T, h Harness, curve string) {
	k := newKey(t, h.Store, spec(curve))
	zero, ff := make([]byte, 32), bytes.Repeat([]byte{0xff}, 32)
	cases := [][]byte{zero, ff, digest("1"), digest("2"), digest("3"), digest("4"), digest("5"), digest("6")}
	for _, d := range cases {
		in := bytes.Clone(d)
		sig, err := h.Store.Sign(t.Context(), k, in)
		if err != nil {
			t.Fatalf("Sign %x: %v", d, err)
		}
		if !bytes.Equal(in, d) {
			t.Fatal("Sign changed the digest")
		}
		if err := judge(k, d, sig); err != nil {
			t.Errorf("signature of %x: %v", d, err)
		}
		again, err := h.Store.Sign(t.Context(), k, d)
		if err != nil {
			t.Fatal(err)
		}
		if h.Deterministic != bytes.Equal(sig, again) {
			t.Errorf("two signatures of one digest are equal: %v, want %v", !h.Deterministic, h.Deterministic)
		}
	}
}

func reopen(t *testing.T, h Harness, curve string) {
	k := newKey(t, h.Store, spec(curve))
	s := h.Reopen()
	if pub, err := s.Open(t.Context(), k); err != nil || !bytes.Equal(pub, k.Public) {
		t.Errorf("Open after a restart: %x, %v", pub, err)
	}
	sig, err := s.Sign(t.Context(), k, digest("x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := judge(k, digest("x"), sig); err != nil {
		t.Error(err)
	}
}

// refused says that a key does not open, does not sign, and why.
func refused(t *testing.T, s keystore.Store, k *keystore.Key, what string) {
	t.Helper()
	if _, err := s.Open(t.Context(), k); !errors.Is(err, keystore.ErrBlob) && !errors.Is(err, keystore.ErrCurve) {
		t.Errorf("Open with %s: %v, want ErrBlob", what, err)
	}
	if sig, err := s.Sign(t.Context(), k, digest("x")); !errors.Is(err, keystore.ErrBlob) && !errors.Is(err, keystore.ErrCurve) {
		t.Errorf("Sign with %s: %x, %v, want ErrBlob", what, sig, err)
	}
}

func tampering(t *testing.T, h Harness, curve string) {
	k := newKey(t, h.Store, keystore.Spec{Name: "k0", Curve: curve, Usage: "mt"})
	other := newKey(t, h.Store, keystore.Spec{Name: "k1", Curve: curve, Usage: "mt"})
	otherCurve := keystore.Secp256k1
	if curve == keystore.Secp256k1 {
		otherCurve = keystore.Secp256r1
	}
	changes := map[string]func(k *keystore.Key){
		"another name":       func(k *keystore.Key) { k.Name = "k1" },
		"no name":            func(k *keystore.Key) { k.Name = "" },
		"a moved letter":     func(k *keystore.Key) { k.Name, k.Usage = "k0m", "t" },
		"another usage":      func(k *keystore.Key) { k.Usage = "dmt" },
		"less usage":         func(k *keystore.Key) { k.Usage = "t" },
		"exportable":         func(k *keystore.Key) { k.Exportable = true },
		"another curve":      func(k *keystore.Key) { k.Curve = otherCurve },
		"an unknown curve":   func(k *keystore.Key) { k.Curve = "x" },
		"another public key": func(k *keystore.Key) { k.Public = other.Public },
		"the other parity":   func(k *keystore.Key) { k.Public[0] ^= 1 },
		"no public key":      func(k *keystore.Key) { k.Public = nil },
		"another's blob":     func(k *keystore.Key) { k.Blob = other.Blob },
	}
	for what, change := range changes {
		bad := clone(k)
		change(bad)
		refused(t, h.Store, bad, what)
	}
	if _, err := h.Store.Open(t.Context(), k); err != nil {
		t.Errorf("Open of the key itself: %v", err)
	}
}

func blob(t *testing.T, h Harness, curve string) {
	k := newKey(t, h.Store, spec(curve))
	step := max(1, len(k.Blob)/128) // large blobs in 128 places
	for i := 0; i < len(k.Blob); i += step {
		bad := clone(k)
		bad.Blob[i] ^= 1 << (i % 8)
		refused(t, h.Store, bad, "a flipped bit in the blob")
		bad.Blob = k.Blob[:i]
		refused(t, h.Store, bad, "a short blob")
	}
	bad := clone(k)
	bad.Blob = append(bad.Blob, 0)
	refused(t, h.Store, bad, "a long blob")
}

func digests(t *testing.T, h Harness, curve string) {
	k := newKey(t, h.Store, spec(curve))
	for _, n := range []int{0, 1, 20, 31, 33, 64} {
		if sig, err := h.Store.Sign(t.Context(), k, make([]byte, n)); !errors.Is(err, keystore.ErrDigest) {
			t.Errorf("Sign of %d bytes: %x, %v, want ErrDigest", n, sig, err)
		}
	}
}

func contexts(t *testing.T, h Harness, curve string) {
	k := newKey(t, h.Store, spec(curve))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errGenerate := h.Store.Generate(ctx, spec(curve))
	_, errOpen := h.Store.Open(ctx, k)
	_, errSign := h.Store.Sign(ctx, k, digest("x"))
	for i, err := range []error{errGenerate, errOpen, errSign, h.Store.Destroy(ctx, k)} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("method %d with an ended context: %v", i, err)
		}
	}
}

func concurrent(t *testing.T, h Harness, curve string) {
	shared := newKey(t, h.Store, spec(curve))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			own, err := h.Store.Generate(t.Context(), spec(curve))
			if err != nil {
				t.Errorf("Generate: %v", err)
				return
			}
			for _, k := range []*keystore.Key{own, shared} {
				sig, err := h.Store.Sign(t.Context(), k, digest("x"))
				if err != nil {
					t.Errorf("Sign: %v", err)
				} else if err := judge(k, digest("x"), sig); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func destroy(t *testing.T, h Harness, curve string) {
	gone, kept := newKey(t, h.Store, spec(curve)), newKey(t, h.Store, spec(curve))
	for range 2 {
		if err := h.Store.Destroy(t.Context(), gone); err != nil {
			t.Errorf("Destroy: %v", err)
		}
	}
	if err := h.Reopen().Destroy(t.Context(), gone); err != nil {
		t.Errorf("Destroy after a restart: %v", err)
	}
	if _, err := h.Store.Open(t.Context(), kept); err != nil {
		t.Errorf("Destroy took another key with it: %v", err)
	}
}
