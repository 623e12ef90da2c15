package chaintest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/boatd/boatd/chains"
)

// Contracts of both chains in memory, written as their addresses are.
const (
	// Refuses fails when it is simulated or endorsed.
	Refuses = "0x0000000000000000000000000000000000008001"
	// Late fails when it is included, and only then.
	Late = "0x0000000000000000000000000000000000008002"
)

// A ledger is what the two chains in memory have in common: accounts, a pool,
// blocks whose inclusion is final. It is the Chain of both.
type ledger struct {
	mu       sync.Mutex
	id       chains.Identity
	balances map[string]*big.Int
	pool     []*entry
	blocks   []chains.Head
	included map[string]*entry
	effects  map[string]int
	down     bool
	hang     bool
}

// An entry is a transaction that a node has taken.
type entry struct {
	hash     string
	from, to string
	value    *big.Int
	fee      *big.Int
	block    chains.Head
	success  bool
}

func newLedger() *ledger {
	l := &ledger{}
	l.Reset("")
	return l
}

// Reset is Chain's.
func (l *ledger) Reset(seed string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	genesis := sha256.Sum256([]byte("genesis " + seed))
	l.id = chains.Identity{ChainID: "7", Genesis: hex.EncodeToString(genesis[:])}
	l.balances, l.included, l.effects = map[string]*big.Int{}, map[string]*entry{}, map[string]int{}
	l.pool = nil
	l.blocks = []chains.Head{{Number: 0, Hash: l.id.Genesis, Time: 1_700_000_000}}
}

// Fund is Chain's.
func (l *ledger) Fund(address string, amount *big.Int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.balances[address] = new(big.Int).Add(l.balance(address), amount)
}

// Mine is Chain's.
func (l *ledger) Mine(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ; n > 0; n-- {
		last := l.blocks[len(l.blocks)-1]
		next := chains.Head{Number: last.Number + 1, Time: last.Time + 12}
		content := binary.BigEndian.AppendUint64([]byte(last.Hash), next.Number)
		for _, e := range l.pool {
			content = append(content, e.hash...)
		}
		sum := sha256.Sum256(content)
		next.Hash = hex.EncodeToString(sum[:])
		for _, e := range l.pool {
			l.include(e, next)
		}
		l.pool = nil
		l.blocks = append(l.blocks, next)
	}
}

func (l *ledger) include(e *entry, block chains.Head) {
	if l.included[e.hash] != nil {
		return
	}
	e.block, e.success = block, e.to != Late
	l.included[e.hash] = e
	spent := new(big.Int).Set(e.fee)
	if e.success {
		spent.Add(spent, e.value)
		l.balances[e.to] = new(big.Int).Add(l.balance(e.to), e.value)
		l.effects[e.to]++
	}
	l.balances[e.from] = new(big.Int).Sub(l.balance(e.from), spent)
}

// Drop is Chain's.
func (l *ledger) Drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pool = nil
}

// Down is Chain's.
func (l *ledger) Down(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

// Hang is Chain's.
func (l *ledger) Hang(hang bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hang = hang
}

// Effects is Chain's.
func (l *ledger) Effects(to string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.effects[to]
}

func (l *ledger) balance(address string) *big.Int {
	if b := l.balances[address]; b != nil {
		return b
	}
	return new(big.Int)
}

// take puts an entry into the pool; one that is known stays what it is.
func (l *ledger) take(e *entry) {
	if l.included[e.hash] != nil || l.waiting(e.hash) {
		return
	}
	l.pool = append(l.pool, e)
}

func (l *ledger) waiting(hash string) bool {
	for _, e := range l.pool {
		if e.hash == hash {
			return true
		}
	}
	return false
}

// A client is a network on a ledger: what both protocols do alike.
type client struct {
	*ledger
	config chains.Config
	deps   chains.Deps

	mu   sync.Mutex
	told bool
}

// reach is the way to the node: it fails when there is none, and it is where
// the chain is identified.
func (c *client) reach(ctx context.Context, doing string, want *chains.Identity) error {
	c.ledger.mu.Lock()
	down, hang, id := c.down, c.hang, c.id
	c.ledger.mu.Unlock()
	if hang {
		<-ctx.Done()
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	case down:
		return &chains.Error{Kind: chains.ErrUnreachable, Doing: doing}
	case c.config.Chain != nil && *c.config.Chain != id, want != nil && *want != id:
		c.tell(id)
		return &chains.Error{Kind: chains.ErrOtherChain, Doing: doing, Detail: id.Genesis}
	}
	return nil
}

func (c *client) tell(id chains.Identity) {
	c.mu.Lock()
	first := !c.told
	c.told = true
	c.mu.Unlock()
	if first && c.deps.Quarantine != nil {
		c.deps.Quarantine("memory:", id)
	}
}

// Identify is chains.Network's.
func (c *client) Identify(ctx context.Context) (chains.Identity, error) {
	if err := c.reach(ctx, "identify the chain", nil); err != nil {
		return chains.Identity{}, err
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	return c.id, nil
}

// ParseAddress is chains.Codec's: 0x and 40 lower-case hex digits.
func (c *client) ParseAddress(text string) (string, error) {
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(b) != 20 || text != "0x"+hex.EncodeToString(b) {
		return "", fmt.Errorf("read address: %w: %.60q", chains.ErrAddress, text)
	}
	return text, nil
}

// address is the hash of a public key on the one curve that the chain has.
func address(have, want string, pub []byte) (string, error) {
	if have != want || len(pub) != 33 || pub[0]&^1 != 2 {
		return "", fmt.Errorf("address of a key: %w: %q", chains.ErrCurve, have)
	}
	sum := sha256.Sum256(pub)
	return "0x" + hex.EncodeToString(sum[:20]), nil
}

// look makes a sight of the newest block; every block is final.
func (l *ledger) look(since chains.Head, watches []chains.Watch) *chains.Sight {
	tip := l.blocks[len(l.blocks)-1]
	s := &chains.Sight{Head: tip, Final: tip, Evidence: make([]chains.Evidence, len(watches))}
	if since != (chains.Head{}) && since.Number < uint64(len(l.blocks)) {
		s.Replaced = l.blocks[since.Number].Hash != since.Hash
	}
	for i, w := range watches {
		s.Evidence[i] = l.evidence(tip, w)
	}
	return s
}

func (l *ledger) evidence(tip chains.Head, w chains.Watch) chains.Evidence {
	known := false
	for i, a := range w.Attempts {
		e := l.included[a.Hash]
		if e == nil {
			known = known || l.waiting(a.Hash)
			continue
		}
		ev := chains.Evidence{
			Outcome: chains.Succeeded, Attempt: i, Block: e.block, FeePaid: e.fee,
			Confirmations: tip.Number - e.block.Number + 1,
		}
		ev.Settled = ev.Confirmations >= w.Confirm
		if !e.success {
			ev.Outcome = chains.Reverted
		}
		return ev
	}
	return chains.Evidence{Known: known, Absent: !known}
}

// A writer and a reader of the fields of both protocols: integers as 8 bytes,
// everything else with its length before it.

func field(b, v []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
}

type reader struct {
	*bytes.Reader
	bad bool
}

func newReader(b []byte) *reader { return &reader{Reader: bytes.NewReader(b)} }

func (r *reader) field() []byte {
	var n uint32
	if binary.Read(r, binary.BigEndian, &n) != nil || int64(n) > int64(r.Len()) {
		r.bad = true
		return nil
	}
	b := make([]byte, n)
	r.Read(b)
	return b
}

func (r *reader) uint64() uint64 {
	var n uint64
	if binary.Read(r, binary.BigEndian, &n) != nil {
		r.bad = true
	}
	return n
}

// whole says whether everything was read and nothing was missing.
func (r *reader) whole() bool { return !r.bad && r.Len() == 0 }

func mismatch(format string, args ...any) error {
	return &chains.Error{Kind: chains.ErrMismatch, Doing: "assemble a transaction", Detail: fmt.Sprintf(format, args...)}
}
