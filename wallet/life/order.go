package life

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/amount"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/ledger"
	"github.com/boatd/boatd/wallet/nets"
	"github.com/boatd/boatd/wallet/refusal"
)

// MaxData is how much call data or init code an order may carry.
const MaxData = 64 << 10

// An Order is what a host asks for, as it was written.
type Order struct {
	Command chains.Kind
	Wallet  string
	Ref     string            // the host's own reference; "" none
	Options map[string]string // by name, as written; an absent one was omitted
	To      string            // address or peer
	Amount  string            // of a Transfer
	Asset   string            // of a Transfer: a token's address or peer; "" native coin
	Input                     // of a Call or Deploy
}

// An Input is what a contract is given: bytes, and a function or constructor with
// its arguments as the host writes them. Bytes and a function together are a
// deployment: the code, and what its constructor is given.
type Input struct {
	Data     []byte
	Function string // a signature; "" none
	Args     []string
}

// Encode makes call data of an input, or init code for a Deploy.
func (in *Input) Encode(st *ledger.State, n *nets.Net, cmd chains.Kind) ([]byte, error) {
	if in.Function == "" {
		return in.Data, nil
	}
	coder, ok := n.Network.(chains.Coder)
	if !ok {
		return nil, fmt.Errorf("function signatures on network %s: %w", n.Name, refusal.ErrNotBuilt)
	}
	peer := func(name string) (string, error) { return Recipient(st, n, name) }
	if cmd != chains.Deploy {
		return coder.EncodeCall(in.Function, in.Args, peer)
	}
	args, err := coder.EncodeConstructor(in.Function, in.Args, peer)
	return append(slices.Clip(in.Data), args...), err
}

// wanted is an order that has been understood.
type wanted struct {
	intent  chains.Intent
	value   *big.Int // the option of that name; nil omitted
	gas     *uint64
	confirm *uint64
	after   *uint32
	expire  uint64
	// decimals are those of the token where the amount was in whole units.
	decimals *uint8
}

// Submit accepts an order: its id is durable when it returns. The same
// reference with the same parameters answers the id that it had the first time.
// No event about the id can be read until release is called, which must happen
// once the id has been given to the host.
func (e *Engine) Submit(o Order) (id uint32, release func(), err error) {
	release = func() {}
	if o.Ref == "" && e.cfg.RequireRef {
		return 0, release, fmt.Errorf("an order without a reference: at.require_ref is true: %w", refusal.ErrNotAllowed)
	}
	var net string
	err = e.cfg.Book.Update(func(u *book.Update) error {
		w := u.State().Wallets[o.Wallet]
		if w == nil {
			return fmt.Errorf("wallet %q: %w", o.Wallet, refusal.ErrNoWallet)
		}
		n, err := e.cfg.Nets.Get(w.Net)
		if err != nil {
			return err
		}
		net = n.Name
		var old *ledger.Reference
		if o.Ref != "" {
			old = u.State().Reference(o.Wallet, o.Ref)
		}
		want, err := e.understand(u.State(), n, o, old)
		if err != nil {
			return err
		}
		digest := want.digest(o.Command, n, u.State().Keys[w.Key])
		if old != nil {
			if !sameDigest(old.Digest, digest) {
				return fmt.Errorf("reference %q is transaction %d with other parameters: %w", o.Ref, old.ID, refusal.ErrExists)
			}
			id = old.ID
			return nil
		}
		t, err := e.accept(u, n, w, want)
		if err != nil {
			return err
		}
		t.Ref, t.Digest = o.Ref, digest
		id, release = t.ID, e.cfg.Book.Hold(t.ID)
		u.Add(*t)
		return nil
	})
	if err != nil {
		release()
		if errors.Is(err, errTokenDisagrees) {
			e.cfg.Book.Emit(book.Alarm(badAmount, o.Asset))
		}
		return 0, func() {}, err
	}
	e.Kick(net)
	return id, release, nil
}

// accept judges a new intent and makes a transaction of it.
func (e *Engine) accept(u *book.Update, n *nets.Net, w *ledger.Wallet, want *wanted) (*ledger.Tx, error) {
	st := u.State()
	if e.off.Load() {
		return nil, fmt.Errorf("network work has been stopped: %w", refusal.ErrNotNow)
	}
	key := st.Keys[w.Key]
	if key == nil || key.State != ledger.Active {
		return nil, fmt.Errorf("key %q of wallet %q: %w", w.Key, w.Name, refusal.ErrKeyInactive)
	}
	address, err := n.Address(key.Curve, key.Public)
	if err != nil {
		return nil, fmt.Errorf("address of wallet %s: %w", w.Name, err)
	}
	if want.after != nil && unknown(st, *want.after) {
		return nil, fmt.Errorf("option after: transaction %d: %w", *want.after, refusal.ErrNoTx)
	}
	worst, err := n.Judge(want.intent)
	if err != nil {
		return nil, err
	}
	if err := e.judgeAccept(st, n, w, &want.intent, worst, u.Running()); err != nil {
		return nil, err
	}
	if err := e.room(st, w.Name, len(want.intent.Data)); err != nil {
		return nil, err
	}
	t := &ledger.Tx{ID: st.Meta.NextID, Wallet: w.Name, Net: n.Name, Key: w.Key, Address: address, Intent: want.intent,
		Expire: want.expire, Running: u.Running(), Time: e.chainTime(n.Name), Reserved: worst}
	if want.after != nil && dependency(st, *want.after) != kept {
		t.After = *want.after
	}
	if want.confirm != nil {
		t.Confirm = *want.confirm
	}
	return t, nil
}

// unknown says whether nothing is known of a transaction, or nothing any more.
func unknown(st *ledger.State, id uint32) bool {
	return st.Tx(id) == nil && st.Ended(id) == nil && st.Forgotten(id) == nil
}

// room says whether one more transaction can be kept.
func (e *Engine) room(st *ledger.State, wallet string, data int) error {
	open := 0
	for _, t := range st.Open {
		if t.Wallet == wallet {
			open++
		}
	}
	switch {
	case open >= e.cfg.QueueMax:
		return fmt.Errorf("wallet %s has %d open transactions: %w", wallet, open, refusal.ErrQueueFull)
	case st.Payload+data > MaxPayload:
		return fmt.Errorf("open transactions hold %d bytes: %w", st.Payload, refusal.ErrFull)
	case st.Meta.NextID > ledger.MaxID:
		return fmt.Errorf("transaction ids are used up until a factory reset: %w", refusal.ErrFull)
	}
	return nil
}

// understand reads an order in the words of its network. old is what its reference
// stands for already, nil for nothing.
func (e *Engine) understand(st *ledger.State, n *nets.Net, o Order, old *ledger.Reference) (*wanted, error) {
	w := &wanted{intent: chains.Intent{Kind: o.Command, Value: new(big.Int)}}
	var err error
	if w.intent.Data, err = o.Input.Encode(st, n, o.Command); err != nil {
		return nil, err
	}
	if o.Command != chains.Deploy {
		if w.intent.To, err = Recipient(st, n, o.To); err != nil {
			return nil, err
		}
	} else if len(o.Data) == 0 {
		return nil, fmt.Errorf("deploying no code: %w", refusal.ErrBadValue)
	}
	if n := len(w.intent.Data); n > MaxData {
		return nil, fmt.Errorf("%d bytes of data, at most %d: %w", n, MaxData, refusal.ErrTooLong)
	}
	if o.Command == chains.Transfer {
		if err := e.price(st, n, o, old, w); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Options)) {
		text := o.Options[name]
		if err := w.option(o.Command, name, text); err != nil {
			return nil, fmt.Errorf("option %s=%q: %w", name, text, err)
		}
	}
	return w, nil
}

// price reads what a transfer moves: native coin, or units of a token. An order
// that is repeated is read with the decimals of the first time, whatever is known
// of them now.
func (e *Engine) price(st *ledger.State, n *nets.Net, o Order, old *ledger.Reference, w *wanted) (err error) {
	in := &w.intent
	if o.Asset == "" {
		in.Value, err = amount.Native(o.Amount)
		return err
	}
	if _, ok := n.Network.(chains.Tokener); !ok {
		return fmt.Errorf("tokens on network %s: %w", n.Name, refusal.ErrNotBuilt)
	}
	if in.Asset, err = Recipient(st, n, o.Asset); err != nil {
		return err
	}
	whole := strings.HasSuffix(o.Amount, "whole")
	decimals, first := firstDecimals(old)
	if !first && (old == nil || whole) {
		if decimals, err = e.decimals(st, n, o.Asset, in.Asset); err != nil {
			return err
		}
	}
	if whole && decimals < 0 {
		return fmt.Errorf("%w %q: the decimals of token %s are not known; a peer can have them, or AT+BOATBAL asks for them", amount.ErrAmount, o.Amount, in.Asset)
	}
	if in.Value, err = amount.Asset(o.Amount, max(decimals, 0)); err == nil && whole {
		d := uint8(decimals) // a contract's are below 78, a peer's a byte
		w.decimals = &d
	}
	return err
}

// decimals returns the decimals of a token by its peer, or as its contract was
// heard to say in this boot; -1 if neither is known. It is an error if the two
// disagree: one of them would move a wrong amount.
func (e *Engine) decimals(st *ledger.State, n *nets.Net, text, token string) (int, error) {
	e.mu.Lock()
	heard, known := e.tokens[tokenID{n.Name, token}]
	e.mu.Unlock()
	p := st.Peers[text]
	switch {
	case p == nil || p.Net != n.Name || p.Decimals == nil:
		if known {
			return heard, nil
		}
		return -1, nil
	case known && heard != int(*p.Decimals):
		return 0, fmt.Errorf("%w: peer %s has %d decimals, its contract %d: %w", amount.ErrAmount, text, *p.Decimals, heard, errTokenDisagrees)
	}
	return int(*p.Decimals), nil
}

// badAmount is the code of an alarm about a token.
const badAmount ledger.Reason = 7031

// errTokenDisagrees: peer and contract name different decimals.
var errTokenDisagrees = errors.New("they disagree")

// A tokenID names a token.
type tokenID struct{ net, contract string }

// maxTokens bounds what is remembered of tokens.
const maxTokens = 64

// HeardDecimals notes the decimals that a token's contract has named.
func (e *Engine) HeardDecimals(net, contract string, decimals int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := tokenID{net, contract}
	for other := range e.tokens {
		if len(e.tokens) < maxTokens {
			break
		}
		if other != id {
			delete(e.tokens, other)
		}
	}
	e.tokens[id] = decimals
}

// option takes one option in.
func (w *wanted) option(cmd chains.Kind, name, text string) error {
	var err error
	switch name {
	case "value":
		if cmd == chains.Transfer {
			return refusal.ErrNoOption
		}
		w.value, err = amount.Native(text)
		w.intent.Value = w.value
	case "maxfee":
		w.intent.MaxFee, err = amount.Native(text)
	case "tip":
		w.intent.Tip, err = amount.Native(text)
	case "gas":
		w.intent.Gas, err = number(text, 1, 1<<53)
		w.gas = &w.intent.Gas
	case "expire":
		w.expire, err = number(text, 1, 1<<32-1)
	case "confirm":
		var n uint64
		n, err = number(text, 0, 1<<32-1)
		w.confirm = &n
	case "after":
		var n uint64
		n, err = number(text, 1, ledger.MaxID)
		id := uint32(n)
		w.after = &id
	case "type":
		var n uint64
		n, err = number(text, 0, 255)
		b := uint8(n)
		w.intent.Type = &b
	case "private", "transient", "endorsers":
		return refusal.ErrNotBuilt
	default:
		return refusal.ErrNoOption
	}
	if err != nil {
		return errors.Join(refusal.ErrBadValue, err)
	}
	return nil
}

func number(text string, lo, hi uint64) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < lo || n > hi {
		return 0, fmt.Errorf("want a whole number from %d to %d", lo, hi)
	}
	return n, nil
}

// Recipient returns the address that text names on network n: a peer's, or the
// one it spells.
func Recipient(st *ledger.State, n *nets.Net, text string) (string, error) {
	if p := st.Peers[text]; p != nil && p.Net == n.Name {
		return p.Address, nil
	}
	a, err := n.ParseAddress(text)
	if err != nil {
		return "", fmt.Errorf("%q is neither a peer nor an address on network %s: %w", text, n.Name, err)
	}
	return a, nil
}

// digest identifies what was asked for, for the comparison of a repeated
// reference: network, key, command, recipient, amount, data and every option but
// expire, an omitted one unlike any given one. A wallet that was deleted and made
// again with another key is another wallet. It is journaled and never changes.
// Behind the hash of an amount in whole units stand the decimals that it was read
// with: a byte that is no part of the comparison.
func (w *wanted) digest(cmd chains.Kind, n *nets.Net, key *ledger.Key) []byte {
	h := sha256.New()
	field(h, []byte(n.Name))
	if key != nil {
		field(h, key.Public)
	}
	field(h, []byte{byte(cmd)})
	field(h, []byte(w.intent.To))
	if cmd == chains.Transfer {
		field(h, w.intent.Value.Bytes())
		field(h, []byte(w.intent.Asset))
	} else {
		optional(h, w.value)
	}
	field(h, w.intent.Data)
	optional(h, w.intent.MaxFee)
	optional(h, w.intent.Tip)
	optional(h, integer(w.gas))
	optional(h, integer(w.confirm))
	optional(h, integer(w.after))
	optional(h, integer(w.intent.Type))
	sum := h.Sum(nil)
	if w.decimals != nil {
		sum = append(sum, *w.decimals)
	}
	return sum
}

// sameDigest says whether two orders are the same, in whichever unit each was
// written.
func sameDigest(a, b []byte) bool {
	return len(a) >= sha256.Size && len(b) >= sha256.Size && string(a[:sha256.Size]) == string(b[:sha256.Size])
}

// firstDecimals returns the decimals that are kept behind the digest of an order
// in whole units.
func firstDecimals(old *ledger.Reference) (int, bool) {
	if old == nil || len(old.Digest) <= sha256.Size {
		return -1, false
	}
	return int(old.Digest[sha256.Size]), true
}

// field hashes one field so that no two lists of fields hash alike.
func field(h hash.Hash, b []byte) {
	h.Write(binary.BigEndian.AppendUint32([]byte{1}, uint32(len(b))))
	h.Write(b)
}

func optional(h hash.Hash, v *big.Int) {
	if v == nil {
		h.Write([]byte{0})
		return
	}
	field(h, v.Bytes())
}

func integer[T uint8 | uint32 | uint64](v *T) *big.Int {
	if v == nil {
		return nil
	}
	return new(big.Int).SetUint64(uint64(*v))
}
