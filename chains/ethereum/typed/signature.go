package typed

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// MessageDigest returns what is signed for a message: keccak256 of 0x19,
// "Ethereum Signed Message:\n", the length in decimal and the message (EIP-191,
// version 0x45). A message of exactly 32 bytes is a digest of something else,
// which contracts read as such; whoever restricts the signing of digests must
// restrict these too.
func MessageDigest(message []byte) []byte {
	return crypto.Keccak256([]byte("\x19Ethereum Signed Message:\n"+strconv.Itoa(len(message))), message)
}

// legacy is what v is above the recovery id (EIP-191's signatures, and what
// ecrecover wants).
const legacy = 27

// EncodeSignature turns r‖s‖v with v 0 or 1, as key stores return it, into
// r‖s‖v with v 27 or 28. ErrSignature unless r and s are in range and s low.
func EncodeSignature(sig []byte) ([]byte, error) {
	if err := checkSignature(sig, 0); err != nil {
		return nil, err
	}
	out := bytes.Clone(sig)
	out[64] += legacy
	return out, nil
}

// checkSignature checks length and ranges; v must be lowest or one more. The
// other s that signs the same (the order less s) is refused, as contracts do:
// a signature shall have one form.
func checkSignature(sig []byte, lowest byte) error {
	if len(sig) != crypto.SignatureLength {
		return fmt.Errorf("%w: it has %d bytes, not %d", ErrSignature, len(sig), crypto.SignatureLength)
	}
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64])
	if !crypto.ValidateSignatureValues(sig[64]-lowest, r, s, true) {
		return fmt.Errorf("%w: r, s or v (%d) is out of range, or s is high", ErrSignature, sig[64])
	}
	return nil
}

// Recover returns the address, with its checksum, of the account that made a
// signature r‖s‖v, v 27 or 28, s low, over a 32-byte digest. ErrSignature if
// none can have.
func Recover(digest, sig []byte) (string, error) {
	if len(digest) != common.HashLength {
		return "", fmt.Errorf("%w: a digest has 32 bytes, not %d", ErrSignature, len(digest))
	}
	if err := checkSignature(sig, legacy); err != nil {
		return "", err
	}
	raw := bytes.Clone(sig)
	raw[64] -= legacy
	point, err := crypto.Ecrecover(digest, raw)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return common.BytesToAddress(crypto.Keccak256(point[1:])).Hex(), nil
}

// Verify checks that the account with this address made the signature, in the
// form of [Recover]: ErrSignature if not, chains.ErrAddress or
// chains.ErrChecksum if the address is none. It knows accounts with keys only,
// not contracts that judge signatures (EIP-1271).
func Verify(address string, digest, sig []byte) error {
	want, err := readAddress(address)
	if err != nil {
		return err
	}
	got, err := Recover(digest, sig)
	if err != nil {
		return err
	}
	if got != want.Hex() {
		return fmt.Errorf("%w: %s made it", ErrSignature, got)
	}
	return nil
}
