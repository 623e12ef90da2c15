// Package soft is the store that works without secure hardware: private keys in
// blobs that the seal provider's key-encryption key opens. How much that
// protects is what the provider's label says; while a key is in use it is in
// boatd's memory.
//
// Nothing is cached. A key is opened for each signature and wiped after it,
// which costs a few hundredths of the signature, and leaves no key in memory
// between two of them but for what Go's libraries copy (said where it happens).
//
// secp256k1 comes in two flavours with the same results. With cgo it is
// libsecp256k1, whose signing and key derivation take the same time for every
// key; without cgo it is decred's secp256k1 in Go, whose multiplications with
// secret numbers do not. Prefer cgo where somebody could measure the module.
// secp256r1 is Go's own in both.
package soft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/boatd/boatd/internal/secret"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/tee"
)

// secretSize is the length of a private key on both curves.
const secretSize = 32

// tries bounds the draws for one key. A number from 32 random bytes is out of
// range once in 2^32 (secp256r1) or less: a source that fails so often in a row
// is broken.
const tries = 8

// Flavour names the code that computes on secp256k1 in this build:
// "libsecp256k1" (with cgo) or "decred".
func Flavour() string { return flavour }

// Warm begins to build, in the background, the table that the first signature
// would wait for.
func Warm() { go warmK1() }

// A Store keeps software keys. It is safe for concurrent use.
type Store struct {
	sealer tee.Sealer

	mu   sync.Mutex // guards rand: not every reader bears two callers
	rand io.Reader
}

var (
	_ keystore.Store    = (*Store)(nil)
	_ keystore.Importer = (*Store)(nil)
	_ keystore.Exporter = (*Store)(nil)
)

// New returns a store that seals with sealer and draws keys and nonces from
// rand, which must be a cryptographic source.
func New(sealer tee.Sealer, rand io.Reader) *Store {
	return &Store{sealer: sealer, rand: rand}
}

// Name is "soft".
func (s *Store) Name() string { return "soft" }

// Curves are secp256k1 and secp256r1.
func (s *Store) Curves() []string { return []string{keystore.Secp256k1, keystore.Secp256r1} }

// Generate draws a key, numbers out of range again, and seals it.
func (s *Store) Generate(ctx context.Context, spec keystore.Spec) (*keystore.Key, error) {
	c, err := curveOf(spec.Curve)
	if err != nil {
		return nil, err
	}
	for range tries {
		b, err := s.random(secretSize)
		if err != nil {
			return nil, fmt.Errorf("generating the key %q: %w", spec.Name, err)
		}
		d := secret.New(b)
		k, err := s.keep(ctx, spec, c, d)
		d.Wipe()
		if err == nil || !errors.Is(err, keystore.ErrSecret) {
			return k, err
		}
	}
	return nil, fmt.Errorf("generating the key %q: %w: the random source gives numbers out of range only",
		spec.Name, keystore.ErrUnavailable)
}

// Import seals a key from outside: 32 bytes, big-endian.
func (s *Store) Import(ctx context.Context, spec keystore.Spec, d []byte) (*keystore.Key, error) {
	c, err := curveOf(spec.Curve)
	if err != nil {
		return nil, err
	}
	own := secret.New(bytes.Clone(d))
	defer own.Wipe()
	return s.keep(ctx, spec, c, own)
}

// keep seals the private key d.
func (s *Store) keep(ctx context.Context, spec keystore.Spec, c curve, d secret.Bytes) (*keystore.Key, error) {
	k := &keystore.Key{Spec: spec}
	if err := d.Use(func(b []byte) (err error) {
		k.Public, err = c.public(b)
		return err
	}); err != nil {
		return nil, fmt.Errorf("the key %q: %w", spec.Name, err)
	}
	if err := s.seal(ctx, k, d); err != nil {
		return nil, err
	}
	return k, nil
}

// Open opens the blob and derives the public key anew.
func (s *Store) Open(ctx context.Context, k *keystore.Key) (public []byte, err error) {
	c, err := curveOf(k.Curve)
	if err != nil {
		return nil, err
	}
	d, err := s.open(ctx, k)
	if err != nil {
		return nil, err
	}
	defer d.Wipe()
	if err := d.Use(func(b []byte) (err error) {
		public, err = c.public(b)
		return err
	}); err != nil || !bytes.Equal(public, k.Public) {
		return nil, fmt.Errorf("the key %q: %w: another key is inside", k.Name, keystore.ErrBlob)
	}
	return public, nil
}

// Sign signs deterministically, as RFC 6979 says with HMAC-SHA-256.
func (s *Store) Sign(ctx context.Context, k *keystore.Key, digest []byte) (sig []byte, err error) {
	c, err := curveOf(k.Curve)
	if err != nil {
		return nil, err
	}
	if len(digest) != 32 {
		return nil, fmt.Errorf("signing with the key %q: %w, not %d", k.Name, keystore.ErrDigest, len(digest))
	}
	d, err := s.open(ctx, k)
	if err != nil {
		return nil, err
	}
	defer d.Wipe()
	if err := d.Use(func(b []byte) (err error) {
		sig, err = c.sign(b, k.Public, digest)
		return err
	}); err != nil {
		return nil, fmt.Errorf("signing with the key %q: %w", k.Name, err)
	}
	return sig, nil
}

// Export opens the blob of an exportable key.
func (s *Store) Export(ctx context.Context, k *keystore.Key) (out []byte, err error) {
	if !k.Exportable {
		return nil, fmt.Errorf("exporting the key %q: %w: it was not made exportable", k.Name, keystore.ErrCannot)
	}
	d, err := s.open(ctx, k)
	if err != nil {
		return nil, err
	}
	defer d.Wipe()
	err = d.Use(func(b []byte) error {
		out = bytes.Clone(b)
		return nil
	})
	return out, err
}

// Destroy has nothing to do: the blob is all there is of a key, and it is the
// caller's.
func (s *Store) Destroy(ctx context.Context, _ *keystore.Key) error { return ctx.Err() }

// random draws n bytes. A source that fails or ends is an error.
func (s *Store) random(n int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, n)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return nil, fmt.Errorf("%w: reading %d random bytes: %w", keystore.ErrUnavailable, n, err)
	}
	return b, nil
}

// curveOf finds what is particular to a curve.
func curveOf(name string) (curve, error) {
	i := slices.IndexFunc(curves, func(c curve) bool { return c.name == name })
	if i < 0 {
		return curve{}, fmt.Errorf("curve %q: %w", name, keystore.ErrCurve)
	}
	return curves[i], nil
}
