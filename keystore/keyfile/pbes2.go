package keyfile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"github.com/boatd/boatd/internal/secret"
)

var (
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}     // RFC 8018, A.4
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}     // RFC 8018, A.2
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}         // RFC 8018, B.1.2
	oidAES128CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}  // RFC 8018, B.2.5
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42} // RFC 8018, B.2.5
	null          = asn1.RawValue{FullBytes: []byte{asn1.TagNull, 0}}      // HMAC's parameters
	keyLengths    = map[string]int{oidAES128CBC.String(): 16, oidAES256CBC.String(): 32}
)

// exportIterations is half of what OWASP's password storage cheat sheet asks
// for with HMAC-SHA-256 (2023): 3600 million instructions, some five seconds of
// a Cortex-A7. Web3 files are harder to guess for the same time.
const exportIterations = 300_000

// encryptedKeyInfo is PKCS#8's EncryptedPrivateKeyInfo (RFC 5208, 6).
type encryptedKeyInfo struct {
	Algorithm algorithm
	Data      []byte
}

// pbes2 is RFC 8018's PBES2-params.
type pbes2 struct{ KDF, Cipher algorithm }

// pbkdf2Params is RFC 8018's PBKDF2-params; without a PRF it is HMAC-SHA-1.
type pbkdf2Params struct {
	Salt       []byte
	Iterations int64
	KeyLength  int64     `asn1:"optional"`
	PRF        algorithm `asn1:"optional"`
}

// A lock is what PBES2 parameters come down to: how the key is derived, and
// what it opens.
type lock struct {
	salt, iv   []byte
	iterations uint64
	keyLength  int
}

func parseEncrypted(der []byte, curve string, passphrase []byte, limit Cost) (string, []byte, error) {
	var info encryptedKeyInfo
	if err := unmarshal(der, &info); err != nil {
		return "", nil, err
	}
	l, err := parseLock(info.Algorithm)
	if err != nil {
		return "", nil, err
	}
	if err := pbkdf2Cost(l.iterations).within(limit); err != nil {
		return "", nil, err
	}
	plain, err := l.decrypt(info.Data, passphrase)
	if err != nil {
		return "", nil, err
	}
	defer secret.Wipe(plain)
	// Padding is right by chance once in 256 wrong passphrases; what is no
	// PKCS#8 inside tells the same.
	var inner privateKeyInfo
	err = unmarshal(plain, &inner)
	secret.Wipe(inner.PrivateKey)
	if err != nil {
		return "", nil, ErrPassphrase
	}
	return parsePKCS8(plain, curve)
}

func parseLock(a algorithm) (lock, error) {
	if !a.OID.Equal(oidPBES2) {
		return lock{}, fmt.Errorf("%w: the encryption %v, not PBES2", ErrUnsupported, a.OID)
	}
	var p pbes2
	if err := unmarshal(a.Parameters.FullBytes, &p); err != nil {
		return lock{}, err
	}
	if !p.KDF.OID.Equal(oidPBKDF2) {
		return lock{}, fmt.Errorf("%w: the key derivation %v, not PBKDF2", ErrUnsupported, p.KDF.OID)
	}
	length, ok := keyLengths[p.Cipher.OID.String()]
	if !ok {
		return lock{}, fmt.Errorf("%w: the cipher %v, not AES-128 or AES-256 in CBC mode", ErrUnsupported, p.Cipher.OID)
	}
	l := lock{keyLength: length}
	if err := unmarshal(p.Cipher.Parameters.FullBytes, &l.iv); err != nil {
		return lock{}, err
	}
	if len(l.iv) != aes.BlockSize {
		return lock{}, fmt.Errorf("%w: an initialisation vector of %d bytes", ErrFormat, len(l.iv))
	}
	return l, l.parseKDF(p.KDF.Parameters.FullBytes)
}

func (l *lock) parseKDF(der []byte) error {
	var p pbkdf2Params
	if err := unmarshal(der, &p); err != nil {
		return err
	}
	if !p.PRF.OID.Equal(oidHMACSHA256) {
		return fmt.Errorf("%w: PBKDF2 with %v, not HMAC-SHA-256", ErrUnsupported, p.PRF.OID)
	}
	if p.Iterations < 1 || len(p.Salt) > maxSalt || p.KeyLength != 0 && p.KeyLength != int64(l.keyLength) {
		return fmt.Errorf("%w: PBKDF2 with %d iterations, %d bytes of salt and a key of %d",
			ErrFormat, p.Iterations, len(p.Salt), p.KeyLength)
	}
	l.salt, l.iterations = p.Salt, uint64(p.Iterations)
	return nil
}

// block derives the key. The cost has been judged: iterations fit an int.
func (l *lock) block(passphrase []byte) (cipher.Block, error) {
	key, err := pbkdf2.Key(sha256.New, string(passphrase), l.salt, int(l.iterations), l.keyLength)
	if err != nil {
		return nil, fmt.Errorf("deriving the key: %w", err)
	}
	defer secret.Wipe(key)
	return aes.NewCipher(key)
}

// decrypt returns what is in data without its padding (RFC 8018, 6.1.1).
func (l *lock) decrypt(data, passphrase []byte) ([]byte, error) {
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("%w: %d encrypted bytes", ErrFormat, len(data))
	}
	b, err := l.block(passphrase)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(b, l.iv).CryptBlocks(plain, data)
	n := int(plain[len(plain)-1])
	if n < 1 || n > aes.BlockSize || !bytes.Equal(plain[len(plain)-n:], padding(n)) {
		return keep(plain, ErrPassphrase)
	}
	return plain[:len(plain)-n], nil
}

func padding(n int) []byte { return bytes.Repeat([]byte{byte(n)}, n) }

// encrypt makes an EncryptedPrivateKeyInfo of info.
func encrypt(info, passphrase []byte, rand io.Reader, iterations int64) ([]byte, error) {
	random, err := draw(rand, 2*aes.BlockSize)
	if err != nil {
		return nil, err
	}
	l := lock{salt: random[:16], iv: random[16:], iterations: uint64(iterations), keyLength: 32}
	b, err := l.block(passphrase)
	if err != nil {
		return nil, err
	}
	n := aes.BlockSize - len(info)%aes.BlockSize
	data := make([]byte, len(info)+n)
	copy(data, info)
	copy(data[len(info):], padding(n))
	cipher.NewCBCEncrypter(b, l.iv).CryptBlocks(data, data)

	kdf, err1 := asn1.Marshal(pbkdf2Params{Salt: l.salt, Iterations: iterations, PRF: algorithm{oidHMACSHA256, null}})
	iv, err2 := asn1.Marshal(l.iv)
	both, err3 := asn1.Marshal(pbes2{
		KDF:    algorithm{oidPBKDF2, asn1.RawValue{FullBytes: kdf}},
		Cipher: algorithm{oidAES256CBC, asn1.RawValue{FullBytes: iv}},
	})
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return asn1.Marshal(encryptedKeyInfo{algorithm{oidPBES2, asn1.RawValue{FullBytes: both}}, data})
}
