package wallet

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/wallet/book"
)

// A Check is the result of one part of the self test.
type Check struct {
	Item string
	Err  error // nil: good
}

// Diagnose tests what everything else rests on: the random source, each curve
// in each store, writing and reading back the journal, and the clock.
func (m *Manager) Diagnose(ctx context.Context) []Check {
	checks := []Check{{"random", m.checkRandom()}}
	for _, s := range m.Keys.Stores() {
		for _, curve := range s.Curves() {
			checks = append(checks, Check{s.Name() + " " + curve, checkStore(ctx, s, curve)})
		}
	}
	checks = append(checks, Check{"journal", m.checkJournal()}, Check{"clock", m.checkClock()})
	for _, c := range checks {
		if c.Err != nil {
			m.cfg.Log.Error("self test failed", "item", c.Item, "err", c.Err)
		}
	}
	return checks
}

// checkJournal writes a record and reads it back. Where the self test is asked for
// so often that it would wear the flash out, the last verdict stands.
func (m *Manager) checkJournal() error {
	m.diag.Lock()
	defer m.diag.Unlock()
	if m.diag.writes.Take(m.cfg.Now()) {
		_, m.diag.verdict = m.Book.UpdateProven(func(u *book.Update) error {
			u.Add(u.State().Meta)
			return nil
		})
	}
	return m.diag.verdict
}

// checkRandom looks for a source that is stuck: equal blocks, or a byte value
// that fills one.
func (m *Manager) checkRandom() error {
	const block = 32
	seen := map[[block]byte]bool{}
	for range 16 {
		var b [block]byte
		if _, err := io.ReadFull(m.cfg.Rand, b[:]); err != nil {
			return fmt.Errorf("reading the random source: %w", err)
		}
		if seen[b] || bytes.Count(b[:], b[:1]) == block {
			return fmt.Errorf("the random source repeats itself")
		}
		seen[b] = true
	}
	return nil
}

// checkStore makes a key that is never kept, signs with it and has the store
// prove that it opens.
func checkStore(ctx context.Context, s keystore.Store, curve string) error {
	k, err := s.Generate(ctx, keystore.Spec{Name: "selftest", Curve: curve, Usage: "d"})
	if err != nil {
		return err
	}
	defer s.Destroy(ctx, k)
	public, err := s.Open(ctx, k)
	if err != nil {
		return err
	}
	if !bytes.Equal(public, k.Public) {
		return fmt.Errorf("a new key opens to another one")
	}
	digest := bytes.Repeat([]byte{0x5a}, 32)
	sig, err := s.Sign(ctx, k, digest)
	if err != nil {
		return err
	}
	return keystore.Verify(curve, public, digest, sig)
}

// checkClock looks for a clock that stands still or is before the build.
func (m *Manager) checkClock() error {
	if t, source := m.Time(); source != NoTime && t.Before(m.cfg.BuildDate) {
		return fmt.Errorf("the trusted time %s is before the build", t.UTC())
	}
	a := m.cfg.Now()
	if m.cfg.Now().Before(a) {
		return fmt.Errorf("the clock goes back")
	}
	return nil
}

// ProbeStores opens one key of each store, or makes sure that the seal is there
// when there is none.
func (m *Manager) ProbeStores(ctx context.Context) error {
	kek, err := m.cfg.Sealer.KEK(ctx)
	if err != nil {
		return err
	}
	clear(kek)
	return m.Keys.Probe(ctx)
}
