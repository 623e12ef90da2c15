// Package nets keeps the networks: those of the configuration file with what AT
// changed in them, and those that AT added. It opens each behind
// chains.Network, pins its identity at first contact, and keeps a network that
// turns out to be another one in quarantine.
package nets

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sort"
	"sync"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// MaxNetworks is how many networks there can be.
const MaxNetworks = 32

// A Net is one network as it is now. It is never changed, only replaced.
type Net struct {
	Name     string
	Protocol chains.Protocol
	Options  chains.Options  // in force
	Added    bool            // by AT
	Pinned   chains.Identity // zero before the first contact
	set      chains.Options  // by AT
	chains.Network
}

// Current says whether n is what the ledger has: what was begun with another
// one is not to be finished.
func (n *Net) Current(st *ledger.State) bool {
	rec := st.Networks[n.Name]
	if rec == nil {
		return len(n.set) == 0 && !n.Known()
	}
	known := rec.Chain != nil
	return maps.Equal(rec.Options, n.set) && known == n.Known() && (!known || *rec.Chain == n.Pinned)
}

// Known says whether the network's identity is known.
func (n *Net) Known() bool { return n.Pinned != chains.Identity{} }

// A Config is what a Set is made of.
type Config struct {
	Book      *book.Book
	Protocols *chains.Registry
	Deps      chains.Deps // Quarantine is filled in here
	File      []chains.Config
	AllowAdd  bool
	Log       *slog.Logger
}

// A Set is all networks of a device.
type Set struct {
	cfg  Config
	file map[string]chains.Config

	changing sync.Mutex // held from the decision about a change until it is live

	mu      sync.Mutex
	live    map[string]*Net
	tallies map[string]*tally
	changed func(name string)
}

// Open opens every network of the file and of the ledger.
func Open(cfg Config) (*Set, error) {
	s := &Set{cfg: cfg, file: map[string]chains.Config{}, live: map[string]*Net{}, tallies: map[string]*tally{}, changed: func(string) {}}
	for _, c := range cfg.File {
		s.file[c.Name] = c
	}
	var stored map[string]*ledger.Network
	cfg.Book.View(func(st *ledger.State) {
		stored = maps.Clone(st.Networks)
		s.recall(st)
	})
	cfg.Book.Ride(s.riders)
	for name, c := range s.file {
		if err := s.open(c, stored[name]); err != nil {
			return nil, err
		}
	}
	for name, n := range stored {
		if _, ok := s.file[name]; ok || n.Protocol == "" {
			continue
		}
		if err := s.open(chains.Config{Name: name, Protocol: n.Protocol, Added: true}, n); err != nil {
			cfg.Log.Error("a network that was added by AT cannot be opened", "net", name, "err", err)
		}
	}
	return s, nil
}

// OnChange has f told of every network that is added, replaced or removed.
func (s *Set) OnChange(f func(name string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = f
}

// open puts a network in place; stored may be nil.
func (s *Set) open(c chains.Config, stored *ledger.Network) error {
	n, err := s.build(c, stored)
	if err != nil {
		return err
	}
	s.replace(n)
	return nil
}

// build makes a network of its configuration and what the ledger adds to it.
func (s *Set) build(c chains.Config, stored *ledger.Network) (*Net, error) {
	p, err := s.cfg.Protocols.Protocol(c.Protocol)
	if err != nil {
		return nil, err
	}
	c.Options = maps.Clone(c.Options)
	if c.Options == nil {
		c.Options = chains.Options{}
	}
	n := &Net{Name: c.Name, Protocol: p, Added: c.Added}
	if stored != nil {
		maps.Copy(c.Options, stored.Options)
		n.set = maps.Clone(stored.Options)
		_, moved := stored.Options["endpoints"]
		c.Added = c.Added || moved // URLs that came by AT are foreign, whoever added the network
		c.Chain = stored.Chain
		c.Quarantined = map[string]chains.Identity{}
		for _, q := range stored.Quarantine {
			c.Quarantined[q.Endpoint] = q.Got
		}
		if stored.Chain != nil {
			n.Pinned = *stored.Chain
		}
	}
	if errs := p.Check(c); len(errs) > 0 {
		return nil, fmt.Errorf("network %s: %s: %s: %w", c.Name, errs[0].Option, errs[0].Problem, refusal.ErrBadValue)
	}
	deps := s.cfg.Deps
	deps.Quarantine = func(endpoint string, got chains.Identity) { s.quarantine(c.Name, endpoint, got) }
	deps.Gauge = s.tally(c.Name)
	deps.Known = func() []chains.Identity { return s.known(p.Name) }
	n.Options = c.Options
	if n.Network, err = p.Open(c, deps); err != nil {
		if c.Added { // its URL is good, but not for this device
			err = fmt.Errorf("%w: %w", err, refusal.ErrNotAllowed)
		}
		return nil, fmt.Errorf("opening network %s: %w", c.Name, err)
	}
	return n, nil
}

// replace puts n in the place of the network of its name.
func (s *Set) replace(n *Net) {
	s.mu.Lock()
	old, changed := s.live[n.Name], s.changed
	s.live[n.Name] = n
	s.mu.Unlock()
	if old != nil && old.Network != n.Network {
		closeNetwork(old.Network)
	}
	changed(n.Name)
}

// known returns the chains that networks of a protocol are known to be.
func (s *Set) known(protocol string) []chains.Identity {
	var all []chains.Identity
	for _, n := range s.List() {
		if n.Protocol.Name == protocol && n.Known() {
			all = append(all, n.Pinned)
		}
	}
	return all
}

func closeNetwork(n chains.Network) {
	if c, ok := n.(io.Closer); ok {
		c.Close()
	}
}

// Close closes every network's connections.
func (s *Set) Close() {
	for _, n := range s.List() {
		closeNetwork(n.Network)
	}
}

// Reset goes back to the networks of the file, after the ledger has forgotten
// all others.
func (s *Set) Reset() {
	s.changing.Lock()
	defer s.changing.Unlock()
	for _, n := range s.List() {
		c, ok := s.file[n.Name]
		if ok {
			if err := s.open(c, nil); err != nil {
				s.cfg.Log.Error("a network of the file cannot be opened", "net", n.Name, "err", err)
			}
			continue
		}
		s.drop(n)
	}
}

// drop removes a network.
func (s *Set) drop(n *Net) {
	s.mu.Lock()
	delete(s.live, n.Name)
	delete(s.tallies, n.Name)
	changed := s.changed
	s.mu.Unlock()
	closeNetwork(n.Network)
	changed(n.Name)
}

// Get returns a network as it is now.
func (s *Set) Get(name string) (*Net, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.live[name]
	if n == nil {
		return nil, fmt.Errorf("network %q: %w", name, refusal.ErrNoNetwork)
	}
	return n, nil
}

// List returns all networks in the order of their names.
func (s *Set) List() []*Net {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Net, 0, len(s.live))
	for _, n := range s.live {
		all = append(all, n)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// SameChain says whether a and b share accounts: they do when they are known to
// be the same chain, and while one of them is not known, when they are
// configured as the same.
func SameChain(a, b *Net) bool {
	switch {
	case a.Name == b.Name:
		return true
	case a.Protocol.Name != b.Protocol.Name:
		return false
	case a.Known() && b.Known():
		return a.Pinned == b.Pinned
	default:
		id := a.Options.Text("chain_id")
		return id != "" && id == b.Options.Text("chain_id")
	}
}

// Identify makes the first contact with a network and pins what it is. It
// returns the network as it is then.
func (s *Set) Identify(ctx context.Context, n *Net) (*Net, error) {
	if n.Known() {
		return n, nil
	}
	id, err := n.Network.Identify(ctx)
	if err != nil {
		return nil, fmt.Errorf("identifying network %s: %w", n.Name, err)
	}
	err = s.cfg.Book.Update(func(u *book.Update) error {
		rec := stored(u.State(), n.Name)
		rec.Chain = &id
		u.Add(rec)
		return nil
	})
	if err != nil {
		return nil, err
	}
	pinned := *n
	pinned.Pinned = id
	s.mu.Lock()
	if s.live[n.Name] == n {
		s.live[n.Name] = &pinned
	}
	s.mu.Unlock()
	return &pinned, nil
}

// stored returns a copy of what the ledger has of a network, which may be
// nothing but its name.
func stored(st *ledger.State, name string) ledger.Network {
	rec := ledger.Network{Name: name}
	if old := st.Networks[name]; old != nil {
		rec = *old
	}
	rec.Options = maps.Clone(rec.Options)
	rec.Quarantine = slices.Clone(rec.Quarantine)
	return rec
}

// quarantine notes an endpoint that answered as another chain, and raises the
// alarm.
func (s *Set) quarantine(name, endpoint string, got chains.Identity) {
	err := s.cfg.Book.Update(func(u *book.Update) error {
		rec := stored(u.State(), name)
		if rec.Chain != nil && *rec.Chain == got { // accepted meanwhile
			return nil
		}
		for _, q := range rec.Quarantine {
			if q.Endpoint == endpoint && q.Got == got {
				return nil
			}
		}
		rec.Quarantine = slices.DeleteFunc(rec.Quarantine, func(q ledger.Quarantine) bool { return q.Endpoint == endpoint })
		rec.Quarantine = append(rec.Quarantine, ledger.Quarantine{Endpoint: endpoint, Got: got})
		u.Add(rec)
		u.Emit(book.Alarm(ledger.OtherChain, name))
		return nil
	})
	s.cfg.Log.Error("endpoint is on another chain and is not used", "net", name, "chain_id", got.ChainID, "genesis", got.Genesis, "err", err)
}
