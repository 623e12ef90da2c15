package ledger

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/boatd/boatd/wallet/access"
)

// Bounds of what is kept.
const (
	// RefsPerWallet is how many references of a wallet are remembered.
	RefsPerWallet = 4096
	// RefsGone is of how many deleted wallets references are remembered.
	RefsGone = 16
	// MaxForeign is how many bytes of unknown records are carried along.
	MaxForeign = 2 << 20
	// MaxSession is how many bytes a TLS session may have, MaxSessions how many
	// there are; more are not taken in.
	MaxSession  = 8 << 10
	MaxSessions = 16
	// MaxID is the last transaction id.
	MaxID = 1<<31 - 1
)

// A State is all that boatd knows durably. Read it; change it by Apply only.
type State struct {
	Meta     Meta
	Running  uint64 // newest running time of any batch
	Access   access.State
	Keys     map[string]*Key
	Networks map[string]*Network
	Peers    map[string]*Peer
	Wallets  map[string]*Wallet
	Accounts map[AccountID]*Account
	Channels map[string][]byte
	Tallies  map[string]*Tally   // by network
	Sessions map[string]*Session // by key

	Open    []*Tx   // ascending ids
	Past    []*Past // in order of their ends
	Payload int     // bytes held by open transactions

	Subs       map[uint32]*Subscription
	Events     []*Event // ascending records, not acknowledged
	EventBytes int      // that they take
	Alarms     []*Alarm // ascending numbers, not acknowledged

	spends  map[string][]*Spend // by wallet, in order of acceptance
	refs    map[string]*references
	foreign []foreign
	strange int // bytes of foreign

	keepEnded int
}

// references are the references of one wallet, oldest first in order.
type references struct {
	byKey map[refKey]*Reference
	order []refKey
}

// NewState returns the state of a device on which nothing has happened;
// keepEnded is how many ended transactions it remembers.
func NewState(keepEnded int) *State {
	s := &State{keepEnded: keepEnded, Channels: map[string][]byte{}, Tallies: map[string]*Tally{}}
	s.clear()
	s.Meta.NextID = 1
	return s
}

// clear forgets what a factory reset forgets. What was spent stays, of money and
// of the bytes of networks of the file: a reset must not open a window again.
func (s *State) clear() {
	for name, n := range s.Networks {
		if n.Protocol != "" {
			delete(s.Tallies, name)
		}
	}
	s.Keys, s.Networks = map[string]*Key{}, map[string]*Network{}
	s.Peers, s.Wallets = map[string]*Peer{}, map[string]*Wallet{}
	s.Accounts, s.Sessions = map[AccountID]*Account{}, map[string]*Session{}
	s.Open, s.Past, s.Payload = nil, nil, 0
	s.Subs, s.Events, s.EventBytes, s.Alarms = map[uint32]*Subscription{}, nil, 0, nil
	s.refs = map[string]*references{}
	if s.spends == nil {
		s.spends = map[string][]*Spend{}
	}
	for w := range s.spends { // of what will never be signed nothing is spent
		s.spends[w] = slices.DeleteFunc(s.spends[w], func(sp *Spend) bool { return !sp.Signed })
	}
	clear(s.Channels)
}

// Apply makes a batch part of the state. On ErrImpossible the state is as
// before the record that was refused; a caller that checked with Check before
// it journaled never sees that.
func (s *State) Apply(b Batch) error {
	s.Running = max(s.Running, b.Running)
	for _, r := range b.Records {
		if err := s.apply(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) apply(r Record) error {
	if err := s.Check(r); err != nil {
		return err
	}
	switch r := r.(type) {
	case Meta:
		s.Meta = r
		s.acknowledged()
	case Access:
		s.Access = r.State
	case Key:
		s.Keys[r.Name] = &r
	case KeyUsed:
		s.Keys[r.Name].Signatures++
	case KeyGone:
		delete(s.Keys, r.Name)
	case Network:
		s.Networks[r.Name] = &r
	case NetworkGone:
		delete(s.Networks, r.Name)
		delete(s.Tallies, r.Name)
	case Peer:
		s.Peers[r.Name] = &r
	case PeerGone:
		delete(s.Peers, r.Name)
	case Wallet:
		s.Wallets[r.Name] = &r
	case WalletGone:
		delete(s.Wallets, r.Name)
		s.forgetWallets()
	case Account:
		s.Accounts[r.ID] = &r
	case Channel:
		s.Channels[r.Name] = r.Settings
	case Session:
		s.keep(&r)
	case Tally:
		s.Tallies[r.Net] = &r
	case Past:
		s.end(&r)
	case Known:
		s.remember(r.Wallet, refKey(r.Ref), r.Entry)
	case Spend:
		s.spends[r.Wallet] = append(s.spends[r.Wallet], &r)
	case Reset:
		s.clear()
		s.Access = s.Access.AfterReset()
		s.Meta.Instance, s.Meta.Renewing = r.Instance, true
	case foreign:
		s.foreign = append(s.foreign, r)
		s.strange += len(r.Body)
	default:
		if !s.applyEvents(r) {
			s.applyTx(r)
		}
	}
	return nil
}

// keep takes in a TLS session. It is only a cache: what does not fit is no error.
func (s *State) keep(r *Session) {
	_, have := s.Sessions[r.Key]
	switch {
	case len(r.Blob) == 0 || len(r.Blob) > MaxSession:
		delete(s.Sessions, r.Key)
	case have || len(s.Sessions) < MaxSessions:
		s.Sessions[r.Key] = r
	}
}

// applyTx applies what concerns an open transaction; Check has found it.
func (s *State) applyTx(r Record) {
	switch r := r.(type) {
	case Tx:
		s.accept(&r)
	case Stepped:
		t := s.Tx(r.ID)
		t.Steps = append(t.Steps, r.Step)
		s.Payload += len(r.Step)
	case Signed:
		s.sign(s.Tx(r.ID), r)
	case Attempted:
		t := s.Tx(r.ID)
		t.Attempts = append(t.Attempts, r.Attempt)
		s.Payload += len(r.Attempt.Raw)
	case Moved:
		t := s.Tx(r.ID)
		t.State, t.Reason, t.Included, t.Block = r.State, r.Reason, r.Included, r.Block
	case Requested:
		t := s.Tx(r.ID)
		t.Cancel = t.Cancel || r.Cancel
		if r.MaxFee != nil {
			t.MaxFee = r.MaxFee
		}
	case Ended:
		s.finish(r)
	}
}

// accept takes in a transaction: a new one, or one of a snapshot.
func (s *State) accept(t *Tx) {
	s.Open = append(s.Open, t)
	s.Payload += t.payload()
	s.Meta.NextID = max(s.Meta.NextID, t.ID+1)
	if t.Ref != "" {
		s.remember(t.Wallet, keyOf(t.Wallet, t.Ref), Reference{ID: t.ID, Digest: t.Digest})
	}
	if s.Spend(t.Wallet, t.ID) == nil {
		if n := len(s.spends[t.Wallet]); n&(n-1) == 0 { // now and then
			s.pruneSpends(t.Wallet)
		}
		s.spends[t.Wallet] = append(s.spends[t.Wallet], &Spend{Wallet: t.Wallet, Key: t.Key, ID: t.ID, Amount: t.Reserved})
	}
}

func (s *State) sign(t *Tx, r Signed) {
	first := !t.Signed()
	t.Attempts = append(t.Attempts, r.Attempt)
	s.Payload += len(r.Attempt.Raw)
	if t.State == Accepted {
		t.State, t.Reason = SignedTx, NoReason
	}
	t.Account = r.Account
	if first && r.Sequential {
		s.Accounts[r.Account] = &Account{ID: r.Account, Next: r.Attempt.Nonce + 1}
	}
	if k := s.Keys[t.Key]; k != nil {
		k.Signatures++
	}
	if sp := s.Spend(t.Wallet, t.ID); sp != nil {
		if first || r.Cost.Cmp(sp.Amount) > 0 {
			sp.Amount = r.Cost
		}
		sp.Signed, sp.Running, sp.Time, sp.Start = true, s.Running, r.Time, s.Meta.Starts
	}
}

func (s *State) finish(r Ended) {
	i := s.index(r.ID)
	t := s.Open[i]
	s.Open = slices.Delete(s.Open, i, i+1)
	s.Payload -= t.payload()
	if r.Spent != nil {
		if sp := s.Spend(t.Wallet, t.ID); sp != nil {
			sp.Amount = r.Spent
			if !sp.Signed { // never signed: it stops counting
				sp.Signed, sp.Running = true, s.Running
			}
		}
	}
	s.end(t.past(r))
}

// end takes in an ended transaction and forgets the oldest beyond the bound.
func (s *State) end(p *Past) {
	s.Meta.NextID = max(s.Meta.NextID, p.ID+1)
	s.Past = append(s.Past, p)
	if over := len(s.Past) - s.keepEnded; over > 0 {
		s.Past = slices.Delete(s.Past, 0, over)
	}
	if p.Ref != "" {
		s.remember(p.Wallet, keyOf(p.Wallet, p.Ref), Reference{ID: p.ID, Digest: p.Digest, State: p.State, Reason: p.Reason})
	}
}

// remember notes a reference, or its end, and forgets the wallet's oldest.
func (s *State) remember(wallet string, k refKey, e Reference) {
	refs := s.refs[wallet]
	if refs == nil {
		refs = &references{byKey: map[refKey]*Reference{}}
		s.refs[wallet] = refs
	}
	if _, ok := refs.byKey[k]; !ok {
		refs.order = append(refs.order, k)
	}
	refs.byKey[k] = &e
	for len(refs.order) > RefsPerWallet {
		oldest := refs.order[0]
		if !refs.byKey[oldest].State.Final() {
			break // an open one is never forgotten; its end makes room
		}
		delete(refs.byKey, oldest)
		refs.order = refs.order[1:]
	}
}

// forgetWallets forgets the references of deleted wallets beyond the bound:
// first of the one whose newest transaction is the oldest.
func (s *State) forgetWallets() {
	var gone []string
	for w := range s.refs {
		if s.Wallets[w] == nil {
			gone = append(gone, w)
		}
	}
	slices.SortFunc(gone, func(a, b string) int { return cmp.Compare(s.refs[a].newest(), s.refs[b].newest()) })
	for _, w := range gone[:max(0, len(gone)-RefsGone)] {
		delete(s.refs, w)
	}
}

// newest is the highest id that a reference stands for.
func (r *references) newest() uint32 {
	id := uint32(0)
	for _, e := range r.byKey {
		id = max(id, e.ID)
	}
	return id
}

// Tx returns an open transaction, nil without one.
func (s *State) Tx(id uint32) *Tx {
	if i := s.index(id); i >= 0 {
		return s.Open[i]
	}
	return nil
}

func (s *State) index(id uint32) int {
	i, ok := slices.BinarySearchFunc(s.Open, id, func(t *Tx, id uint32) int { return cmp.Compare(t.ID, id) })
	if !ok {
		return -1
	}
	return i
}

// Ended returns an ended transaction, nil when there was none or it is forgotten.
func (s *State) Ended(id uint32) *Past {
	for i := len(s.Past) - 1; i >= 0; i-- {
		if s.Past[i].ID == id {
			return s.Past[i]
		}
	}
	return nil
}

// Forgotten returns what a reference still tells of an ended transaction.
func (s *State) Forgotten(id uint32) *Reference {
	for _, refs := range s.refs {
		for _, e := range refs.byKey {
			if e.ID == id {
				return e
			}
		}
	}
	return nil
}

// Reference returns what a wallet remembers of a reference, nil without it.
func (s *State) Reference(wallet, ref string) *Reference {
	if refs := s.refs[wallet]; refs != nil {
		return refs.byKey[keyOf(wallet, ref)]
	}
	return nil
}

// Check says whether a record can be true now: ErrImpossible if not. It changes
// nothing.
func (s *State) Check(r Record) error {
	switch r := r.(type) {
	case Tx:
		return s.checkTx(&r)
	case KeyUsed:
		return when(s.Keys[r.Name] == nil, "use of key %q", r.Name)
	case Stepped:
		return s.checkOpen(r.ID, func(t *Tx) bool { return t.State == Accepted })
	case Signed:
		return s.checkSigned(r)
	case Attempted:
		return s.checkOpen(r.ID, func(t *Tx) bool { return t.Signed() && r.Attempt.Nonce == t.Nonce() })
	case Moved:
		return s.checkOpen(r.ID, func(t *Tx) bool {
			return t.Signed() && r.State > Accepted && !r.State.Final() && r.Included >= 0 && r.Included < len(t.Attempts)
		})
	case Requested:
		return s.checkOpen(r.ID, func(*Tx) bool { return true })
	case Ended:
		return s.checkOpen(r.ID, func(t *Tx) bool {
			early := r.State == Cancelled || r.State == Expired || r.State == Refused
			return r.State.Final() && r.State <= Refused && (t.Signed() || early) && (r.Spent == nil || !negative(r.Spent)) &&
				(r.Included == 0 || (r.Included > 0 && r.Included < len(t.Attempts)))
		})
	case Past:
		return when(!r.State.Final() || r.Included < 0 || (r.Included > 0 && r.Included >= len(r.Hashes)) || r.ID == 0, "ended transaction %d", r.ID)
	case Known:
		return when(len(r.Ref) != len(refKey{}), "reference of %q", r.Wallet)
	case Spend:
		return when(negative(r.Amount), "reservation of %d", r.ID)
	case foreign:
		return when(s.strange+len(r.Body) > MaxForeign, "more unknown records than can be carried along")
	}
	return s.checkEvents(r)
}

// negative says whether v is no amount.
func negative(v *big.Int) bool { return v == nil || v.Sign() < 0 }

func when(bad bool, format string, args ...any) error {
	if !bad {
		return nil
	}
	return fmt.Errorf("%w: "+format, append([]any{ErrImpossible}, args...)...)
}

func (s *State) checkTx(t *Tx) error {
	newest := uint32(0)
	if n := len(s.Open); n > 0 {
		newest = s.Open[n-1].ID
	}
	return when(t.ID == 0 || t.ID > MaxID || t.ID <= newest || negative(t.Intent.Value) || negative(t.Reserved) || t.State.Final() || t.Included < 0 || (t.Included > 0 && t.Included >= len(t.Attempts)) ||
		(t.State != Accepted) != t.Signed(), "transaction %d", t.ID)
}

func (s *State) checkOpen(id uint32, ok func(*Tx) bool) error {
	t := s.Tx(id)
	return when(t == nil || !ok(t), "transaction %d", id)
}

// checkSigned holds the rule that matters most: one intent, one nonce; one
// nonce, one intent.
func (s *State) checkSigned(r Signed) error {
	t := s.Tx(r.ID)
	if t == nil || negative(r.Cost) {
		return when(true, "signature for transaction %d", r.ID)
	}
	if r.Sequential && r.Attempt.Nonce == math.MaxUint64 {
		return when(true, "nonce %d for transaction %d: there is none behind it", r.Attempt.Nonce, r.ID)
	}
	if t.Signed() {
		return when(r.Attempt.Nonce != t.Nonce() || r.Account != t.Account, "second nonce for transaction %d", r.ID)
	}
	a := s.Accounts[r.Account]
	return when(r.Sequential && a != nil && r.Attempt.Nonce < a.Next, "nonce %d of %s for transaction %d is used", r.Attempt.Nonce, r.Account.Address, r.ID)
}
