package wallet

import (
	"context"
	"fmt"
	"io"

	"github.com/boatd/boatd/wallet/access"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// An OpenError refuses a factory reset while transactions are signed and open:
// their ids, for the host to decide.
type OpenError struct{ IDs []uint32 }

func (e *OpenError) Error() string {
	return fmt.Sprintf("%d signed transactions are open", len(e.IDs))
}

// Unwrap makes it a refusal.
func (e *OpenError) Unwrap() error { return refusal.ErrInUse }

// FactoryReset goes back to the provisioned state: keys, wallets, networks
// added by AT, transactions, references, settings and the PIN are gone; the PUK,
// the event numbers and the ids go on. The key-encryption key is renewed, so
// that what was sealed and may still be on flash opens no more. pin is needed
// while there is one that can be asked for; force overrides open transactions.
func (m *Manager) FactoryReset(ctx context.Context, pin []byte, force bool) error {
	if err := m.pin.take(); err != nil { // no attempt may write a PIN back that this removes
		return err
	}
	defer m.pin.release()
	if err := m.mayReset(pin); err != nil {
		return err
	}
	instance := make([]byte, 16)
	if _, err := io.ReadFull(m.cfg.Rand, instance); err != nil {
		return fmt.Errorf("reading random bytes for the instance: %w", err)
	}
	err := m.Book.Update(func(u *book.Update) error {
		var open OpenError
		for _, t := range u.State().Open {
			if t.Signed() {
				open.IDs = append(open.IDs, t.ID)
			}
		}
		if len(open.IDs) > 0 && !force {
			return &open
		}
		u.Add(ledger.Reset{Instance: instance})
		return nil
	})
	if err != nil {
		return err
	}
	m.Book.ForgetEvents()
	m.Nets.Reset()
	m.sessions.Forget()
	m.cfg.Log.Warn("factory reset")
	return m.finishReset(ctx)
}

// mayReset asks for the PIN where there is one to ask for. m.pin is held.
func (m *Manager) mayReset(pin []byte) error {
	if state, _ := m.PIN(); m.cfg.OpenReset || state == access.None || state == access.Blocked {
		return nil
	}
	return m.unlock(pin)
}

// finishReset does what a factory reset does outside the journal, if one has
// not done it yet: it can be cut short anywhere and is then done at the next
// start. The old journal goes before the key that opens what was sealed in it.
func (m *Manager) finishReset(ctx context.Context) error {
	pending := false
	m.Book.View(func(st *ledger.State) { pending = st.Meta.Renewing })
	if !pending {
		return nil
	}
	if err := m.Book.Compact(true); err != nil {
		return fmt.Errorf("removing what was reset from flash: %w", err)
	}
	if err := m.cfg.Sealer.Renew(ctx); err != nil {
		return fmt.Errorf("renewing the key-encryption key: %w: %w", book.ErrFlash, err)
	}
	return m.Book.Update(func(u *book.Update) error {
		meta := u.State().Meta
		meta.Renewing = false
		u.Add(meta)
		return nil
	})
}
