package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/keys"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/life"
	"github.com/boatd/boatd/wallet/nets"
	"github.com/boatd/boatd/wallet/refusal"
)

// Bounds.
const (
	MaxWallets = 64
	MaxPeers   = 256
)

// AddWallet puts a key on a network and returns the wallet's address. Without a
// key, the one of the wallet's name is used, and generated if it is not there.
// The same wallet again is the same answer.
func (m *Manager) AddWallet(ctx context.Context, name, net, key string) (string, error) {
	n, err := m.Nets.Get(net)
	if err != nil {
		return "", err
	}
	if old := m.wallet(name); old != nil {
		if err := sameWallet(old, net, key); err != nil {
			return "", err
		}
		if err := m.Book.Durable(); err != nil {
			return "", err
		}
		return m.Address(name)
	}
	if _, err := m.Nets.Get(name); err == nil {
		return "", fmt.Errorf("%q is a network: %w", name, refusal.ErrExists)
	}
	if len(m.Wallets()) >= MaxWallets { // before a key is made for it
		return "", fullOfWallets(name)
	}
	k, err := m.walletKey(ctx, n, name, key)
	if err != nil {
		return "", err
	}
	address, err := n.Address(k.Curve, k.Public)
	if err != nil {
		return "", fmt.Errorf("wallet %s: key %q on network %s: %w: %w", name, k.Name, net, err, refusal.ErrCannot)
	}
	return address, m.Book.Update(func(u *book.Update) error {
		st := u.State()
		switch {
		case st.Wallets[name] != nil: // made by another channel meanwhile
			return sameWallet(st.Wallets[name], net, k.Name)
		case len(st.Wallets) >= MaxWallets:
			return fullOfWallets(name)
		case st.Keys[k.Name] == nil:
			return fmt.Errorf("wallet %s: key %q: %w", name, k.Name, refusal.ErrNoKey)
		}
		u.Add(ledger.Wallet{Name: name, Net: net, Key: k.Name})
		m.bind(u, st.Keys[k.Name], name)
		return nil
	})
}

// bind notes on the key of wallets that it is one, and which limits hold for it,
// whatever becomes of the wallets.
func (m *Manager) bind(u *book.Update, key *ledger.Key, wallets ...string) {
	if key == nil {
		return
	}
	bound := *key
	bound.OfWallet, bound.Limited = true, slices.Clone(key.Limited)
	for _, w := range wallets {
		limited := slices.ContainsFunc(m.cfg.Limits, func(l life.Limit) bool { return l.Wallet == w })
		if limited && !slices.Contains(bound.Limited, w) {
			bound.Limited = append(bound.Limited, w)
		}
	}
	if !key.OfWallet || len(bound.Limited) > len(key.Limited) {
		u.Add(bound)
	}
}

// bindAll does so for the wallets that were there before their limits.
func (m *Manager) bindAll() error {
	if len(m.cfg.Limits) == 0 {
		return nil
	}
	return m.Book.Update(func(u *book.Update) error {
		of := map[string][]string{}
		for _, w := range u.State().Wallets {
			of[w.Key] = append(of[w.Key], w.Name)
		}
		for key, wallets := range of {
			m.bind(u, u.State().Keys[key], wallets...)
		}
		return nil
	})
}

func fullOfWallets(name string) error {
	return fmt.Errorf("wallet %s: there are %d wallets: %w", name, MaxWallets, refusal.ErrFull)
}

// sameWallet says whether a wallet is on net with that key; "" is any.
func sameWallet(w *ledger.Wallet, net, key string) error {
	if w.Net != net || (key != "" && w.Key != key) {
		return fmt.Errorf("wallet %q is key %q on network %q: %w", w.Name, w.Key, w.Net, refusal.ErrExists)
	}
	return nil
}

// walletKey finds or makes the key of a new wallet.
func (m *Manager) walletKey(ctx context.Context, n *nets.Net, wallet, key string) (*ledger.Key, error) {
	name := key
	if name == "" {
		name = wallet
	}
	k, err := m.Keys.Get(name)
	if errors.Is(err, refusal.ErrNoKey) && key == "" {
		k, err = m.Keys.Generate(ctx, keys.Request{Name: name, Curve: n.Protocol.Curves[0]})
	}
	switch {
	case err != nil:
		return nil, err
	case k.State != ledger.Active:
		return nil, fmt.Errorf("key %q: %w", name, refusal.ErrKeyInactive)
	case !strings.ContainsRune(k.Usage, keys.UseTransactions):
		return nil, fmt.Errorf("key %q has no usage %q: %w", name, keys.UseTransactions, refusal.ErrCannot)
	}
	return k, nil
}

func (m *Manager) wallet(name string) *ledger.Wallet {
	var found *ledger.Wallet
	m.Book.View(func(st *ledger.State) {
		if w := st.Wallets[name]; w != nil {
			c := *w
			found = &c
		}
	})
	return found
}

// Wallets returns all wallets in the order of their names.
func (m *Manager) Wallets() []ledger.Wallet {
	var all []ledger.Wallet
	m.Book.View(func(st *ledger.State) {
		for _, w := range st.Wallets {
			all = append(all, *w)
		}
	})
	slices.SortFunc(all, func(a, b ledger.Wallet) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Protection returns the kind of the weakest store that holds an active key of a
// wallet, "none" where there is no such key.
func (m *Manager) Protection() string {
	weakest := -1
	for _, w := range m.Wallets() {
		k, err := m.Keys.Get(w.Key)
		if err != nil || k.State != ledger.Active {
			continue
		}
		if i := slices.Index(keys.Strength, k.Store); weakest < 0 || i < weakest {
			weakest = i
		}
	}
	if weakest < 0 {
		return "none"
	}
	return keys.Strength[weakest]
}

// DeleteWallet removes a wallet without open transactions, never its key. One
// that is not there is no error.
func (m *Manager) DeleteWallet(name string) error {
	return m.Book.Update(func(u *book.Update) error {
		if u.State().Wallets[name] == nil {
			return nil
		}
		for _, t := range u.State().Open {
			if t.Wallet == name {
				return fmt.Errorf("wallet %q has an open transaction %d: %w", name, t.ID, refusal.ErrInUse)
			}
		}
		u.Add(ledger.WalletGone{Name: name})
		return nil
	})
}

// Address returns a wallet's address as its chain shows it.
func (m *Manager) Address(wallet string) (string, error) {
	_, a, err := m.Life.Account(wallet)
	return a.Address, err
}

// AddPeer names an address on a network. The same peer again is the same answer.
func (m *Manager) AddPeer(name, net, address string, decimals *uint8) error {
	n, err := m.Nets.Get(net)
	if err != nil {
		return err
	}
	if address, err = n.ParseAddress(address); err != nil {
		return fmt.Errorf("peer %s on network %s: %w", name, net, err)
	}
	return m.Book.Update(func(u *book.Update) error {
		peers := u.State().Peers
		if old := peers[name]; old != nil {
			same := old.Net == net && old.Address == address &&
				(decimals == nil || (old.Decimals != nil && *old.Decimals == *decimals))
			if !same {
				return fmt.Errorf("peer %q is %s on network %s: %w", name, old.Address, old.Net, refusal.ErrExists)
			}
			return nil
		}
		if len(peers) >= MaxPeers {
			return fmt.Errorf("peer %s: there are %d peers: %w", name, MaxPeers, refusal.ErrFull)
		}
		u.Add(ledger.Peer{Name: name, Net: net, Address: address, Decimals: decimals})
		return nil
	})
}

// Peers returns all peers in the order of their names.
func (m *Manager) Peers() []ledger.Peer {
	var all []ledger.Peer
	m.Book.View(func(st *ledger.State) {
		for _, p := range st.Peers {
			all = append(all, *p)
		}
	})
	slices.SortFunc(all, func(a, b ledger.Peer) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// DeletePeer removes a peer. One that is not there is no error.
func (m *Manager) DeletePeer(name string) error {
	return m.Book.Update(func(u *book.Update) error {
		if u.State().Peers[name] != nil {
			u.Add(ledger.PeerGone{Name: name})
		}
		return nil
	})
}

// A Balance is what a wallet holds of one asset.
type Balance struct {
	Decimals int    // -1 not known
	Units    string // smallest units, decimal
	Symbol   string // of a token foreign text
}

// Balance asks the network what a wallet holds of its native coin, or of a token,
// which is named by its address or as a peer.
func (m *Manager) Balance(ctx context.Context, wallet, asset string) (Balance, error) {
	n, a, err := m.Life.Account(wallet)
	if err != nil {
		return Balance{}, err
	}
	b, ok := n.Network.(chains.Balancer)
	if !ok {
		return Balance{}, fmt.Errorf("balance on network %s: %w", n.Name, refusal.ErrNotBuilt)
	}
	if asset != "" {
		return m.tokenBalance(ctx, n, a.Address, asset)
	}
	if _, err := m.contact(ctx, n); err != nil {
		return Balance{}, err
	}
	units, err := b.Balance(ctx, a.Address)
	if err != nil {
		return Balance{}, fmt.Errorf("balance of wallet %s: %w", wallet, err)
	}
	m.Life.SawBalance(n, wallet, units)
	return Balance{Decimals: n.Protocol.Decimals, Units: units.String(), Symbol: n.Protocol.Symbol}, nil
}

func (m *Manager) tokenBalance(ctx context.Context, n *nets.Net, account, asset string) (b Balance, err error) {
	t, ok := n.Network.(chains.Tokener)
	if !ok {
		return b, fmt.Errorf("tokens on network %s: %w", n.Name, refusal.ErrNotBuilt)
	}
	var contract string
	var peer *ledger.Peer
	m.Book.View(func(st *ledger.State) {
		peer = st.Peers[asset]
		contract, err = life.Recipient(st, n, asset)
	})
	if err != nil {
		return b, err
	}
	if _, err := m.contact(ctx, n); err != nil {
		return b, err
	}
	token, err := t.Token(ctx, account, contract)
	if err != nil {
		return b, fmt.Errorf("balance of token %s: %w", contract, err)
	}
	b = Balance{Decimals: token.Decimals, Units: token.Units.String(), Symbol: token.Symbol}
	if token.Decimals >= 0 {
		m.Life.HeardDecimals(n.Name, contract, token.Decimals)
	} else if peer != nil && peer.Decimals != nil {
		b.Decimals = int(*peer.Decimals)
	}
	return b, nil
}

// An Answer is what a contract has returned: all of it and, where the function
// names what it returns and they are short, its values.
type Answer struct {
	Data   []byte
	Values []chains.Typed
	Fit    bool // Values tells all
}

// Query reads a contract in the name of a wallet, or of nobody on a network.
// Values are told as long as none has a text of more than limit bytes.
func (m *Manager) Query(ctx context.Context, name, contract string, in life.Input, limit int) (*Answer, error) {
	n, from, err := m.asker(name)
	if err != nil {
		return nil, err
	}
	q, ok := n.Network.(chains.Querier)
	if !ok {
		return nil, fmt.Errorf("query on network %s: %w", n.Name, refusal.ErrNotBuilt)
	}
	var to string
	var data []byte
	m.Book.View(func(st *ledger.State) {
		if to, err = life.Recipient(st, n, contract); err == nil {
			data, err = in.Encode(st, n, chains.Call)
		}
	})
	if err != nil {
		return nil, err
	}
	if _, err := m.contact(ctx, n); err != nil {
		return nil, err
	}
	a := &Answer{}
	if a.Data, err = q.Query(ctx, from, to, data); err != nil {
		return nil, fmt.Errorf("query of %s on network %s: %w", to, n.Name, err)
	}
	if err := a.decode(n, in.Function, limit); err != nil {
		return nil, fmt.Errorf("query of %s on network %s: %w", to, n.Name, err)
	}
	return a, nil
}

// decode reads the values of an answer where the function names them.
func (a *Answer) decode(n *nets.Net, function string, limit int) error {
	coder, ok := n.Network.(chains.Coder)
	if !ok || function == "" {
		return nil
	}
	named, err := coder.CheckFunction(function)
	if err == nil && named {
		a.Values, a.Fit, err = coder.DecodeReturns(function, a.Data, limit)
	}
	return err
}

// asker returns who asks: a wallet on its network, or nobody on a network.
func (m *Manager) asker(name string) (*nets.Net, *chains.Account, error) {
	if n, err := m.Nets.Get(name); err == nil {
		return n, nil, nil
	}
	n, a, err := m.Life.Account(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%q is neither a wallet nor a network: %w", name, err)
	}
	return n, &a, nil
}

// Logs asks for the events that contracts logged in a transaction that is in a
// block.
func (m *Manager) Logs(ctx context.Context, id uint32) ([]chains.Log, error) {
	s, err := m.Life.Status(id)
	if err != nil {
		return nil, err
	}
	var net string
	m.Book.View(func(st *ledger.State) {
		if t := st.Tx(id); t != nil {
			net = t.Net
		} else if p := st.Ended(id); p != nil {
			net = p.Net
		}
	})
	if net == "" || s.Block == 0 {
		return nil, fmt.Errorf("transaction %d is in no block that is known: %w", id, refusal.ErrWrongState)
	}
	n, err := m.Nets.Get(net)
	if err != nil {
		return nil, err
	}
	l, ok := n.Network.(chains.Logger)
	if !ok {
		return nil, fmt.Errorf("logs on network %s: %w", net, refusal.ErrNotBuilt)
	}
	if _, err := m.contact(ctx, n); err != nil {
		return nil, err
	}
	logs, err := l.Logs(ctx, s.Hash)
	if err != nil {
		return nil, fmt.Errorf("logs of transaction %d: %w", id, err)
	}
	return logs, nil
}

// Fees asks a network what a transaction would cost now.
func (m *Manager) Fees(ctx context.Context, net string) (chains.Fees, error) {
	n, err := m.Nets.Get(net)
	if err != nil {
		return chains.Fees{}, err
	}
	q, ok := n.Network.(chains.FeeQuoter)
	if !ok {
		return chains.Fees{}, fmt.Errorf("fees on network %s: %w", net, refusal.ErrNotBuilt)
	}
	if _, err := m.contact(ctx, n); err != nil {
		return chains.Fees{}, err
	}
	f, err := q.Fees(ctx)
	if err != nil {
		return chains.Fees{}, fmt.Errorf("fees on network %s: %w", net, err)
	}
	return f, nil
}

// contact makes sure that a network may be asked: there is a bearer, network
// work has not been stopped, and it is known which chain it is.
func (m *Manager) contact(ctx context.Context, n *nets.Net) (*nets.Net, error) {
	if m.Life.Stopped() {
		return nil, fmt.Errorf("network work has been stopped: %w", refusal.ErrNotNow)
	}
	if m.cfg.Bearer != nil && !m.cfg.Bearer(n) {
		return nil, fmt.Errorf("network %s: %w", n.Name, refusal.ErrNoBearer)
	}
	known, err := m.Nets.Identify(ctx, n)
	if errors.Is(err, book.ErrFlash) {
		return n, nil // a question can be asked of a chain that could not be noted
	}
	return known, err
}
