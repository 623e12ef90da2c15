package soft

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/boatd/boatd/keystore"
)

// TestGenerator: the private key 1 is the generator (SEC 2, 2.4.1), its
// negative the same x with the other parity.
func TestGenerator(t *testing.T) {
	const x = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	for secret, want := range map[string]string{
		"0000000000000000000000000000000000000000000000000000000000000001": "02" + x,
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140": "03" + x,
	} {
		if got, err := publicK1(unhex(t, secret)); err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%s: %x, %v, want %s", secret, got, err, want)
		}
	}
}

// TestNoSuchPrivateKey: numbers out of range are neither reduced nor used.
func TestNoSuchPrivateKey(t *testing.T) {
	good := bytes.Repeat([]byte{1}, 32)
	order := unhex(t, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	for _, secret := range [][]byte{nil, good[:31], append(good, 0), make([]byte, 32), order, bytes.Repeat([]byte{0xff}, 32)} {
		if pub, err := publicK1(secret); !errors.Is(err, keystore.ErrSecret) {
			t.Errorf("public key of %x: %x, %v", secret, pub, err)
		}
		if sig, err := rawSignK1(secret, make([]byte, 32)); err == nil {
			t.Errorf("signature with %x: %x", secret, sig)
		}
	}
}
