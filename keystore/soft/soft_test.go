package soft

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/storetest"
	"github.com/boatd/boatd/tee"
	"github.com/boatd/boatd/tee/device"
)

// A sealer is a tee.Sealer with a key in memory.
type sealer struct {
	key   []byte
	err   error
	given [][]byte // what KEK has handed out
}

func newSealer() *sealer { return &sealer{key: bytes.Repeat([]byte{7}, tee.KeySize)} }

func (s *sealer) Label() string               { return "device" }
func (s *sealer) Renew(context.Context) error { return errors.New("not asked for") }

func (s *sealer) KEK(context.Context) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.given = append(s.given, bytes.Clone(s.key))
	return s.given[len(s.given)-1], nil
}

// A lockedSealer gives its key to several callers at once.
type lockedSealer []byte

func (l lockedSealer) Label() string                       { return "device" }
func (l lockedSealer) Renew(context.Context) error         { return nil }
func (l lockedSealer) KEK(context.Context) ([]byte, error) { return bytes.Clone(l), nil }

// TestConformance is over the device seal, as on a module without secure
// hardware; a restart opens all of it anew.
func TestConformance(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Harness {
		state := crashfs.New()
		open := func() keystore.Store {
			return New(device.New(device.Options{FS: state, Rand: rand.Reader}), rand.Reader)
		}
		return storetest.Harness{Store: open(), Reopen: open, Deterministic: true}
	})
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func spec(curve string) keystore.Spec {
	return keystore.Spec{Name: "k0", Curve: curve, Usage: "t"}
}

func generate(t testing.TB, s *Store, curve string) *keystore.Key {
	t.Helper()
	k, err := s.Generate(context.Background(), spec(curve))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestNoSealNoKey(t *testing.T) {
	sl := newSealer()
	s := New(sl, rand.Reader)
	k := generate(t, s, keystore.Secp256k1)
	for _, cause := range []error{tee.ErrBinding, tee.ErrUnavailable, tee.ErrDamaged} {
		sl.err = cause
		_, errGenerate := s.Generate(t.Context(), spec(keystore.Secp256k1))
		_, errSign := s.Sign(t.Context(), k, make([]byte, 32))
		_, errOpen := s.Open(t.Context(), k)
		for _, err := range []error{errGenerate, errSign, errOpen} {
			if !errors.Is(err, keystore.ErrUnavailable) || !errors.Is(err, cause) {
				t.Errorf("%v, want ErrUnavailable because of %v", err, cause)
			}
		}
	}
	sl.err, sl.key = nil, sl.key[:31]
	if _, err := s.Open(t.Context(), k); !errors.Is(err, keystore.ErrUnavailable) {
		t.Errorf("Open with a short KEK: %v", err)
	}
}

func TestOtherDevice(t *testing.T) {
	k := generate(t, New(newSealer(), rand.Reader), keystore.Secp256r1)
	other := &sealer{key: bytes.Repeat([]byte{8}, tee.KeySize)}
	if _, err := New(other, rand.Reader).Open(t.Context(), k); !errors.Is(err, keystore.ErrBlob) {
		t.Errorf("Open on another device: %v, want ErrBlob", err)
	}
}

func TestKEKIsWiped(t *testing.T) {
	sl := newSealer()
	s := New(sl, rand.Reader)
	k := generate(t, s, keystore.Secp256k1)
	if _, err := s.Sign(t.Context(), k, make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	if len(sl.given) != 2 {
		t.Fatalf("the KEK was asked for %d times, want 2", len(sl.given))
	}
	for _, kek := range sl.given {
		if !bytes.Equal(kek, make([]byte, tee.KeySize)) {
			t.Errorf("a copy of the KEK was left: %x", kek)
		}
	}
}

func TestNothingSecretInErrors(t *testing.T) {
	s := New(newSealer(), rand.Reader)
	bad := bytes.Repeat([]byte{0xff}, 32)
	for _, curve := range s.Curves() {
		_, err := s.Import(t.Context(), spec(curve), bad)
		if err == nil || strings.Contains(err.Error(), "ffff") || strings.Contains(err.Error(), string(bad)) {
			t.Errorf("Import: %v", err)
		}
	}
}

// TestBrokenRandom: no key comes from a source that fails, ends, or gives only
// numbers that are no private keys.
func TestBrokenRandom(t *testing.T) {
	boom := errors.New("boom")
	endless := func(b byte) io.Reader { return bytes.NewReader(bytes.Repeat([]byte{b}, 4096)) }
	for _, c := range []struct {
		name  string
		rand  func() io.Reader
		cause error
	}{
		{"fails", func() io.Reader { return iotest.ErrReader(boom) }, boom},
		{"empty", func() io.Reader { return strings.NewReader("") }, io.EOF},
		{"short", func() io.Reader { return io.LimitReader(rand.Reader, 31) }, io.ErrUnexpectedEOF},
		{"ends after the key", func() io.Reader { return io.LimitReader(constant{}, 32) }, io.EOF},
		{"ends within the nonce", func() io.Reader { return io.LimitReader(constant{}, 55) }, io.ErrUnexpectedEOF},
		{"fails within the nonce", func() io.Reader {
			return io.MultiReader(io.LimitReader(constant{}, 40), iotest.ErrReader(boom))
		}, boom},
		{"zeros", func() io.Reader { return endless(0) }, keystore.ErrUnavailable},
		{"ones", func() io.Reader { return endless(0xff) }, keystore.ErrUnavailable},
	} {
		for _, curve := range []string{keystore.Secp256k1, keystore.Secp256r1} {
			k, err := New(newSealer(), c.rand()).Generate(t.Context(), spec(curve))
			if k != nil || !errors.Is(err, keystore.ErrUnavailable) || !errors.Is(err, c.cause) {
				t.Errorf("%s, %s: %v, %v, want ErrUnavailable and %v", c.name, curve, k, err, c.cause)
			}
		}
	}
}

// constant is a source of valid keys, all the same.
type constant struct{}

func (constant) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0x42
	}
	return len(p), nil
}

// TestRejection: numbers out of range are drawn again, not reduced, and a
// reader may give its bytes one by one.
func TestRejection(t *testing.T) {
	want := unhex(t, "00000000000000000000000000000000000000000000000000000000000001f4")
	orders := map[string]string{
		keystore.Secp256k1: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
		keystore.Secp256r1: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	}
	for curve, order := range orders {
		stream := bytes.Join([][]byte{make([]byte, 32), unhex(t, order), bytes.Repeat([]byte{0xff}, 32), want, make([]byte, 24)}, nil)
		s := New(newSealer(), iotest.OneByteReader(bytes.NewReader(stream)))
		sp := spec(curve)
		sp.Exportable = true
		k, err := s.Generate(t.Context(), sp)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Export(t.Context(), k); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v, want %x", curve, got, err, want)
		}
	}
}

// TestBlobIsStable: blobs live in journals for years. One of each curve, made
// once and kept, must open for ever.
func TestBlobIsStable(t *testing.T) {
	for _, c := range []struct {
		spec         keystore.Spec
		public, blob string
	}{
		{
			keystore.Spec{Name: "dev-1", Curve: keystore.Secp256k1, Usage: "mt"},
			"02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
			"01242424242424242424242424242424242424242424242424d6c01dc77ccbf6ccd0a08746e2828a236a3d900c1bb1959cb94312e8781ccebe992b35e0da7dc86906c51b668ba09eaf",
		},
		{
			keystore.Spec{Name: "id", Curve: keystore.Secp256r1, Usage: "ix", Exportable: true},
			"037cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978",
			"01242424242424242424242424242424242424242424242424d6c01dc77ccbf6ccd0a08746e2828a236a3d900c1bb1959cb94312e8781ccebe6674cc6b13f02491e055dcc58043ac57",
		},
	} {
		// The nonce is the only random thing in an imported key's blob.
		s := New(newSealer(), bytes.NewReader(bytes.Repeat([]byte{0x24}, 24)))
		two := append(make([]byte, 31), 2)
		k, err := s.Import(t.Context(), c.spec, two)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", k.Blob); got != c.blob {
			t.Errorf("a new blob is\n%s, want\n%s", got, c.blob)
		}
		old := &keystore.Key{Spec: c.spec, Public: unhex(t, c.public), Blob: unhex(t, c.blob)}
		if pub, err := s.Open(t.Context(), old); err != nil || !bytes.Equal(pub, old.Public) {
			t.Errorf("an old blob: %x, %v", pub, err)
		}
		if len(old.Blob) != blobSize {
			t.Errorf("the blob has %d bytes, want %d", len(old.Blob), blobSize)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := New(lockedSealer(newSealer().key), rand.Reader)
	for _, curve := range s.Curves() {
		k := generate(f, s, curve)
		f.Add(k.Name, k.Curve, k.Usage, k.Exportable, k.Public, k.Blob)
		f.Add(k.Name, k.Curve, k.Usage, true, k.Public, k.Blob)
		f.Add(k.Name, k.Curve, k.Usage, k.Exportable, k.Public, k.Blob[:40])
	}
	f.Add("", "", "", false, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, name, curve, usage string, exportable bool, public, blob []byte) {
		k := &keystore.Key{Spec: keystore.Spec{Name: name, Curve: curve, Usage: usage, Exportable: exportable}, Public: public, Blob: blob}
		pub, err := s.Open(t.Context(), k)
		if err != nil {
			if !errors.Is(err, keystore.ErrBlob) && !errors.Is(err, keystore.ErrCurve) {
				t.Errorf("Open: %v", err)
			}
			return
		}
		if name != "k0" || usage != "t" || exportable || !bytes.Equal(pub, public) {
			t.Errorf("a forged key opened: %+v", k)
		}
	})
}
