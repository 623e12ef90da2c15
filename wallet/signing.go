package wallet

import (
	"context"
	"fmt"
	"strings"

	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// A Scheme is a way to sign something that is no transaction. Its errors are
// refusals.
type Scheme struct {
	Usage rune // the letter that a key needs
	// Bare: what is signed may be the hash of anything. It must be allowed by the
	// configuration, and no key of a wallet signs so.
	Bare bool
	// Bound: what is signed can be worth money (typed data). No key of a wallet
	// signs so until a policy lists what for.
	Bound bool
	// Digest returns the 32 bytes that a key signs for a source, and the SHA-256
	// of what was signed.
	Digest func(curve string, source []byte) (digest, signed []byte, err error)
	// Finish makes what the host gets of a key store's signature.
	Finish func(curve string, source, signature []byte) ([]byte, error)
	// Verify says whether who (an address or a public key) made a signature.
	Verify func(who string, source, signature []byte) (bool, error)
}

// digestSize is how long a digest is: a message of this length may be the hash of
// something else.
const digestSize = 32

// Sign signs a source with a key, by one of Config.Schemes. It returns what the
// host gets and the SHA-256 of what was signed. That the key was used is on flash
// before.
func (m *Manager) Sign(ctx context.Context, key string, scheme uint32, source []byte) (signature, signed []byte, err error) {
	s, ok := m.cfg.Schemes[scheme]
	if !ok {
		return nil, nil, fmt.Errorf("signing by scheme %d: %w", scheme, refusal.ErrNotBuilt)
	}
	k, err := m.Keys.Get(key)
	if err != nil {
		return nil, nil, err
	}
	digest, signed, err := s.Digest(k.Curve, source)
	if err != nil {
		return nil, nil, fmt.Errorf("signing with key %s: %w", key, err)
	}
	err = m.Book.Update(func(u *book.Update) error {
		now := u.State().Keys[key]
		if now == nil || now.Curve != k.Curve { // it was deleted, and perhaps made again
			return fmt.Errorf("key %q: %w", key, refusal.ErrNoKey)
		}
		k = now
		if err := m.maySign(k, &s, source); err != nil {
			return err
		}
		u.Add(ledger.KeyUsed{Name: key})
		copied := *k
		k = &copied
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	raw, err := m.Keys.Sign(ctx, k, digest)
	if err != nil {
		return nil, nil, err
	}
	if signature, err = s.Finish(k.Curve, source, raw); err != nil {
		return nil, nil, fmt.Errorf("signing with key %s: %w", key, err)
	}
	return signature, signed, nil
}

// maySign holds the rules for what a key may sign beside transactions. A key that
// was a wallet's stays one: the account may still hold something.
func (m *Manager) maySign(k *ledger.Key, s *Scheme, source []byte) error {
	bare := s.Bare
	usage := s.Usage
	if usage == keys.UseMessages && !s.Bound && len(source) == digestSize { // a contract may read it as the hash of something
		bare, usage = true, keys.UseDigests
	}
	switch {
	case k.State != ledger.Active:
		return fmt.Errorf("key %q: %w", k.Name, refusal.ErrKeyInactive)
	case !strings.ContainsRune(k.Usage, usage):
		return fmt.Errorf("key %q has no usage %q: %w", k.Name, usage, refusal.ErrCannot)
	case bare && !m.cfg.AllowDigests:
		return fmt.Errorf("signing a bare digest: at.allow_digest_signing is false: %w", refusal.ErrNotAllowed)
	case bare && k.OfWallet:
		return fmt.Errorf("signing a bare digest with key %q of a wallet: %w", k.Name, refusal.ErrNotAllowed)
	case s.Bound && k.OfWallet:
		return fmt.Errorf("no policy lists what key %q of a wallet may sign: %w", k.Name, refusal.ErrByPolicy)
	}
	return nil
}

// Verify says whether who made a signature of a source, by one of Config.Schemes.
func (m *Manager) Verify(who string, scheme uint32, source, signature []byte) (bool, error) {
	s, ok := m.cfg.Schemes[scheme]
	if !ok {
		return false, fmt.Errorf("verifying by scheme %d: %w", scheme, refusal.ErrNotBuilt)
	}
	good, err := s.Verify(who, source, signature)
	if err != nil {
		return false, fmt.Errorf("verifying a signature: %w", err)
	}
	return good, nil
}
