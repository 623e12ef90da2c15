package keyfile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/crypto/keccak"
	"golang.org/x/crypto/scrypt"

	"github.com/boatd/boatd/internal/secret"
	"github.com/boatd/boatd/keystore"
)

// Names and sizes of Web3 Secret Storage, version 3.
const (
	web3Version = "3"
	web3Cipher  = "aes-128-ctr"
	web3PRF     = "hmac-sha256"
	derivedSize = 32 // half for the cipher, half for the MAC
	macSize     = 32
)

// exportScrypt is what EncodeWeb3 writes: 16 MiB, about what checking a PIN
// takes, and so much work that it equals N 2^17, r 8, p 1 (OWASP's password
// storage cheat sheet, 2023).
var exportScrypt = scryptParams{n: 1 << 14, r: 8, p: 5}

// A derivation makes the derived key of a passphrase. Its cost is known before.
type derivation interface {
	cost() Cost
	key(passphrase, salt []byte) ([]byte, error)
}

type scryptParams struct{ n, r, p uint64 }

func (s scryptParams) cost() Cost { return scryptCost(s.n, s.r, s.p) }

// key runs scrypt; the cost has been judged, so that the numbers fit an int.
func (s scryptParams) key(passphrase, salt []byte) ([]byte, error) {
	return scrypt.Key(passphrase, salt, int(s.n), int(s.r), int(s.p), derivedSize)
}

type pbkdf2Count uint64

func (c pbkdf2Count) cost() Cost { return pbkdf2Cost(uint64(c)) }

func (c pbkdf2Count) key(passphrase, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, string(passphrase), salt, int(c), derivedSize)
}

// A vault is what a file says, with every length checked.
type vault struct {
	kdf                       derivation
	salt, iv, ciphertext, mac []byte
	address                   []byte // nil if the file names none
}

// ParseWeb3 reads a key file of Web3 Secret Storage version 3: scrypt or
// PBKDF2 (HMAC-SHA-256), AES-128 in CTR mode, a MAC by Keccak-256. Names are
// taken in any case, but once; what it does not know is ignored. An address
// must be that of the key. The passphrase is any bytes.
//
// It returns the private key of secp256k1, 32 bytes, big-endian, which the
// caller wipes. Errors: ErrFormat, ErrUnsupported, ErrCost (before any work is
// done), ErrPassphrase, ErrMismatch, keystore.ErrSecret.
func ParseWeb3(file, passphrase []byte) ([]byte, error) {
	return parseWeb3(file, passphrase, limit)
}

func parseWeb3(file, passphrase []byte, limit Cost) ([]byte, error) {
	v, err := parseVault(file)
	if err == nil {
		err = v.kdf.cost().within(limit)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a Web3 key file: %w", err)
	}
	key, err := v.open(passphrase)
	if err != nil {
		return nil, fmt.Errorf("reading a Web3 key file: %w", err)
	}
	return key, nil
}

func parseVault(file []byte) (vault, error) {
	if err := checkSize(file); err != nil {
		return vault{}, err
	}
	o, err := parseObject(file)
	if err != nil {
		return vault{}, err
	}
	var problem error
	f := fields{o, &problem}
	f.must("version", json.Number(web3Version))
	crypto := f.sub("crypto")
	crypto.must("cipher", web3Cipher)
	params := crypto.sub("kdfparams")
	v := vault{
		kdf:        params.derivation(crypto.text("kdf")),
		salt:       params.bytes("salt", 0, maxSalt),
		iv:         crypto.sub("cipherparams").bytes("iv", aes.BlockSize, aes.BlockSize),
		ciphertext: crypto.bytes("ciphertext", shortest, secretSize),
		mac:        crypto.bytes("mac", macSize, macSize),
		address:    f.address(),
	}
	return v, problem
}

// open returns the private key inside.
func (v vault) open(passphrase []byte) ([]byte, error) {
	derived, err := v.kdf.key(passphrase, v.salt)
	if err != nil {
		return nil, fmt.Errorf("deriving the key: %w", err)
	}
	defer secret.Wipe(derived)
	return v.unlock(derived)
}

// unlock is open after the derivation.
func (v vault) unlock(derived []byte) ([]byte, error) {
	if subtle.ConstantTimeCompare(keccak256(derived[16:], v.ciphertext), v.mac) != 1 {
		return nil, ErrPassphrase
	}
	plain, err := crypt(derived, v.iv, v.ciphertext)
	if err != nil {
		return nil, err
	}
	defer secret.Wipe(plain)
	key, err := pad(plain)
	if err != nil {
		return nil, err
	}
	return keep(key, v.check(key))
}

func (v vault) check(key []byte) error {
	point, err := publicPoint(keystore.Secp256k1, key)
	if err != nil {
		return err
	}
	if v.address != nil && !bytes.Equal(v.address, address(point)) {
		return ErrMismatch
	}
	return nil
}

// crypt encrypts or decrypts, which is the same in CTR mode.
func crypt(derived, iv, data []byte) ([]byte, error) {
	b, err := aes.NewCipher(derived[:16])
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(data))
	cipher.NewCTR(b, iv).XORKeyStream(out, data)
	return out, nil
}

func keccak256(parts ...[]byte) []byte {
	h := keccak.NewLegacyKeccak256()
	for _, p := range parts {
		_, _ = h.Write(p) // never fails (hash.Hash)
	}
	sum := h.Sum(nil)
	h.Reset() // wipes its state
	return sum
}

// address returns the Ethereum address, 20 bytes, of an uncompressed point.
func address(point []byte) []byte { return keccak256(point[1:])[12:] }

// EncodeWeb3 writes a private key of secp256k1, 32 bytes, as Web3 Secret
// Storage version 3: scrypt with N 16384, r 8, p 5, AES-128 in CTR mode,
// lower-case names, with the address. It takes 16 MiB of memory, and of a
// Cortex-A7 some seconds. The passphrase, any bytes, must not be empty. 64
// bytes are taken from rand.
//
// Errors: ErrPassphrase, keystore.ErrSecret, and what rand returns.
func EncodeWeb3(key, passphrase []byte, rand io.Reader) ([]byte, error) {
	return encodeWeb3(key, passphrase, rand, exportScrypt)
}

func encodeWeb3(key, passphrase []byte, rand io.Reader, s scryptParams) ([]byte, error) {
	point, err := checkExport(keystore.Secp256k1, key, passphrase)
	if err != nil {
		return nil, fmt.Errorf("writing a Web3 key file: %w", err)
	}
	random, err := draw(rand, 64)
	if err != nil {
		return nil, fmt.Errorf("writing a Web3 key file: %w", err)
	}
	salt, iv, id := random[:32], random[32:48], random[48:]
	derived, err := s.key(passphrase, salt)
	if err != nil {
		return nil, fmt.Errorf("writing a Web3 key file: %w", err)
	}
	defer secret.Wipe(derived)
	ciphertext, err := crypt(derived, iv, key)
	if err != nil {
		return nil, fmt.Errorf("writing a Web3 key file: %w", err)
	}
	return fmt.Appendf(nil, web3Template, address(point), iv, ciphertext,
		derivedSize, s.n, s.r, s.p, salt, keccak256(derived[16:], ciphertext), uuid(id)), nil
}

const web3Template = `{"address":"%x","crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"%x"},"ciphertext":"%x",` +
	`"kdf":"scrypt","kdfparams":{"dklen":%d,"n":%d,"r":%d,"p":%d,"salt":"%x"},"mac":"%x"},"id":"%s","version":3}`

// uuid writes 16 random bytes as a UUID of version 4 (RFC 9562, 5.4).
func uuid(b []byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
