package wallet

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/boatd/boatd/wallet/access"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// PIN returns what the device asks for and how many tries of it are left.
func (m *Manager) PIN() (asked access.Condition, left int) {
	m.Book.View(func(st *ledger.State) { asked, left = st.Access.Condition(), st.Access.Left() })
	return asked, left
}

// Unlock compares the PIN. The try is on flash before the comparison.
func (m *Manager) Unlock(pin []byte) error {
	if err := m.pin.take(); err != nil {
		return err
	}
	defer m.pin.release()
	return m.unlock(pin)
}

// unlock is Unlock with m.pin held.
func (m *Manager) unlock(pin []byte) error {
	return m.try("unlocking", func(s access.State) (*access.Try, error) { return s.Unlock(pin) })
}

// Unblock compares the PUK and sets a new PIN.
func (m *Manager) Unblock(puk, pin []byte) error {
	if err := m.pin.take(); err != nil {
		return err
	}
	defer m.pin.release()
	return m.try("unblocking", func(s access.State) (*access.Try, error) { return s.Unblock(m.params(), puk, pin) })
}

// ChangePIN sets a new PIN; access.State.Change has the rules.
func (m *Manager) ChangePIN(old, pin, puk []byte) error {
	if err := m.pin.take(); err != nil {
		return err
	}
	defer m.pin.release()
	return m.try("changing the PIN", func(s access.State) (*access.Try, error) { return s.Change(m.params(), old, pin, puk) })
}

func (m *Manager) params() access.Params {
	return access.Params{Cost: m.cfg.PINCost, Rand: m.cfg.Rand}
}

// try runs one attempt from the lowered counter to the verdict. m.pin is held:
// attempts of all channels come one after the other.
func (m *Manager) try(doing string, begin func(access.State) (*access.Try, error)) error {
	var state access.State
	m.Book.View(func(st *ledger.State) { state = st.Access })
	t, err := begin(state)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, accessError(err))
	}
	if t.Spends() {
		if err := m.setAccess(t.Lowered()); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	next, err := t.Finish()
	if m.cfg.PINCost.KiB >= 1024 {
		debug.FreeOSMemory() // a module wants the memory of the hash back
	}
	if err != nil {
		left := next.Left()
		m.cfg.Log.Warn("wrong PIN or PUK", "left", left)
		m.Book.Emit(book.Event{Topic: book.TopicPIN, Name: "pin", Fields: []any{uint32(left)}})
		return fmt.Errorf("%s: %w", doing, accessError(err))
	}
	if err := m.setAccess(next); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

func (m *Manager) setAccess(s access.State) error {
	return m.Book.Update(func(u *book.Update) error {
		u.Add(ledger.Access{State: s})
		return nil
	})
}

// accessError adds the refusal that an error of package access amounts to.
func accessError(err error) error {
	kind := refusal.ErrBadValue
	switch {
	case errors.Is(err, access.ErrWrong):
		kind = refusal.ErrWrongPIN
	case errors.Is(err, access.ErrBlocked):
		kind = refusal.ErrPINBlocked
	case errors.Is(err, access.ErrNotNow), errors.Is(err, access.ErrHasPUK):
		kind = refusal.ErrNotNow
	case errors.Is(err, access.ErrRandom), errors.Is(err, access.ErrState), errors.Is(err, access.ErrCost):
		return err
	}
	return fmt.Errorf("%w: %w", err, kind)
}

// A turn is whose turn it is.
type turn chan struct{}

// turnMax is how long a channel waits for its turn: a hash takes the better part
// of a second on a module, and a command has five.
const turnMax = 3 * time.Second

// take waits for the turn; ErrBusy if others keep it.
func (t turn) take() error {
	timer := time.NewTimer(turnMax)
	defer timer.Stop()
	select {
	case t <- struct{}{}:
		return nil
	case <-timer.C:
		return fmt.Errorf("other channels are trying codes: %w", refusal.ErrBusy)
	}
}

func (t turn) release() { <-t }
