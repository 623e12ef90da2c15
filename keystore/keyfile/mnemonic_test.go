package keyfile

import (
	"bytes"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/boatd/boatd/keystore"
)

const listSize = 2048

// TestList: the list is BIP-39's, by the CRC that implementations check.
func TestList(t *testing.T) {
	if got := crc32.ChecksumIEEE([]byte(english)); got != 0xc1dbd296 {
		t.Errorf("CRC %08x", got)
	}
	if list := strings.Fields(english); len(list) != listSize || !slices.IsSorted(list) {
		t.Errorf("%d words", len(list))
	}
}

type mnemonicVector struct{ entropy, mnemonic, seed string }

func mnemonicVectors(t testing.TB) []mnemonicVector {
	t.Helper()
	b, err := os.ReadFile("testdata/bip39.txt")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for l := range strings.Lines(string(b)) {
		if !strings.HasPrefix(l, "#") {
			lines = append(lines, strings.TrimSpace(l))
		}
	}
	var all []mnemonicVector
	for c := range slices.Chunk(lines, 3) {
		all = append(all, mnemonicVector{c[0], c[1], c[2]})
	}
	if len(all) != 24 {
		t.Fatalf("%d vectors", len(all))
	}
	return all
}

func TestMnemonicVectors(t *testing.T) {
	for _, v := range mnemonicVectors(t) {
		seed, err := mnemonicSeed([]byte(v.mnemonic), []byte("TREZOR"))
		if err != nil || hex.EncodeToString(seed) != v.seed {
			t.Errorf("%s: %x, %v", v.mnemonic, seed, err)
		}
	}
}

// sentence makes the mnemonic of entropy, the other way round.
func sentence(entropy []byte) string {
	sum := new(big.Int).SetBytes(sum256(entropy))
	checksum := len(entropy) / 4
	n := new(big.Int).SetBytes(entropy)
	n.Lsh(n, uint(checksum)).Or(n, sum.Rsh(sum, uint(256-checksum)))
	list := strings.Fields(english)
	words := make([]string, (8*len(entropy)+checksum)/wordBits)
	for i := range words {
		index := new(big.Int).Rsh(n, uint(wordBits*(len(words)-1-i)))
		words[i] = list[index.Uint64()%listSize]
	}
	return strings.Join(words, " ")
}

func TestMnemonicLengths(t *testing.T) {
	for _, v := range mnemonicVectors(t) {
		if got := sentence(unhex(t, v.entropy)); got != v.mnemonic {
			t.Fatalf("the test's own: %s, want %s", got, v.mnemonic)
		}
	}
	for size := 0; size <= 40; size += 4 {
		entropy := make([]byte, size)
		for i := range entropy {
			entropy[i] = byte(137*i + size)
		}
		words := bytes.Fields([]byte(sentence(entropy)))
		err := checkWords(words)
		if good := size >= 16 && size <= 32; (err == nil) != good {
			t.Errorf("%d words: %v", len(words), err)
		}
	}
}

// TestChecksum: of the 2048 last words as many are right as there are bits of
// entropy in one.
func TestChecksum(t *testing.T) {
	for _, n := range []int{12, 24} {
		words := make([][]byte, n)
		for i := range words {
			words[i] = []byte("zoo")
		}
		right := 0
		for last := range strings.FieldsSeq(english) {
			words[n-1] = []byte(last)
			if checkWords(words) == nil {
				right++
			}
		}
		if want := listSize >> (n / 3); right != want {
			t.Errorf("%d words: %d last ones are right, want %d", n, right, want)
		}
	}
}

const testJunk = "test test test test test test test test test test test junk"

func TestMnemonicRefused(t *testing.T) {
	for name, c := range map[string]struct{ mnemonic, passphrase, path, text string }{
		"nothing":       {"", "", "", "0 words"},
		"11 words":      {testJunk[5:], "", "", "11 words"},
		"13 words":      {"test " + testJunk, "", "", "13 words"},
		"27 words":      {testJunk + " " + testJunk + " test test test", "", "", "27 words"},
		"checksum":      {strings.Replace(testJunk, "junk", "test", 1), "", "", "checksum"},
		"order":         {"junk " + testJunk[:len(testJunk)-5], "", "", "checksum"},
		"capital":       {strings.Replace(testJunk, "junk", "Junk", 1), "", "", "word 12"},
		"no word":       {"tests" + testJunk[4:], "", "", "word 1 "},
		"long":          {testJunk + strings.Repeat(" ", maxPhrase), "", "", "at most"},
		"long password": {testJunk, strings.Repeat("x", maxPhrase+1), "", "at most"},
		"path":          {testJunk, "", "44'", "path"},
	} {
		key, err := ParseMnemonic([]byte(c.mnemonic), []byte(c.passphrase), c.path)
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %x, %v, want %q", name, key, err, c.text)
		}
		if err != nil && (strings.Contains(err.Error(), "junk") || strings.Contains(err.Error(), "test")) {
			t.Errorf("%s: the error tells words: %v", name, err)
		}
	}
}

// TestASCIIOnly: what would have to be normalised is refused, in every form.
func TestASCIIOnly(t *testing.T) {
	for _, c := range []struct{ mnemonic, passphrase string }{
		{testJunk, "Caf\u00e9"}, {testJunk, "Cafe\u0301"}, {testJunk, "\u33cd"}, {testJunk, "\xff"},
		{strings.Replace(testJunk, " ", "\u3000", 1), ""}, {strings.Replace(testJunk, "t", "\uff54", 1), ""}, {testJunk + "\xff", ""},
	} {
		if key, err := ParseMnemonic([]byte(c.mnemonic), []byte(c.passphrase), ""); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%q, %q: %x, %v", c.mnemonic, c.passphrase, key, err)
		}
	}
	var all []byte
	for c := range byte(0x80) {
		all = append(all, c)
	}
	if _, err := ParseMnemonic([]byte(testJunk), all, ""); err != nil {
		t.Errorf("%q: %v", all, err)
	}
}

// TestAccounts: the accounts of development chains, which everybody knows.
func TestAccounts(t *testing.T) {
	for _, c := range []struct{ mnemonic, path, want string }{
		{testJunk, "", "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"},
		{testJunk, DefaultPath, "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"},
		{testJunk, "m/44h/60H/0'/0/1", "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"},
		{"\r\n " + strings.ReplaceAll(testJunk, " ", "\t\n") + "\n", "m/44'/60'/0'/0/9", "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"},
	} {
		before := []byte(c.mnemonic)
		key, err := ParseMnemonic(before, nil, c.path)
		if err != nil || hex.EncodeToString(key) != c.want {
			t.Errorf("%q %s: %x, %v", c.mnemonic, c.path, key, err)
		}
		if string(before) != c.mnemonic {
			t.Errorf("%q: the caller's bytes were changed", c.mnemonic)
		}
	}
}

func FuzzMnemonic(f *testing.F) {
	for _, v := range mnemonicVectors(f)[:4] {
		f.Add([]byte(v.mnemonic), []byte("TREZOR"), "m/44'/60'/0'/0/0")
	}
	f.Add([]byte(testJunk), []byte("\u33cd\ufdfa"), "m/2147483647h/0H")
	f.Add([]byte(strings.Repeat("\ufdfa", 300)), []byte("\xff"), "m//0''")
	f.Fuzz(func(t *testing.T, mnemonic, passphrase []byte, path string) {
		key, err := ParseMnemonic(mnemonic, passphrase, path)
		if err != nil {
			if key != nil || !errors.Is(err, ErrFormat) && !errors.Is(err, ErrUnsupported) {
				t.Fatalf("%x, %v", key, err)
			}
			return
		}
		if err := checkKey(keystore.Secp256k1, key, nil); err != nil {
			t.Fatalf("%x: %v", key, err)
		}
	})
}
