// Package wallet is the room of wallets: keys, networks and addresses under
// names, access by PIN, limits, and the life of transactions, all of it durable
// in one journal. It knows chains and key stores as interfaces only.
//
//	journal   frames on flash, one sync each        (knows bytes)
//	ledger    what is known, as a fold over records (knows meanings)
//	book      journal and ledger as one, events     (knows when)
//	nets      networks and which chain they are
//	keys      keys in their stores
//	life      the life of a transaction
//	subs      contract events
//	access    PIN and PUK, as arithmetic
//	sessions  TLS sessions, for shorter handshakes
//	wallet    this package: what is left, and the parts put together
package wallet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/budget"
	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/tee"
	"github.com/boatd/boatd/wallet/access"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/nets"
	"github.com/boatd/boatd/wallet/sessions"
	"github.com/boatd/boatd/wallet/subs"
)

// A Config is what a Manager is opened with.
type Config struct {
	FS        vfs.FS
	Rand      io.Reader
	Now       func() time.Time
	Jitter    func() float64 // random, 0 to 1; nil: math/rand
	BuildDate time.Time
	Log       *slog.Logger
	Journal   journal.Options // sizes only

	Protocols *chains.Registry
	Deps      chains.Deps // Rand, Now, TrustedTime and Quarantine are filled in
	Networks  []chains.Config
	AllowAdd  bool
	Bearer    func(*nets.Net) bool

	Stores      []keystore.Store
	Sealer      tee.Sealer
	Minimum     string
	AllowImport bool
	AllowExport bool
	KeyFiles    map[uint32]keys.File // formats in which keys come and go
	Schemes     map[uint32]Scheme    // of signatures, by the numbers of the AT interface
	// AllowDigests lets keys with that usage sign bare digests.
	AllowDigests bool

	PINCost   access.Cost
	OpenReset bool // factory reset without PIN

	Limits     []life.Limit
	RequireRef bool
	KeepEnded  int
	QueueMax   int
}

// A Manager is the wallet room of one device.
type Manager struct {
	Book *book.Book
	Nets *nets.Set
	Keys *keys.Ring
	Life *life.Engine
	Subs *subs.Set

	cfg      Config
	sessions *sessions.Store
	pin      turn // one attempt at a time, on whatever channel
	clock    clock
	diag     struct {
		sync.Mutex
		writes  budget.Budget
		verdict error // of the last one
	}

	looping atomic.Bool
	ping    chan chan struct{}
}

// Open opens the journal and everything that is in it, and finishes a factory
// reset that was cut short. Nothing talks to a network before Run.
func Open(ctx context.Context, cfg Config) (*Manager, error) {
	b, err := book.Open(book.Config{FS: cfg.FS, Rand: cfg.Rand, Now: cfg.Now, Log: cfg.Log, KeepEnded: cfg.KeepEnded, Journal: cfg.Journal})
	if err != nil {
		return nil, err
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	m := &Manager{Book: b, cfg: cfg, pin: make(turn, 1), ping: make(chan chan struct{})}
	m.diag.writes = budget.Budget{Burst: 8, Every: time.Minute}
	m.clock = clock{now: cfg.Now, build: cfg.BuildDate, start: cfg.Now()}
	if err := m.open(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return m, nil
}

func (m *Manager) open(ctx context.Context) (err error) {
	cfg := m.cfg
	m.Keys = keys.New(keys.Config{Book: m.Book, Stores: cfg.Stores, Minimum: cfg.Minimum,
		AllowImport: cfg.AllowImport, AllowExport: cfg.AllowExport, Files: cfg.KeyFiles, Log: cfg.Log})
	m.sessions = sessions.New(sessions.Config{Book: m.Book, Sealer: cfg.Sealer, Rand: cfg.Rand, Log: cfg.Log})
	deps := cfg.Deps
	deps.Sessions = m.sessions
	deps.Rand, deps.Now, deps.TrustedTime = cfg.Rand, cfg.Now, m.TrustedTime
	m.Nets, err = nets.Open(nets.Config{Book: m.Book, Protocols: cfg.Protocols, Deps: deps, File: cfg.Networks, AllowAdd: cfg.AllowAdd, Log: cfg.Log})
	if err != nil {
		return err
	}
	m.Subs = subs.New(subs.Config{Book: m.Book, Nets: m.Nets, Now: cfg.Now, Log: cfg.Log})
	m.Life = life.New(life.Config{Follower: m.Subs, Book: m.Book, Nets: m.Nets, Keys: m.Keys, Limits: cfg.Limits, QueueMax: cfg.QueueMax,
		RequireRef: cfg.RequireRef, NotBefore: uint64(max(0, cfg.BuildDate.Unix())), Now: cfg.Now, Jitter: cfg.Jitter, Bearer: cfg.Bearer, Log: cfg.Log})
	if err := m.bindAll(); errors.Is(err, book.ErrFlash) { // they hold all the same as long as the wallets are there
		cfg.Log.Error("limits were not noted on their keys", "err", err)
	} else if err != nil {
		return err
	}
	return m.finishReset(ctx)
}

// Close ends everything that Open began. Run must have returned.
func (m *Manager) Close() error {
	m.Nets.Close()
	return m.Book.Close()
}

// tick is how often the running time is journaled while something depends on it.
const tick = 10 * time.Minute

// Run carries transactions and keeps the journal small until ctx is done. When
// it returns, everything that was begun is settled.
func (m *Manager) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { m.Life.Run(ctx) })
	m.maintain(ctx)
	wg.Wait()
	if m.timeMatters() {
		if err := m.noteRunning(); err != nil {
			m.cfg.Log.Warn("the running time was not written at the end", "err", err)
		}
	}
	m.sessions.Write(context.WithoutCancel(ctx), true)
	if err := m.Book.Flush(); err != nil {
		m.cfg.Log.Warn("the bytes used today were not written at the end", "err", err)
	}
}

func (m *Manager) maintain(ctx context.Context) {
	m.looping.Store(true)
	defer m.looping.Store(false)
	timer := time.NewTimer(tick)
	defer timer.Stop()
	for {
		changed := m.Book.Changed()
		if err := m.Book.Compact(false); err != nil {
			m.cfg.Log.Error("compacting the journal failed; it goes on growing", "err", err)
		}
		m.sessions.Write(ctx, false)
		if !m.timeMatters() {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case c := <-m.ping:
			close(c)
		case <-timer.C:
			if err := m.noteRunning(); err != nil {
				m.cfg.Log.Warn("the running time was not written", "err", err)
			}
			timer.Reset(tick)
		case <-changed:
			timer.Reset(tick)
		}
	}
}

// timeMatters says whether something durable depends on the running time.
func (m *Manager) timeMatters() (matters bool) {
	m.Book.View(func(st *ledger.State) {
		for _, t := range st.Open {
			matters = matters || t.Expire != 0
		}
		for _, l := range m.cfg.Limits {
			signed, _ := l.Held(st, m.Book.Running(), 0, 0)
			matters = matters || (l.PerDay != nil && signed.Sign() > 0)
		}
	})
	return matters || m.Nets.Waiting()
}

// noteRunning journals the running time: every batch carries it.
func (m *Manager) noteRunning() error {
	return m.Book.Update(func(u *book.Update) error {
		u.Add(u.State().Meta)
		return nil
	})
}

// Alive asks every loop of the room to answer.
func (m *Manager) Alive(ctx context.Context) error {
	if !m.looping.Load() {
		return nil
	}
	c := make(chan struct{})
	select {
	case m.ping <- c:
	case <-time.After(30 * time.Second):
		return errors.New("the wallet's maintenance does not answer")
	case <-ctx.Done():
		return nil
	}
	return m.Life.Alive(ctx)
}

// Channel returns the settings of an AT channel, nil without any.
func (m *Manager) Channel(name string) []byte {
	var b []byte
	m.Book.View(func(st *ledger.State) { b = st.Channels[name] })
	return b
}

// SetChannel keeps the settings of an AT channel.
func (m *Manager) SetChannel(name string, settings []byte) error {
	err := m.Book.Update(func(u *book.Update) error {
		if string(u.State().Channels[name]) != string(settings) {
			u.Add(ledger.Channel{Name: name, Settings: settings})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping the settings of channel %s: %w", name, err)
	}
	return nil
}

// Off settles and stops all network work, for good: the power may be cut when
// it returns.
func (m *Manager) Off(ctx context.Context) error {
	if err := m.Life.Stop(ctx); err != nil {
		return fmt.Errorf("stopping network work: %w", err)
	}
	m.sessions.Write(ctx, true)
	if m.timeMatters() {
		return m.noteRunning()
	}
	return m.Book.Flush()
}

// AccountsOf returns a function that tells the accounts which a public key has
// on the networks whose chain is known.
func (m *Manager) AccountsOf(curve string) func(public []byte) []ledger.AccountID {
	return func(public []byte) []ledger.AccountID {
		var ids []ledger.AccountID
		for _, n := range m.Nets.List() {
			if a, err := n.Address(curve, public); err == nil && n.Known() {
				ids = append(ids, ledger.AccountID{Chain: n.Pinned, Address: a})
			}
		}
		return ids
	}
}
