package soft

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/boatd/boatd/internal/secret"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/tee"
)

// A blob, version 1:
//
//	1 byte    the version
//	24 bytes  nonce, random
//	48 bytes  XChaCha20-Poly1305 of the 32-byte private key
//
// The key of the cipher is HKDF-SHA-256(KEK, no salt, kekInfo), so that nothing
// else that is sealed under the KEK can be mixed up with a blob. The associated
// data is everything that the wallet keeps beside it.
const (
	blobVersion = 1
	nonceEnd    = 1 + chacha20poly1305.NonceSizeX
	blobSize    = nonceEnd + secretSize + chacha20poly1305.Overhead

	kekInfo = "boatd soft store, version 1"
)

// seal makes the blob of k, whose other fields are set, from the private key d.
func (s *Store) seal(ctx context.Context, k *keystore.Key, d secret.Bytes) error {
	aead, err := s.aead(ctx)
	if err != nil {
		return fmt.Errorf("sealing the key %q: %w", k.Name, err)
	}
	nonce, err := s.random(chacha20poly1305.NonceSizeX)
	if err != nil {
		return fmt.Errorf("sealing the key %q: %w", k.Name, err)
	}
	blob := make([]byte, 0, blobSize)
	blob = append(append(blob, blobVersion), nonce...)
	return d.Use(func(plain []byte) error {
		k.Blob = aead.Seal(blob, nonce, plain, associated(k))
		return nil
	})
}

// open returns the private key inside k.Blob; ErrBlob if the blob was not made
// for exactly these fields by this device.
func (s *Store) open(ctx context.Context, k *keystore.Key) (secret.Bytes, error) {
	if len(k.Blob) != blobSize || k.Blob[0] != blobVersion {
		return secret.Bytes{}, fmt.Errorf("the key %q: %w: not a blob of version %d", k.Name, keystore.ErrBlob, blobVersion)
	}
	aead, err := s.aead(ctx)
	if err != nil {
		return secret.Bytes{}, fmt.Errorf("opening the key %q: %w", k.Name, err)
	}
	plain, err := aead.Open(nil, k.Blob[1:nonceEnd], k.Blob[nonceEnd:], associated(k))
	if err != nil {
		return secret.Bytes{}, fmt.Errorf("the key %q: %w: %w", k.Name, keystore.ErrBlob, err)
	}
	return secret.New(plain), nil
}

// aead returns the cipher of this device's blobs. Its copy of the key stays in
// memory until the collector has reused the place.
func (s *Store) aead(ctx context.Context) (cipher.AEAD, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	kek, err := s.sealer.KEK(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	defer secret.Wipe(kek)
	if len(kek) != tee.KeySize {
		return nil, fmt.Errorf("%w: the seal provider's key has %d bytes", keystore.ErrUnavailable, len(kek))
	}
	key, err := hkdf.Key(sha256.New, kek, nil, kekInfo, chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	defer secret.Wipe(key)
	return chacha20poly1305.NewX(key)
}

// associated writes everything that must not be changed beside a blob, each
// field with its length before it.
func associated(k *keystore.Key) []byte {
	exportable := []byte{0}
	if k.Exportable {
		exportable[0] = 1
	}
	out := []byte{blobVersion}
	for _, field := range [][]byte{[]byte(k.Name), []byte(k.Curve), []byte(k.Usage), exportable, k.Public} {
		out = binary.AppendUvarint(out, uint64(len(field)))
		out = append(out, field...)
	}
	return out
}
