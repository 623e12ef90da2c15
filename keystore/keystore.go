// Package keystore is the room of private keys: one store is one value behind
// [Store], one backend is one folder below this one.
//
// A store keeps nothing in files of its own. It hands out a blob for each key
// (a sealed private key, or a reference into hardware), and the wallet keeps
// the blob in its journal. What must not be changed beside the key (its name,
// curve, usage and public key) is authenticated inside the blob.
//
// Abilities that not every store has are one-method interfaces found by type
// assertion: [Importer], [Exporter].
package keystore

import "context"

// The curves. The names are part of the AT interface.
const (
	Secp256k1 = "secp256k1"
	Secp256r1 = "secp256r1"
)

// A Spec is what is fixed about a key when it is made.
type Spec struct {
	Name       string // 1 to 16 bytes, as the host named it
	Curve      string
	Usage      string // sorted letters: d digests, i identity, m messages, t transactions, x exportable
	Exportable bool
}

// A Key is what the wallet keeps of a key and hands back to its store.
type Key struct {
	Spec
	Public []byte // compressed SEC 1 point, 33 bytes
	Blob   []byte // the store's own, at most 4096 bytes
}

// A Store makes and uses keys. Its methods may be called from several
// goroutines at once, change nothing of what they are given, and answer a
// context that has ended with an error that wraps its own. Package storetest
// checks what is said here.
type Store interface {
	// Name is the store's name in the AT interface: "soft", "tpm", "pkcs11", "tee".
	Name() string

	// Curves returns the curves of keys that the store can generate.
	Curves() []string

	// Generate makes a key inside the store; ErrCurve where it has none of that
	// curve. Nothing refers to it until the wallet has journaled the result: one
	// that never is must cost nothing that cannot be reclaimed.
	Generate(context.Context, Spec) (*Key, error)

	// Open proves that a key can be used: it opens the blob, checks it against
	// every field of k and returns the public key found inside. ErrBlob if any
	// field is not the one that the blob was made with.
	Open(context.Context, *Key) (public []byte, err error)

	// Sign signs a 32-byte digest. The result is r‖s‖v, 65 bytes with v 0 or 1,
	// for secp256k1 and r‖s, 64 bytes, for secp256r1; s is low; the same digest
	// gives the same signature where the store can (RFC 6979). The signature
	// has been verified against k.Public. ErrDigest for another length.
	Sign(ctx context.Context, k *Key, digest []byte) ([]byte, error)

	// Destroy ends a key after the wallet has journaled its deletion. Doing it
	// again is not an error.
	Destroy(context.Context, *Key) error
}

// An Importer takes private keys from outside.
type Importer interface {
	// Import makes a key of a secret, big-endian, of the curve's length;
	// ErrSecret for anything else. The store wipes nothing of the caller's.
	Import(ctx context.Context, spec Spec, secret []byte) (*Key, error)
}

// An Exporter gives private keys away.
type Exporter interface {
	// Export returns the secret of an exportable key, ErrCannot for another; the
	// caller wipes it.
	Export(context.Context, *Key) ([]byte, error)
}
