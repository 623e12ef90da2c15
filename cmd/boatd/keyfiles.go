package main

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/keyfile"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/refusal"
)

// keyFiles are the formats of AT+BOATKEYIMP and AT+BOATKEYEXP beside raw keys.
func keyFiles() map[uint32]keys.File {
	noPath := func(path string) error {
		if path != "" {
			return fmt.Errorf("a path is for mnemonics: %w", refusal.ErrBadValue)
		}
		return nil
	}
	return map[uint32]keys.File{
		1: {
			Parse: func(file, passphrase []byte, path string) (string, []byte, error) {
				if err := noPath(path); err != nil {
					return "", nil, err
				}
				curve, key, err := keyfile.ParsePEM(file, passphrase)
				return curve, key, fileError(err)
			},
			Encode: func(curve string, key, passphrase []byte) ([]byte, error) {
				file, err := keyfile.EncodePEM(curve, key, passphrase, rand.Reader)
				return file, fileError(err)
			},
		},
		2: {
			Parse: func(file, passphrase []byte, path string) (string, []byte, error) {
				if err := noPath(path); err != nil {
					return "", nil, err
				}
				key, err := keyfile.ParseWeb3(file, passphrase)
				return keystore.Secp256k1, key, fileError(err)
			},
			Encode: func(curve string, key, passphrase []byte) ([]byte, error) {
				if curve != keystore.Secp256k1 {
					return nil, fmt.Errorf("web3 secret storage holds no key on %s: %w", curve, refusal.ErrCannot)
				}
				file, err := keyfile.EncodeWeb3(key, passphrase, rand.Reader)
				return file, fileError(err)
			},
		},
		3: {
			Parse: func(file, passphrase []byte, path string) (string, []byte, error) {
				key, err := keyfile.ParseMnemonic(file, passphrase, path)
				return keystore.Secp256k1, key, fileError(err)
			},
		},
	}
}

// fileError adds the refusal that an error of a key file amounts to.
func fileError(err error) error {
	kind := refusal.ErrBadValue
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyfile.ErrPassphrase):
		kind = refusal.ErrPassphrase
	case errors.Is(err, keyfile.ErrUnsupported):
		kind = refusal.ErrCannot
	}
	return fmt.Errorf("%w: %w", kind, err)
}
