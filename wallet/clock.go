package wallet

import (
	"fmt"
	"sync"
	"time"

	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// A TimeSource says where a trusted time came from. The numbers are those of
// the AT interface.
type TimeSource uint8

// The sources.
const (
	NoTime    TimeSource = 0
	HostTime  TimeSource = 1
	NetTime   TimeSource = 2
	ChainTime TimeSource = 3
)

// plausible bounds how far past the build date a time may be.
const plausible = 50 * 365 * 24 * time.Hour

// A clock knows what was trusted last, in this boot.
type clock struct {
	now   func() time.Time
	build time.Time
	start time.Time

	mu     sync.Mutex
	set    time.Time // trusted time as it was given
	at     time.Time // when, with a monotonic reading
	source TimeSource
}

// SetTime takes a time from the host. It never goes back past the build date
// or the newest trusted time.
func (m *Manager) SetTime(unix int64) error {
	t := time.Unix(unix, 0)
	err := m.Book.Update(func(u *book.Update) error {
		meta := u.State().Meta
		if newest := m.newest(meta); t.Before(newest) || t.Sub(m.cfg.BuildDate) > plausible {
			return fmt.Errorf("time %d: the newest trusted time is %d: %w", unix, newest.Unix(), refusal.ErrBadValue)
		}
		if meta.Trusted != uint64(unix) {
			meta.Trusted, meta.Source = uint64(unix), uint8(HostTime)
			u.Add(meta)
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.clock.trust(t, HostTime)
	return nil
}

// newest is the later of build date and newest trusted time on flash.
func (m *Manager) newest(meta ledger.Meta) time.Time {
	return latest(m.cfg.BuildDate, time.Unix(int64(meta.Trusted), 0))
}

func (c *clock) trust(t time.Time, s TimeSource) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set, c.at, c.source = t, c.now(), s
}

// Time returns the trusted time and where it came from: what the host gave in
// this boot, or what a final block showed, whichever is later; the system's
// clock with NoTime when there is neither.
func (m *Manager) Time() (time.Time, TimeSource) {
	t, source := m.cfg.Now(), NoTime
	m.clock.mu.Lock()
	if m.clock.source != NoTime {
		t, source = m.clock.set.Add(m.clock.now().Sub(m.clock.at)), m.clock.source
	}
	m.clock.mu.Unlock()
	var meta ledger.Meta
	m.Book.View(func(st *ledger.State) { meta = st.Meta })
	chain := m.Life.FinalTime()
	if !chain.Before(m.newest(meta)) && chain.Sub(m.cfg.BuildDate) <= plausible && (source == NoTime || chain.After(t)) {
		t, source = chain, ChainTime
	}
	return t.Round(0), source
}

// TrustedTime is the instant at which certificates are judged: the latest of
// system clock, build date and newest trusted time. A clock at 1970 is no
// excuse for an expired certificate. What blocks say counts only where the
// system's clock is certainly wrong: one network must not make the certificates
// of all others expire.
func (m *Manager) TrustedTime() time.Time {
	var meta ledger.Meta
	m.Book.View(func(st *ledger.State) { meta = st.Meta })
	t := latest(m.cfg.Now(), m.newest(meta))
	if m.Life != nil {
		wrong := m.cfg.Now().Before(m.newest(meta))
		if trusted, source := m.Time(); source == HostTime || (source == ChainTime && wrong) {
			t = latest(t, trusted)
		}
	}
	return t
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
