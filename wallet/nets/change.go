package nets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/refusal"
)

// AcceptNewChain is the option by which a host accepts that a network has
// become another chain. It is an act, not a setting.
const AcceptNewChain = "accept_new_chain"

// Add adds a network. The same one again is the same answer.
func (s *Set) Add(name, protocol, url, chainID string) error {
	if !s.cfg.AllowAdd {
		return fmt.Errorf("adding network %s: net.allow_add is false: %w", name, refusal.ErrNotAllowed)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	if old, err := s.Get(name); err == nil {
		same := old.Added && old.Protocol.Name == protocol && old.Options.Text("endpoints") == url &&
			(chainID == "" || old.Options.Text("chain_id") == chainID)
		if !same {
			return fmt.Errorf("network %q: %w", name, refusal.ErrExists)
		}
		return s.cfg.Book.Durable()
	}
	if len(s.List()) >= MaxNetworks {
		return fmt.Errorf("adding network %s: there are %d: %w", name, MaxNetworks, refusal.ErrFull)
	}
	if _, err := s.cfg.Protocols.Protocol(protocol); err != nil {
		return fmt.Errorf("adding network %s: %w: %w", name, err, refusal.ErrNoOption)
	}
	if strings.Contains(url, ",") {
		return fmt.Errorf("adding network %s: one URL, not a list: %w", name, refusal.ErrBadValue)
	}
	rec := ledger.Network{Name: name, Protocol: protocol, Options: chains.Options{"endpoints": url}}
	if chainID != "" {
		rec.Options["chain_id"] = chainID
	}
	n, err := s.build(chains.Config{Name: name, Protocol: protocol, Added: true}, &rec)
	if err != nil {
		return err
	}
	err = s.cfg.Book.Update(func(u *book.Update) error {
		if u.State().Wallets[name] != nil {
			return fmt.Errorf("%q is a wallet: %w", name, refusal.ErrExists)
		}
		u.Add(rec)
		return nil
	})
	if err != nil {
		closeNetwork(n.Network)
		return err
	}
	s.replace(n)
	return nil
}

// Delete removes a network that AT added, and its peers. One that is not there
// is no error.
func (s *Set) Delete(name string) error {
	if _, ok := s.file[name]; ok {
		return fmt.Errorf("network %q is in the configuration file: %w", name, refusal.ErrNotAllowed)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	n, err := s.Get(name)
	if err != nil {
		return nil
	}
	err = s.cfg.Book.Update(func(u *book.Update) error {
		for _, w := range u.State().Wallets {
			if w.Net == name {
				return fmt.Errorf("network %q is the network of wallet %q: %w", name, w.Name, refusal.ErrInUse)
			}
		}
		for _, t := range u.State().Open {
			if t.Net == name {
				return fmt.Errorf("network %q has an open transaction %d: %w", name, t.ID, refusal.ErrInUse)
			}
		}
		for _, sub := range u.State().Subs {
			if sub.Net == name {
				return fmt.Errorf("network %q is the network of subscription %d: %w", name, sub.N, refusal.ErrInUse)
			}
		}
		for _, p := range u.State().Peers {
			if p.Net == name {
				u.Add(ledger.PeerGone{Name: p.Name})
			}
		}
		u.Add(ledger.NetworkGone{Name: name})
		return nil
	})
	if err != nil {
		return err
	}
	s.drop(n)
	return nil
}

// Set changes an option of a network. For one of the file it may only make
// things stricter, unless the file lists the option in at_may_set.
func (s *Set) Set(name, option, value string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	n, err := s.Get(name)
	if err != nil {
		return err
	}
	row, ok := chains.LookupOption(option)
	if !ok {
		return fmt.Errorf("network option %q: %w", option, refusal.ErrNoOption)
	}
	if n.Options.Text(option) == value {
		return s.cfg.Book.Durable()
	}
	if err := s.maySet(n, row, value); err != nil {
		return err
	}
	return s.restore(name, func(_ *book.Update, rec *ledger.Network) {
		if rec.Options == nil {
			rec.Options = chains.Options{}
		}
		rec.Options[option] = value
	})
}

// maySet applies the rules of configuration.md, "Network options by AT".
func (s *Set) maySet(n *Net, row chains.Option, value string) error {
	if row.FileOnly || row.Kind == chains.Path {
		return fmt.Errorf("network option %q is only set in the file: %w", row.Name, refusal.ErrNotAllowed)
	}
	if err := row.CheckText(value); err != nil {
		return fmt.Errorf("network option %q: %w: %w", row.Name, err, refusal.ErrBadValue)
	}
	if row.Name == "endpoints" && !s.cfg.AllowAdd {
		return fmt.Errorf("setting endpoints of %s: net.allow_add is false: %w", n.Name, refusal.ErrNotAllowed)
	}
	if n.Added || slices.Contains(n.Options.List("at_may_set"), row.Name) || row.Tightens(n.Options.Text(row.Name), value) {
		return nil
	}
	return fmt.Errorf("network option %q of %s may only become stricter by AT: %w", row.Name, n.Name, refusal.ErrNotAllowed)
}

// restore changes what the ledger has of a network and opens it anew. s.changing
// is held.
func (s *Set) restore(name string, change func(*book.Update, *ledger.Network)) error {
	c, ok := s.file[name]
	var fresh *Net
	err := s.cfg.Book.Update(func(u *book.Update) error {
		rec := stored(u.State(), name)
		if !ok {
			c = chains.Config{Name: name, Protocol: rec.Protocol, Added: true}
		}
		change(u, &rec)
		var err error
		if fresh, err = s.build(c, &rec); err != nil {
			return err
		}
		u.Add(rec)
		return nil
	})
	if err != nil {
		if fresh != nil {
			closeNetwork(fresh.Network)
		}
		return err
	}
	s.replace(fresh)
	return nil
}

// Accept makes the chain with the given genesis hash, as which an endpoint in
// quarantine has answered, the network's own. What is open on the old chain has
// ids below ledger.Network.Since then. Accounts take their next nonce from the
// chain, above what is signed and open on it. The present chain's own hash, or
// that of one that the configured chain id rules out, only lifts the quarantine:
// the endpoints are asked again.
func (s *Set) Accept(name, genesis string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	n, err := s.Get(name)
	if err != nil {
		return err
	}
	genesis = strings.TrimPrefix(strings.ToLower(genesis), "0x")
	var rec ledger.Network
	s.cfg.Book.View(func(st *ledger.State) { rec = stored(st, name) })
	seen, accepted := acceptable(n, rec.Quarantine, genesis)
	switch {
	case accepted != nil:
		return s.restore(name, func(u *book.Update, rec *ledger.Network) {
			rec.Chain, rec.Quarantine, rec.Final, rec.Since = accepted, nil, chains.Head{}, u.State().Meta.NextID
			rebase(u, *accepted)
		})
	case seen:
		return s.restore(name, func(_ *book.Update, rec *ledger.Network) { rec.Quarantine = nil })
	}
	return fmt.Errorf("no endpoint of network %s has answered with the hash %q: %w", name, genesis, refusal.ErrBadValue)
}

// rebase has the accounts of a chain that a network goes over to ask for their
// next nonce again. Another network may have been on that chain all the time:
// the nonces of what is open there stay taken.
func rebase(u *book.Update, chain chains.Identity) {
	for id := range u.State().Accounts {
		if id.Chain != chain {
			continue
		}
		fresh := ledger.Account{ID: id, Adopt: true}
		for _, t := range u.State().Open {
			if t.Signed() && t.Account == id {
				fresh.Next = max(fresh.Next, t.Nonce()+1)
			}
		}
		u.Add(fresh)
	}
}

// acceptable returns the identity with a genesis hash that n may become, nil
// without one; seen says that n is that chain, or an endpoint answered so.
func acceptable(n *Net, quarantine []ledger.Quarantine, genesis string) (seen bool, accepted *chains.Identity) {
	seen = n.Known() && n.Pinned.Genesis == genesis
	want := n.Options.Text("chain_id")
	for _, q := range quarantine {
		if q.Got.Genesis != genesis {
			continue
		}
		seen = true
		if q.Got != n.Pinned && (want == "" || want == q.Got.ChainID) {
			accepted = &q.Got
		}
	}
	return seen, accepted
}

// A Setting is an option as a host may see it.
type Setting struct{ Option, Value string }

// Settings returns a network's options in the order of the table, lists as one
// setting an element, and after them what is known of its chain. URLs are as
// configured: whoever shows them shows their hosts only.
func (s *Set) Settings(name string) ([]Setting, error) {
	n, err := s.Get(name)
	if err != nil {
		return nil, err
	}
	all := []Setting{{"protocol", n.Protocol.Name}}
	for _, row := range chains.OptionTable {
		if row.Kind != chains.List {
			all = append(all, Setting{row.Name, n.Options.Text(row.Name)})
			continue
		}
		for _, v := range n.Options.List(row.Name) {
			all = append(all, Setting{row.Name, v})
		}
	}
	if n.Known() {
		all = append(all, Setting{"chain", n.Pinned.ChainID}, Setting{"genesis", n.Pinned.Genesis})
	}
	s.cfg.Book.View(func(st *ledger.State) {
		for _, q := range stored(st, name).Quarantine {
			all = append(all, Setting{"quarantine", q.Got.Genesis})
		}
	})
	return all, nil
}
