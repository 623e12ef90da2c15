package wallet_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/chaintest"
)

// A seqChain is the least that a chain with counted nonces can be: a pool with
// gaps and replacement, blocks, a depth until they are final, reorganisations.
// It has Ethereum's shape and none of its encodings, so that a life on it takes
// microseconds. It passes the conformance suite (TestSeqChain).
type seqChain struct {
	mu     sync.Mutex
	id     chains.Identity
	down   bool
	hang   bool
	blocks [][]*seqTx // [0] is the genesis
	hashes []string
	funds  map[string]*big.Int
	pool   map[string]map[uint64]*seqTx
	forks  int
}

const (
	seqGas   = 21000
	seqDepth = 2 // confirmations until final
)

type seqTx struct {
	from, to string
	nonce    uint64
	fee      uint64 // a unit of gas
	value    *big.Int
	data     []byte
	hash     string
}

func newSeqChain() *seqChain {
	c := &seqChain{}
	c.Reset("")
	return c
}

func (c *seqChain) Reset(seed string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks, c.hashes = nil, nil
	c.funds, c.pool = map[string]*big.Int{}, map[string]map[uint64]*seqTx{}
	c.push(nil, "genesis "+seed)
	c.id = chains.Identity{ChainID: "9", Genesis: c.hashes[0]}
}

func (c *seqChain) push(txs []*seqTx, salt string) {
	h := sha256.New()
	if n := len(c.hashes); n > 0 {
		h.Write([]byte(c.hashes[n-1]))
	}
	fmt.Fprint(h, salt, len(c.blocks), c.forks)
	for _, t := range txs {
		h.Write([]byte(t.hash))
	}
	c.blocks = append(c.blocks, txs)
	c.hashes = append(c.hashes, hex.EncodeToString(h.Sum(nil)))
}

func (c *seqChain) Fund(a string, v *big.Int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.funds[a]
	if old == nil {
		old = new(big.Int)
	}
	c.funds[a] = new(big.Int).Add(old, v)
}

func (c *seqChain) Down(down bool) { c.mu.Lock(); c.down = down; c.mu.Unlock() }
func (c *seqChain) Hang(hang bool) { c.mu.Lock(); c.hang = hang; c.mu.Unlock() }
func (c *seqChain) Drop() {
	c.mu.Lock()
	c.pool = map[string]map[uint64]*seqTx{}
	c.mu.Unlock()
}

func (c *seqChain) Mine(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.push(c.ready(), "")
	}
}

// ready takes out of the pool what the next block can include.
func (c *seqChain) ready() (txs []*seqTx) {
	senders := make([]string, 0, len(c.pool))
	for a := range c.pool {
		senders = append(senders, a)
	}
	slices.Sort(senders)
	for _, a := range senders {
		for next := c.nonce(a, len(c.blocks)); c.pool[a][next] != nil; next++ {
			txs = append(txs, c.pool[a][next])
			delete(c.pool[a], next)
		}
	}
	return txs
}

// Reorg replaces the newest blocks by a longer branch; their transactions wait
// again.
func (c *seqChain) Reorg(depth int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	depth = min(depth, len(c.blocks)-1)
	gone := slices.Clone(c.blocks[len(c.blocks)-depth:])
	c.blocks, c.hashes = c.blocks[:len(c.blocks)-depth], c.hashes[:len(c.hashes)-depth]
	c.forks++
	for range depth + 1 {
		c.push(nil, "fork")
	}
	for _, b := range gone {
		for _, t := range b {
			c.keep(t)
		}
	}
}

func (c *seqChain) Effects(to string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.blocks {
		for _, t := range b {
			if t.to == to && t.to != chaintest.Late {
				n++
			}
		}
	}
	return n
}

// nonce counts the transactions of an account in the first n blocks.
func (c *seqChain) nonce(a string, n int) (next uint64) {
	for _, b := range c.blocks[:n] {
		for _, t := range b {
			if t.from == a {
				next++
			}
		}
	}
	return next
}

// keep puts a transaction into the pool, or into the place of one with a lower
// fee.
func (c *seqChain) keep(t *seqTx) error {
	if _, known := c.find(t.hash); known {
		return nil
	}
	if c.pool[t.from] == nil {
		c.pool[t.from] = map[uint64]*seqTx{}
	}
	old := c.pool[t.from][t.nonce]
	switch {
	case t.nonce < c.nonce(t.from, len(c.blocks)):
		return &chains.Error{Kind: chains.ErrRefused, Doing: "send", Detail: "nonce too low"}
	case old == nil, t.fee >= old.fee+old.fee/10:
		c.pool[t.from][t.nonce] = t
	case old.hash != t.hash:
		return &chains.Error{Kind: chains.ErrUnderpriced, Doing: "send"}
	}
	return nil
}

// find returns the block of a transaction, and whether it is in one.
func (c *seqChain) find(hash string) (block int, ok bool) {
	for i, b := range c.blocks {
		for _, t := range b {
			if t.hash == hash {
				return i, true
			}
		}
	}
	return 0, false
}

func (c *seqChain) head(i int) chains.Head {
	return chains.Head{Number: uint64(i), Hash: c.hashes[i], Time: 1_700_000_000 + 12*uint64(i)}
}

// A seqNet is a network on a seqChain.
type seqNet struct {
	*seqChain
	config chains.Config
	deps   chains.Deps
	told   bool
}

type seqReplacer struct{ *seqNet }

func (c *seqChain) protocol() chains.Protocol {
	return chains.Protocol{Name: "seq", Curves: []string{"secp256k1"}, Decimals: 18, Sequential: true,
		Check: func(chains.Config) []chains.OptionError { return nil },
		Open: func(config chains.Config, deps chains.Deps) (chains.Network, error) {
			return seqReplacer{&seqNet{seqChain: c, config: config, deps: deps}}, nil
		}}
}

func (c *seqChain) harness() *chaintest.Harness {
	to := func(a string) chains.Intent {
		return chains.Intent{Kind: chains.Transfer, To: a, Value: big.NewInt(7)}
	}
	return &chaintest.Harness{Chain: c, Protocol: c.protocol(), Config: chains.Config{Name: "seq", Protocol: "seq"},
		Signer: chaintest.NewCheapSigner("secp256k1", 1), Final: seqDepth, Tells: true,
		Good: to("0x00000000000000000000000000000000000000aa"), Refused: to(chaintest.Refuses), RefusedAs: chains.ErrReverts,
		Late: to(chaintest.Late), LateAs: chains.ErrReverts}
}

func TestSeqChain(t *testing.T) {
	chaintest.Run(t, func(*testing.T) *chaintest.Harness { return newSeqChain().harness() })
}

func (n *seqNet) Address(curve string, pub []byte) (string, error) {
	if curve != "secp256k1" || len(pub) != 33 || pub[0]&^1 != 2 {
		return "", fmt.Errorf("address: %w", chains.ErrCurve)
	}
	sum := sha256.Sum256(pub)
	return "0x" + hex.EncodeToString(sum[:20]), nil
}

func (n *seqNet) ParseAddress(text string) (string, error) {
	b, err := hex.DecodeString(text[min(2, len(text)):])
	if err != nil || len(b) != 20 || text != "0x"+hex.EncodeToString(b) {
		return "", fmt.Errorf("%w: %.60q", chains.ErrAddress, text)
	}
	return text, nil
}

func (n *seqNet) Judge(in chains.Intent) (*big.Int, error) {
	switch {
	case in.Type != nil:
		return nil, &chains.Error{Kind: chains.ErrOption, Doing: "judge"}
	case in.MaxFee != nil && in.MaxFee.Cmp(n.config.Options.Amount("max_fee_per_gas")) > 0,
		in.Tip != nil && in.Tip.Cmp(n.config.Options.Amount("max_tip")) > 0, in.Gas > n.config.Options.Integer("max_gas"):
		return nil, &chains.Error{Kind: chains.ErrCeiling, Doing: "judge"}
	}
	return new(big.Int).Add(in.Value, big.NewInt(seqGas*1000)), nil
}

// reach is the way to the node, where the chain is identified. It locks the
// chain, and the caller unlocks it when there is no error.
func (n *seqNet) reach(ctx context.Context, want *chains.Identity) error {
	n.mu.Lock()
	if n.hang {
		n.mu.Unlock()
		<-ctx.Done()
		return ctx.Err()
	}
	var err error
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case n.down:
		err = &chains.Error{Kind: chains.ErrUnreachable, Doing: "ask"}
	case n.config.Chain != nil && *n.config.Chain != n.id, want != nil && *want != n.id:
		err = &chains.Error{Kind: chains.ErrOtherChain, Doing: "ask"}
	}
	if err == nil {
		return nil
	}
	id, tell := n.id, !n.told && n.config.Chain != nil && *n.config.Chain != n.id && !n.down && ctx.Err() == nil
	n.told = n.told || tell
	n.mu.Unlock()
	if tell && n.deps.Quarantine != nil {
		n.deps.Quarantine("seq:", id)
	}
	return err
}

func (n *seqNet) Identify(ctx context.Context) (chains.Identity, error) {
	if err := n.reach(ctx, nil); err != nil {
		return chains.Identity{}, err
	}
	defer n.mu.Unlock()
	return n.id, nil
}

func (n *seqNet) Prepare(ctx context.Context, job *chains.Job) (*chains.Draft, error) {
	if _, err := n.Judge(job.Intent); err != nil {
		return nil, err
	}
	if err := n.reach(ctx, &job.Chain); err != nil {
		return nil, err
	}
	defer n.mu.Unlock()
	latest, nonce := n.nonce(job.Account.Address, len(n.blocks)), job.Nonce
	if latest > nonce {
		if !job.Adopt {
			return nil, &chains.Error{Kind: chains.ErrNonceAhead, Doing: "prepare"}
		}
		nonce = latest
	}
	if job.Intent.To == chaintest.Refuses {
		return nil, &chains.Error{Kind: chains.ErrReverts, Doing: "prepare"}
	}
	fee := uint64(1)
	if job.Intent.MaxFee != nil {
		fee = job.Intent.MaxFee.Uint64()
	}
	d := n.draft(job, chains.Original, nonce, fee)
	need := new(big.Int).Set(d.Cost)
	if job.Committed != nil {
		need.Add(need, job.Committed)
	}
	if funds := n.funds[job.Account.Address]; funds == nil || funds.Cmp(need) < 0 {
		return nil, &chains.Error{Kind: chains.ErrFunds, Doing: "prepare"}
	}
	return d, nil
}

func (n *seqNet) draft(job *chains.Job, p chains.Purpose, nonce, fee uint64) *chains.Draft {
	in := job.Intent
	if p == chains.Cancel {
		in = chains.Intent{To: job.Account.Address, Value: new(big.Int)}
	}
	var b []byte
	for _, f := range [][]byte{[]byte(job.Chain.ChainID), []byte(job.Account.Address), []byte(in.To), in.Value.Bytes(), in.Data, job.Account.Public} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
	}
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, nonce), fee)
	sum := sha256.Sum256(b)
	cost := new(big.Int).Add(in.Value, new(big.Int).SetUint64(seqGas*fee))
	return &chains.Draft{Digest: sum[:], Body: b, Purpose: p, Nonce: nonce, Gas: seqGas, FeeCap: new(big.Int).SetUint64(fee),
		Cost: cost, Head: n.head(len(n.blocks) - 1)}
}

func decodeSeq(raw []byte) (t *seqTx, chainID string, pub, digest, sig []byte, ok bool) {
	var f [6][]byte
	rest := raw
	for i := range f {
		if len(rest) < 4 || uint64(binary.BigEndian.Uint32(rest)) > uint64(len(rest)-4) {
			return nil, "", nil, nil, nil, false
		}
		n := binary.BigEndian.Uint32(rest)
		f[i], rest = rest[4:4+n], rest[4+n:]
	}
	if len(rest) != 16+65 {
		return nil, "", nil, nil, nil, false
	}
	t = &seqTx{from: string(f[1]), to: string(f[2]), value: new(big.Int).SetBytes(f[3]), data: f[4],
		nonce: binary.BigEndian.Uint64(rest), fee: binary.BigEndian.Uint64(rest[8:])}
	body := sha256.Sum256(raw[:len(raw)-65])
	whole := sha256.Sum256(raw)
	t.hash = hex.EncodeToString(whole[:])
	return t, string(f[0]), f[5], body[:], rest[16:], true
}

func (n *seqNet) Assemble(job *chains.Job, draft *chains.Draft, sig []byte) (*chains.Signed, error) {
	bad := &chains.Error{Kind: chains.ErrMismatch, Doing: "assemble"}
	raw := append(bytes.Clone(draft.Body), sig...)
	t, chainID, pub, digest, got, ok := decodeSeq(raw)
	if !ok || draft.Interim || !bytes.Equal(digest, draft.Digest) || chainID != job.Chain.ChainID || !bytes.Equal(pub, job.Account.Public) {
		return nil, bad
	}
	to, value, data := job.Intent.To, job.Intent.Value, job.Intent.Data
	if draft.Purpose == chains.Cancel {
		to, value, data = job.Account.Address, new(big.Int), nil
	}
	cost := new(big.Int).Add(value, new(big.Int).SetUint64(seqGas*t.fee))
	address, err := n.Address(job.Account.Curve, pub)
	if err != nil || draft.Cost == nil || draft.Cost.Cmp(cost) != 0 || t.nonce < job.Nonce || (!job.Adopt && t.nonce != job.Nonce) || address != job.Account.Address || t.from != address || t.to != to || t.value.Cmp(value) != 0 || !bytes.Equal(t.data, data) ||
		t.nonce != draft.Nonce || new(big.Int).SetUint64(t.fee).Cmp(draft.FeeCap) != 0 || draft.Gas != seqGas ||
		!bytes.Equal(got, chaintest.CheapSignature("secp256k1", pub, digest)) {
		return nil, bad
	}
	return &chains.Signed{Raw: raw, Hash: t.hash}, nil
}

func (n *seqNet) Send(ctx context.Context, s chains.Signed) error {
	t, _, pub, digest, sig, ok := decodeSeq(s.Raw)
	if err := n.reach(ctx, nil); err != nil {
		return err
	}
	defer n.mu.Unlock()
	if !ok || !bytes.Equal(sig, chaintest.CheapSignature("secp256k1", pub, digest)) {
		return &chains.Error{Kind: chains.ErrRefused, Doing: "send", Detail: "invalid"}
	}
	return n.keep(t)
}

func (n *seqNet) Track(ctx context.Context, since chains.Head, watches []chains.Watch) (*chains.Sight, error) {
	if err := n.reach(ctx, nil); err != nil {
		return nil, err
	}
	defer n.mu.Unlock()
	tip := len(n.blocks) - 1
	s := &chains.Sight{Head: n.head(tip)}
	final := tip + 1 - seqDepth
	if final >= 0 {
		s.Final = n.head(final)
	}
	if since != (chains.Head{}) {
		s.Replaced = since.Number > uint64(tip) || n.hashes[since.Number] != since.Hash
	}
	for _, w := range watches {
		s.Evidence = append(s.Evidence, n.evidence(w, tip, final))
	}
	return s, nil
}

func (n *seqNet) evidence(w chains.Watch, tip, final int) chains.Evidence {
	ev := chains.Evidence{Absent: true}
	for i, a := range w.Attempts {
		if b, ok := n.find(a.Hash); ok {
			depth := uint64(tip - b + 1)
			ev = chains.Evidence{Outcome: chains.Succeeded, Attempt: i, Block: n.head(b), Confirmations: depth,
				Settled: b <= final && depth >= w.Confirm}
			if t, _, _, _, _, ok := decodeSeq(a.Raw); ok {
				ev.FeePaid = new(big.Int).SetUint64(t.fee * seqGas)
				if t.to == chaintest.Late {
					ev.Outcome, ev.Err = chains.Reverted, &chains.Error{Kind: chains.ErrReverts, Doing: "include"}
				}
			}
			return ev
		}
		for _, byNonce := range n.pool {
			if t := byNonce[a.Nonce]; t != nil && t.hash == a.Hash {
				ev.Known, ev.Absent = true, false
			}
		}
	}
	if final >= 0 && len(w.Attempts) > 0 {
		ev.Consumed = n.nonce(w.Account.Address, final+1) > w.Attempts[0].Nonce
	}
	return ev
}

func (n seqReplacer) JudgeReplacement(_ []chains.Attempt, maxFee *big.Int) error {
	if maxFee.Cmp(n.config.Options.Amount("max_fee_per_gas")) > 0 {
		return &chains.Error{Kind: chains.ErrCeiling, Doing: "replace"}
	}
	return nil
}

func (n seqReplacer) PrepareReplacement(ctx context.Context, job *chains.Job, prior []chains.Attempt, p chains.Purpose, maxFee *big.Int) (*chains.Draft, error) {
	last, _, _, _, _, ok := decodeSeq(prior[len(prior)-1].Raw)
	if !ok {
		return nil, &chains.Error{Kind: chains.ErrMismatch, Doing: "replace"}
	}
	if p == chains.Cancel && prior[len(prior)-1].Purpose == chains.Cancel {
		return nil, nil
	}
	least := last.fee + max(1, last.fee/8)
	if maxFee != nil {
		if maxFee.Uint64() <= last.fee {
			return nil, nil
		}
		least = max(least, maxFee.Uint64())
	}
	if err := n.JudgeReplacement(prior, new(big.Int).SetUint64(least)); err != nil {
		return nil, err
	}
	if err := n.reach(ctx, &job.Chain); err != nil {
		return nil, err
	}
	defer n.mu.Unlock()
	for _, a := range prior {
		if _, in := n.find(a.Hash); in {
			return nil, nil
		}
	}
	return n.draft(job, p, job.Nonce, least), nil
}

// Balance makes the network a Balancer.
func (n *seqNet) Balance(ctx context.Context, a string) (*big.Int, error) {
	if err := n.reach(ctx, nil); err != nil {
		return nil, err
	}
	defer n.mu.Unlock()
	if b := n.funds[a]; b != nil {
		return new(big.Int).Set(b), nil
	}
	return new(big.Int), nil
}
