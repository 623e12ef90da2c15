// Package subs follows contract events: at least once, and without a gap.
//
// A look at a network asks how far its chain is and which events lie between
// what was looked through and the newest block, tells hosts of those that they
// have not been told of, and writes how far it has come in the same step. Blocks
// that are not final may be replaced. So what was told of them is remembered
// (ledger.Mark) until they are final: when the block up to which was looked is
// not in the chain any more, and whenever some blocks have become final, all
// above the last final one is looked through again. Then an event that is not
// there any more is followed by an alarm, and one that a node did not show the
// first time is told.
//
// Nothing here waits: life calls Look when it is time and asks again when Look
// says. What is remembered in memory alone may be lost at any time and costs a
// repeated question.
package subs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/nets"
	"github.com/boatd/boatd/wallet/refusal"
)

// Bounds.
const (
	// Max is how many subscriptions there can be.
	Max = 8
	// MaxKept is how many events and alarms hosts may leave unacknowledged: with
	// them, or with MaxKeptBytes of them, nothing more is looked for.
	MaxKept      = 1024
	MaxKeptBytes = 1 << 20
	// MaxData is how much of an event's data is kept.
	MaxData = 64 << 10
)

// A Config is what a Set is made of.
type Config struct {
	Book *book.Book
	Nets *nets.Set
	Now  func() time.Time
	Log  *slog.Logger
}

// A Set is all subscriptions of a device.
type Set struct {
	cfg Config

	mu    sync.Mutex
	paces map[string]*pace
}

// New returns the subscriptions of the ledger.
func New(cfg Config) *Set { return &Set{cfg: cfg, paces: map[string]*pace{}} }

// Add subscribes to an event of a contract, which is named by its address or as a
// peer; values are for the event's indexed parameters, nil for any. It returns the
// subscription's number, which is durable, and has not looked at the network yet.
// The same subscription again is the same number. No event of a new one can be read
// until release is called, which must happen once the host has the number.
func (s *Set) Add(net, contract, event string, values []*string) (number uint32, release func(), err error) {
	release = func() {}
	n, err := s.cfg.Nets.Get(net)
	if err != nil {
		return 0, release, err
	}
	e, ok := n.Network.(chains.Eventer)
	if !ok {
		return 0, release, fmt.Errorf("events on network %s: %w", net, refusal.ErrNotBuilt)
	}
	err = s.cfg.Book.Update(func(u *book.Update) error {
		st := u.State()
		peer := func(name string) (string, error) { return life.Recipient(st, n, name) }
		address, err := peer(contract)
		if err != nil {
			return err
		}
		f, err := e.ParseEvent(address, event, values, peer)
		if err != nil {
			return fmt.Errorf("event of %s: %w", address, err)
		}
		for _, sub := range st.Subs {
			if sub.Net == net && same(sub.Filter, f) {
				number = sub.N
				return nil
			}
		}
		if len(st.Subs) >= Max {
			return fmt.Errorf("subscribing to an event of %s: there are %d subscriptions: %w", address, Max, refusal.ErrFull)
		}
		number = free(st)
		release = s.cfg.Book.HoldSubscription(number)
		u.Add(ledger.Subscription{N: number, Net: net, Filter: f})
		return nil
	})
	if err != nil {
		release()
		return 0, func() {}, err
	}
	s.Hurry(net)
	return number, release, nil
}

func same(a, b chains.Filter) bool {
	return a.Contract == b.Contract && a.Event == b.Event &&
		slices.EqualFunc(a.Topics, b.Topics, func(x, y []byte) bool { return (x == nil) == (y == nil) && bytes.Equal(x, y) })
}

// free returns the lowest number that no subscription has and no event that is
// kept.
func free(st *ledger.State) uint32 {
	taken := map[uint32]bool{}
	for n := range st.Subs {
		taken[n] = true
	}
	for _, e := range st.Events {
		taken[e.Sub] = true
	}
	n := uint32(1)
	for taken[n] {
		n++
	}
	return n
}

// Delete ends a subscription; what it has told stays until it is acknowledged.
// One that is not there is no error.
func (s *Set) Delete(number uint32) error {
	return s.cfg.Book.Update(func(u *book.Update) error {
		if u.State().Subs[number] != nil {
			u.Add(ledger.SubscriptionGone{N: number})
		}
		return nil
	})
}

// List returns copies of all subscriptions by rising number.
func (s *Set) List() []ledger.Subscription {
	var all []ledger.Subscription
	s.cfg.Book.View(func(st *ledger.State) {
		for _, sub := range st.Subs {
			c := *sub
			c.Marks = slices.Clone(sub.Marks)
			all = append(all, c)
		}
	})
	slices.SortFunc(all, func(a, b ledger.Subscription) int { return cmp.Compare(a.N, b.N) })
	return all
}

// Event returns an event that is not acknowledged.
func (s *Set) Event(record uint32) (*ledger.Event, error) {
	var e *ledger.Event
	s.cfg.Book.View(func(st *ledger.State) { e = st.Event(record) })
	if e == nil {
		return nil, fmt.Errorf("event %d: %w", record, refusal.ErrNoTx)
	}
	return e, nil
}

// Acknowledge forgets the unsolicited codes up to seq, and says on which networks
// there was no room and now may be.
func (s *Set) Acknowledge(seq uint32) (waiting []string, err error) {
	if err := s.cfg.Book.Acknowledge(seq); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for net, p := range s.paces {
		if p.parked {
			p.parked, p.due = false, time.Time{}
			waiting = append(waiting, net)
		}
	}
	return waiting, nil
}

// Hurry has a network looked at as soon as life asks.
func (s *Set) Hurry(net string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pace(net)
	p.due, p.active = time.Time{}, s.cfg.Now()
}

// room is how many more events hosts may be told of.
func room(st *ledger.State) int {
	if st.EventBytes >= MaxKeptBytes {
		return 0
	}
	return max(0, MaxKept-len(st.Events)-len(st.Alarms))
}

// of returns copies of the subscriptions on a network by rising number, and
// whether there is room for anything that they may find.
func (s *Set) of(net string) (mine []ledger.Subscription, full bool) {
	for _, sub := range s.List() {
		if sub.Net == net {
			mine = append(mine, sub)
		}
	}
	s.cfg.Book.View(func(st *ledger.State) { full = room(st) == 0 })
	return mine, full
}

// Why what was found is not told.
var (
	errGone  = errors.New("the subscription was ended meanwhile")
	errStale = errors.New("the network was changed meanwhile")
)
