package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/chains/ethereum/typed"
	"github.com/boatd/boatd/internal/cose"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/refusal"
)

// schemes are those of AT+BOATSIGN.
func schemes() map[uint32]wallet.Scheme {
	message := func(source []byte) ([]byte, error) { return typed.MessageDigest(source), nil }
	data := func(source []byte) ([]byte, error) {
		d, err := typed.Parse(source)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", refusal.ErrBadData, err)
		}
		return d.Digest, nil
	}
	bare := func(source []byte) ([]byte, error) {
		if len(source) != sha256.Size {
			return nil, fmt.Errorf("a digest has %d bytes, not %d: %w", sha256.Size, len(source), refusal.ErrBadValue)
		}
		return source, nil
	}
	return map[uint32]wallet.Scheme{
		0: ethereumScheme(wallet.Scheme{Usage: keys.UseMessages}, message, false),
		1: ethereumScheme(wallet.Scheme{Usage: keys.UseMessages, Bound: true}, data, false),
		2: coseScheme(),
		3: ethereumScheme(wallet.Scheme{Usage: keys.UseDigests, Bare: true}, bare, true),
	}
}

// ethereumScheme is a scheme whose signatures are r, s and v of secp256k1, as
// Ethereum's contracts take them; where anyCurve, also r and s of secp256r1.
func ethereumScheme(s wallet.Scheme, digest func([]byte) ([]byte, error), anyCurve bool) wallet.Scheme {
	s.Digest = func(curve string, source []byte) ([]byte, []byte, error) {
		if curve != keystore.Secp256k1 && !anyCurve {
			return nil, nil, fmt.Errorf("this scheme has no signatures on %s: %w", curve, refusal.ErrCannot)
		}
		d, err := digest(source)
		return d, sum(source), err
	}
	s.Finish = func(curve string, _, signature []byte) ([]byte, error) {
		if curve != keystore.Secp256k1 {
			return signature[:64], nil
		}
		return typed.EncodeSignature(signature)
	}
	s.Verify = func(who string, source, signature []byte) (bool, error) {
		d, err := digest(source)
		if err != nil {
			return false, err
		}
		if public, ok := publicKey(who); ok && anyCurve && len(signature) == 64 {
			return keystore.Verify(keystore.Secp256r1, public, d, signature) == nil, nil
		}
		address, err := addressOf(who)
		if err != nil {
			return false, err
		}
		return good(typed.Verify(address, d, signature))
	}
	return s
}

// coseScheme is COSE_Sign1 (RFC 9052): what is signed and what comes out is the
// whole message.
func coseScheme() wallet.Scheme {
	return wallet.Scheme{
		Usage: keys.UseMessages,
		Digest: func(curve string, source []byte) ([]byte, []byte, error) {
			alg, err := cose.ForCurve(curve)
			if err != nil {
				return nil, nil, fmt.Errorf("%w: %w", refusal.ErrCannot, err)
			}
			signed, err := cose.ToBeSigned(alg, source, nil)
			if err != nil {
				return nil, nil, fmt.Errorf("%w: %w", refusal.ErrTooLong, err)
			}
			return sum(signed), sum(signed), nil
		},
		Finish: func(curve string, source, signature []byte) ([]byte, error) {
			alg, err := cose.ForCurve(curve)
			if err != nil {
				return nil, err
			}
			return cose.Build(alg, nil, source, signature[:64])
		},
		Verify: func(who string, source, signature []byte) (bool, error) {
			public, ok := publicKey(who)
			if !ok {
				return false, fmt.Errorf("COSE is verified with a public key: %w", refusal.ErrBadValue)
			}
			m, err := cose.Parse(signature)
			if err != nil {
				return false, fmt.Errorf("%w: %w", refusal.ErrBadData, err)
			}
			if string(m.Payload) != string(source) {
				return false, nil
			}
			return good(m.Verify(public, nil))
		},
	}
}

func sum(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

// good says whether a verification succeeded.
func good(err error) (bool, error) {
	if errors.Is(err, typed.ErrSignature) || errors.Is(err, cose.ErrSignature) {
		return false, nil
	}
	return err == nil, err
}

// publicKey reads a compressed public key, as AT+BOATKEYPUB shows it.
func publicKey(who string) ([]byte, bool) {
	b, err := hex.DecodeString(strings.TrimPrefix(who, "0x"))
	return b, err == nil && len(b) == 33
}

// addressOf returns the address of who, which may be one.
func addressOf(who string) (string, error) {
	public, ok := publicKey(who)
	if !ok {
		return who, nil
	}
	key, err := crypto.DecompressPubkey(public)
	if err != nil {
		return "", fmt.Errorf("%w: %w", refusal.ErrBadValue, err)
	}
	return crypto.PubkeyToAddress(*key).Hex(), nil
}
