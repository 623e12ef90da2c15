package device

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/boatd/boatd/internal/secret"
	"github.com/boatd/boatd/tee"
)

// device.key, version 1:
//
//	8 bytes   "BOATDEV1"
//	32 bytes  random: the root
//	1 byte    number of device id files
//	for each  2 bytes length of the path, big-endian; the path;
//	          32 bytes fingerprint of the content
//	32 bytes  SHA-256 of all before
//
// The fingerprints tell which file has changed, which the KEK alone could not.
// They are keyed by the root, so that equal ids of two boards look different.
//
// Once Renew has destroyed the key, the first 40 bytes are "BOATGONE" and zeros.
const (
	magicPrefix = "BOATDEV"
	magicV1     = magicPrefix + "1"

	rootSize = 32
	headSize = len(magicV1) + rootSize
	maxIDs   = 32
	maxPath  = 255
	maxFile  = headSize + 1 + maxIDs*(2+maxPath+sha256.Size) + sha256.Size

	kekInfo         = "boatd device seal, version 1"
	fingerprintInfo = "boatd device seal, version 1, fingerprint\x00"
)

// A keyFile is device.key.
type keyFile struct {
	root secret.Bytes
	ids  []boundID
}

// A boundID is a device id file as it was when the key was made.
type boundID struct {
	path        string
	fingerprint [sha256.Size]byte
}

func newKeyFile(rand io.Reader, ids []id) (keyFile, error) {
	if len(ids) > maxIDs {
		return keyFile{}, fmt.Errorf("%w: %d device ids, at most %d", tee.ErrUnavailable, len(ids), maxIDs)
	}
	root, err := secret.Read(rand, rootSize)
	if err != nil {
		return keyFile{}, fmt.Errorf("%w: %w", tee.ErrUnavailable, err)
	}
	f := keyFile{root: root}
	for _, d := range ids {
		if len(d.path) > maxPath {
			return keyFile{}, fmt.Errorf("%w: the path %q is longer than %d bytes", tee.ErrUnavailable, d.path, maxPath)
		}
		f.ids = append(f.ids, boundID{d.path, f.fingerprint(d)})
	}
	return f, nil
}

// kek is the key-encryption key for these contents.
func (f keyFile) kek(ids []id) (kek []byte, err error) {
	var salt []byte
	for _, d := range ids {
		salt = appendField(salt, d.content)
	}
	err = f.root.Use(func(root []byte) error {
		kek, err = hkdf.Key(sha256.New, root, salt, kekInfo, tee.KeySize)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", tee.ErrUnavailable, err)
	}
	return kek, nil
}

// fingerprint is HMAC-SHA-256, keyed by the root, of the path and the content.
func (f keyFile) fingerprint(d id) (sum [sha256.Size]byte) {
	_ = f.root.Use(func(root []byte) error {
		mac := hmac.New(sha256.New, root)
		mac.Write(appendField(appendField([]byte(fingerprintInfo), []byte(d.path)), d.content))
		mac.Sum(sum[:0])
		return nil
	})
	return sum
}

// appendField appends b with its length before it.
func appendField(to, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(to, uint32(len(b))), b...)
}

// bound says whether there was content in any of the files.
func (f keyFile) bound() bool {
	for _, d := range f.ids {
		if d.fingerprint != f.fingerprint(id{path: d.path}) {
			return true
		}
	}
	return false
}

func (f keyFile) encode() []byte {
	b := make([]byte, 0, maxFile) // no copies of the root are left behind by growing
	b = append(b, magicV1...)
	_ = f.root.Use(func(root []byte) error {
		b = append(b, root...)
		return nil
	})
	b = append(b, byte(len(f.ids)))
	for _, d := range f.ids {
		b = binary.BigEndian.AppendUint16(b, uint16(len(d.path)))
		b = append(b, d.path...)
		b = append(b, d.fingerprint[:]...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// destroyed is what Renew writes over the head of the file. Damage does not look
// like that by chance.
var destroyed = append([]byte("BOATGONE"), make([]byte, rootSize)...)

// parse reads what encode wrote. errAbsent for a destroyed key, ErrDamaged for
// what is not whole, ErrUnavailable for a version that only newer ones know.
func parse(b []byte) (keyFile, error) {
	damaged := func(why string) (keyFile, error) {
		return keyFile{}, fmt.Errorf("%w: %s: %s", tee.ErrDamaged, liveName, why)
	}
	if bytes.HasPrefix(b, destroyed) {
		return keyFile{}, errAbsent
	}
	if len(b) > maxFile || len(b) < headSize+1+sha256.Size {
		return damaged(fmt.Sprintf("%d bytes", len(b)))
	}
	body, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return damaged("its checksum is wrong")
	}
	if magic := string(b[:len(magicV1)]); magic != magicV1 {
		if strings.HasPrefix(magic, magicPrefix) {
			return keyFile{}, fmt.Errorf("%w: %s is of a version, %q, that this build does not know", tee.ErrUnavailable, liveName, magic)
		}
		return damaged(fmt.Sprintf("it begins with %q", magic))
	}
	ids, ok := parseIDs(body[headSize:])
	if !ok {
		return damaged("its list of device ids is wrong")
	}
	return keyFile{root: secret.New(bytes.Clone(b[len(magicV1):headSize])), ids: ids}, nil
}

// parseIDs reads the list of ids, which must end where b does.
func parseIDs(b []byte) ([]boundID, bool) {
	var ids []boundID
	n, b := int(b[0]), b[1:]
	for range n {
		if len(b) < 2 {
			return nil, false
		}
		size := int(binary.BigEndian.Uint16(b))
		b = b[2:]
		if len(b) < size+sha256.Size {
			return nil, false
		}
		d := boundID{path: string(b[:size])}
		copy(d.fingerprint[:], b[size:])
		ids, b = append(ids, d), b[size+sha256.Size:]
	}
	return ids, len(b) == 0
}
