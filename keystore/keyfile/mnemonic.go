package keyfile

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/boatd/boatd/internal/secret"
)

// english is BIP-39's English list: 2048 words, one a line, in byte order.
//
//go:embed english.txt
var english string

const (
	wordBits       = 11
	seedIterations = 2048
	seedSize       = 64
	// maxPhrase is the longest mnemonic and the longest passphrase, in bytes.
	maxPhrase = 1024
)

// ParseMnemonic derives a private key of secp256k1 from a BIP-39 mnemonic: 12,
// 15, 18, 21 or 24 words of the English list in lower case, with any white
// space between them, whose checksum is right. The passphrase is ASCII (others
// are ErrUnsupported) and may be empty: there is no wrong one, another gives
// other keys. The path is BIP-32's, such as m/44'/60'/0'/0/0: at most ten levels
// below m, each 0 to 2147483647, with ', h or H for hardened; an empty one is
// [DefaultPath].
//
// It returns 32 bytes, big-endian, which the caller wipes. Errors: ErrFormat,
// also for a checksum that is wrong, and ErrUnsupported. They tell the position
// of a word, never the word.
func ParseMnemonic(mnemonic, passphrase []byte, path string) ([]byte, error) {
	levels, err := parsePath(path)
	if err != nil {
		return nil, fmt.Errorf("reading a mnemonic: %w", err)
	}
	seed, err := mnemonicSeed(mnemonic, passphrase)
	if err != nil {
		return nil, fmt.Errorf("reading a mnemonic: %w", err)
	}
	defer secret.Wipe(seed)
	key, err := derive(seed, levels)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of a mnemonic: %w", err)
	}
	return key, nil
}

// mnemonicSeed returns the seed, 64 bytes (BIP-39, "From mnemonic to seed").
func mnemonicSeed(mnemonic, passphrase []byte) ([]byte, error) {
	for _, text := range [][]byte{mnemonic, passphrase} {
		if err := checkPhrase(text); err != nil {
			return nil, err
		}
	}
	words := bytes.Fields(mnemonic)
	if err := checkWords(words); err != nil {
		return nil, err
	}
	password := bytes.Join(words, []byte(" "))
	defer secret.Wipe(password)
	salt := append([]byte("mnemonic"), passphrase...)
	defer secret.Wipe(salt)
	return pbkdf2.Key(sha512.New, string(password), salt, seedIterations, seedSize)
}

// checkPhrase checks a mnemonic or passphrase. BIP-39 wants both in Unicode's
// form NFKD, which all of ASCII is in. The tables for the rest would take 96 KB
// of the binary, and a passphrase that is not normalised would give another key
// without a word: so it is refused.
func checkPhrase(text []byte) error {
	if len(text) > maxPhrase {
		return fmt.Errorf("%w: a text of %d bytes, at most %d are read", ErrFormat, len(text), maxPhrase)
	}
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return fmt.Errorf("%w: letters that are not ASCII", ErrUnsupported)
		}
	}
	return nil
}

// checkWords checks the number of words, that they are in the list, and that
// the last bits are the first of the entropy's SHA-256 (BIP-39, "Generating the
// mnemonic").
func checkWords(words [][]byte) error {
	if n := len(words); n < 12 || n > 24 || n%3 != 0 {
		return fmt.Errorf("%w: %d words, not 12, 15, 18, 21 or 24", ErrFormat, n)
	}
	list := strings.Fields(english)
	all := make([]byte, 33) // 24 words of 11 bits
	defer secret.Wipe(all)
	for i, w := range words {
		index, found := slices.BinarySearchFunc(list, w, func(a string, b []byte) int { return strings.Compare(a, string(b)) })
		if !found {
			return fmt.Errorf("%w: word %d is not in the English list", ErrFormat, i+1)
		}
		putBits(all, i*wordBits, index)
	}
	checksum := len(words) / 3 // in bits
	size := 4 * checksum       // of the entropy, in bytes
	sum := sha256.Sum256(all[:size])
	if (sum[0]^all[size])>>(8-checksum) != 0 {
		return fmt.Errorf("%w: the checksum of the words is wrong", ErrFormat)
	}
	return nil
}

// putBits writes the eleven bits of index from bit at on, the highest first.
func putBits(to []byte, at, index int) {
	for i := range wordBits {
		if index>>(wordBits-1-i)&1 != 0 {
			to[(at+i)/8] |= 0x80 >> ((at + i) % 8)
		}
	}
}
