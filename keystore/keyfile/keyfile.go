// Package keyfile reads and writes private keys in the formats in which they
// travel: PEM (SEC 1 and PKCS#8), Web3 Secret Storage version 3, and BIP-39
// mnemonics with a BIP-32 path. It computes on bytes and does nothing else: no
// files, no clock, randomness as an argument.
//
// # Hostile files
//
// What is read comes from outside. Its size is bounded ([MaxFile]), and what it
// asks for (memory and work of a key derivation that its author chose) is
// judged before any of it is done: see [Cost].
//
// # What is wiped
//
// Secrets are returned as bytes that the caller wipes, as it wipes what it
// passes in. What this package allocates for decoded keys, derived keys and
// seeds is overwritten before it returns. Out of its reach, until the collector
// has reused the place, are copies within libraries: the passphrase as a string
// and the state of HMAC in crypto/pbkdf2, scrypt's table (as good as the
// passphrase's derived key), AES key schedules, what crypto/ecdh or the curve
// library keeps of a private key, buffers of encoding/pem; and stacks that
// grew. A caller that reads a Web3 file on a
// small device does well to call debug.FreeOSMemory after it, which gives
// scrypt's table back.
package keyfile

import (
	"bytes"
	"fmt"
	"io"

	"github.com/boatd/boatd/internal/secret"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/internal/k1"
)

// MaxFile is the longest file that is read, in bytes: twenty times what
// programs write.
const MaxFile = 16 << 10

// secretSize is the length of a private key on both curves.
const secretSize = 32

// shortest is the length below which a number is not taken for a key whose
// writer dropped leading zeros: that would be one in 2^32 keys.
const shortest = 28

func checkSize(file []byte) error {
	if len(file) > MaxFile {
		return fmt.Errorf("%w: %d bytes, at most %d are read", ErrFormat, len(file), MaxFile)
	}
	return nil
}

// pad returns d in a new buffer of secretSize bytes. Old programs write keys
// without leading zeros.
func pad(d []byte) ([]byte, error) {
	if len(d) < shortest || len(d) > secretSize {
		return nil, fmt.Errorf("%w: a private key of %d bytes", ErrFormat, len(d))
	}
	out := make([]byte, secretSize)
	copy(out[secretSize-len(d):], d)
	return out, nil
}

// checkKey checks that d is a private key of the curve, and that public, which
// may be empty, is its SEC 1 point, compressed or not.
func checkKey(curve string, d, public []byte) error {
	point, err := publicPoint(curve, d)
	if err != nil {
		return err
	}
	if len(public) == 0 || bytes.Equal(public, point) || bytes.Equal(public, compress(point)) {
		return nil
	}
	return ErrMismatch
}

// compress returns the compressed form of an uncompressed point (SEC 1, 2.3.3).
func compress(point []byte) []byte {
	return append([]byte{2 | point[64]&1}, point[1:33]...)
}

// publicPoint returns the uncompressed SEC 1 point, 65 bytes, of the private
// key d; ErrSecret for a number that is none.
func publicPoint(curve string, d []byte) ([]byte, error) {
	switch curve {
	case keystore.Secp256k1:
		return k1.Public(d)
	case keystore.Secp256r1:
		return pointR1(d)
	}
	return nil, fmt.Errorf("%w: the curve %q", ErrUnsupported, curve)
}

// checkExport checks what is about to be written: a key that could not be read
// again, or without a passphrase, is not.
func checkExport(curve string, d, passphrase []byte) (point []byte, err error) {
	if len(passphrase) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrPassphrase)
	}
	return publicPoint(curve, d)
}

// draw returns the next n bytes of rand.
func draw(rand io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fmt.Errorf("reading %d random bytes: %w", n, err)
	}
	return b, nil
}

// keep returns d if err is nil; else it wipes d.
func keep(d []byte, err error) ([]byte, error) {
	if err != nil {
		secret.Wipe(d)
		return nil, err
	}
	return d, nil
}
