package keyfile

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/boatd/boatd/internal/secret"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/internal/k1"
)

// DefaultPath is the first Ethereum account (BIP-44; SLIP-44 has 60 for Ether).
const DefaultPath = "m/44'/60'/0'/0/0"

const (
	maxLevels = 10
	hardened  = 1 << 31
)

// parsePath reads a BIP-32 path.
func parsePath(path string) ([]uint32, error) {
	if path == "" {
		path = DefaultPath
	}
	parts := strings.SplitN(path, "/", maxLevels+2)
	if parts[0] != "m" || len(parts) > maxLevels+1 {
		return nil, fmt.Errorf("%w: the path %.80q is not m and at most %d levels", ErrFormat, path, maxLevels)
	}
	levels := make([]uint32, len(parts)-1)
	for i, p := range parts[1:] {
		level, err := parseLevel(p)
		if err != nil {
			return nil, fmt.Errorf("%w: level %d of the path %.80q", err, i+1, path)
		}
		levels[i] = level
	}
	return levels, nil
}

func parseLevel(text string) (uint32, error) {
	number := strings.TrimRight(text, "'hH")
	if len(text)-len(number) > 1 {
		return 0, ErrFormat
	}
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil || number != strconv.FormatUint(n, 10) {
		return 0, ErrFormat
	}
	if number != text {
		n |= hardened
	}
	return uint32(n), nil
}

// A node is an extended private key: the key and its chain code.
type node [2 * secretSize]byte

func (n *node) key() []byte   { return n[:secretSize] }
func (n *node) chain() []byte { return n[secretSize:] }

// derive returns the private key at the path of levels below the seed's master.
func derive(seed []byte, levels []uint32) ([]byte, error) {
	var n node
	defer secret.Wipe(n[:])
	if err := n.walk(seed, levels); err != nil {
		return nil, err
	}
	return append([]byte(nil), n.key()...), nil
}

func (n *node) walk(seed []byte, levels []uint32) error {
	hmac512(n, []byte("Bitcoin seed"), seed)
	var k scalar
	k.load(n.key())
	good := k.valid()
	k = scalar{}
	if !good {
		return fmt.Errorf("the master: %w", keystore.ErrSecret)
	}
	for _, l := range levels {
		if err := n.child(l); err != nil {
			return err
		}
	}
	return nil
}

// child replaces n by its child (BIP-32, CKDpriv). Once in 2^127 there is none.
func (n *node) child(index uint32) error {
	var data [1 + secretSize + 4]byte
	defer secret.Wipe(data[:])
	if index >= hardened {
		copy(data[1:], n.key())
	} else {
		point, err := k1.Public(n.key())
		if err != nil {
			return err
		}
		copy(data[:], compress(point))
	}
	binary.BigEndian.PutUint32(data[1+secretSize:], index)

	var parent, tweak scalar
	parent.load(n.key())
	hmac512(n, n.chain(), data[:])
	tweak.load(n.key())
	good := tweak.valid()
	parent.add(&tweak)
	good = good && parent.valid()
	parent.store(n.key())
	parent, tweak = scalar{}, scalar{}
	if !good {
		return fmt.Errorf("the child %d: %w", index, keystore.ErrSecret)
	}
	return nil
}

// hmac512 sets n to the HMAC-SHA-512 of data, whose key may lie in n.
func hmac512(n *node, key, data []byte) {
	h := hmac.New(sha512.New, key)
	_, _ = h.Write(data) // never fails (hash.Hash)
	h.Sum(n[:0])
}
