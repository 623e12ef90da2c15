package fakenode

import (
	"encoding/binary"
	"maps"
	"math/big"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// Options are what is fixed about a chain. The zero value is usable.
type Options struct {
	ChainID  *big.Int // default 1337
	Seed     string   // another seed is another genesis block
	Legacy   bool     // no base fee, and no transactions of type 2
	Base     *big.Int // base fee, default 7 gwei; see SetFees
	Tip      *big.Int // what nodes suggest as a tip, default 1 gwei
	MinTip   *big.Int // below it a transaction waits in the pool; default 0
	Finality uint64   // distance of the final block from the newest; default 2
	Start    uint64   // time of the genesis block, Unix seconds; default 1700000000
	L1Fee    *big.Int // what Oracle answers; default 0
}

const (
	blockGas  = 30_000_000
	blockTime = 12 // seconds
)

// A Chain is what all its nodes agree on. Its methods may be called from
// several goroutines at once.
type Chain struct {
	mu       sync.Mutex
	o        Options
	signer   types.Signer
	blocks   []*block
	accounts map[common.Address]*account
	included map[common.Hash]*inclusion
	nodes    map[string]*Node
	skew     uint64 // seconds by which new blocks are later
	forks    uint64 // makes the blocks of another branch differ
	late     bool
	mute     bool
	watch    func(method, params string)
	logs     []logged // of the next block
}

type block struct {
	number uint64
	hash   common.Hash
	parent common.Hash
	time   uint64
	base   *big.Int // nil on a legacy chain
	txs    []*inclusion
	logs   []logged
}

type inclusion struct {
	tx      *types.Transaction
	from    common.Address
	block   *block
	index   int
	success bool
	gasUsed uint64
	price   *big.Int
}

// New returns a chain with a genesis block.
func New(o Options) *Chain {
	setDefault(&o.ChainID, 1337)
	setDefault(&o.Base, 7e9)
	setDefault(&o.Tip, 1e9)
	setDefault(&o.MinTip, 0)
	setDefault(&o.L1Fee, 0)
	if o.Finality == 0 {
		o.Finality = 2
	}
	if o.Start == 0 {
		o.Start = 1_700_000_000
	}
	c := &Chain{o: o, signer: types.LatestSignerForChainID(o.ChainID), nodes: make(map[string]*Node), late: true}
	c.genesis()
	return c
}

func setDefault(p **big.Int, v int64) {
	if *p == nil {
		*p = big.NewInt(v)
	}
}

func (c *Chain) genesis() {
	c.blocks, c.included = nil, make(map[common.Hash]*inclusion)
	c.accounts = make(map[common.Address]*account)
	c.append(nil)
	for _, n := range []byte{1, 2, 3, 4, 5, 6, 7, 8, 0x10} {
		c.account(common.BytesToAddress([]byte{0x90, n})).history[0].code = []byte{n}
	}
}

// append makes a block. Its hash covers its transactions, its branch and, by
// its parent, everything before.
func (c *Chain) append(txs []*inclusion) *block {
	b := &block{number: uint64(len(c.blocks)), txs: txs, logs: c.logs}
	c.logs = nil
	b.time = c.o.Start + blockTime*b.number + c.skew
	if !c.o.Legacy {
		b.base = c.o.Base
	}
	parent := []byte(c.o.Seed)
	if b.number > 0 {
		b.parent = c.blocks[b.number-1].hash
		parent = b.parent[:]
	}
	content := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, b.number), c.forks)
	for i, in := range txs {
		in.block, in.index = b, i
		c.included[in.tx.Hash()] = in
		content = append(content, in.tx.Hash().Bytes()...)
	}
	b.hash = crypto.Keccak256Hash(parent, content)
	c.blocks = append(c.blocks, b)
	return b
}

func (c *Chain) tip() *block { return c.blocks[len(c.blocks)-1] }

// Fund adds coin to an account.
func (c *Chain) Fund(address string, amount *big.Int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.change(common.HexToAddress(address))
	s.balance = new(big.Int).Add(s.balance, amount)
}

// Delegate gives an account the code of an EIP-7702 delegation, which takes one
// of its nonces.
func (c *Chain) Delegate(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.change(common.HexToAddress(address))
	s.code = append([]byte{0xef, 0x01, 0x00}, make([]byte, 20)...)
	s.nonce++
}

// Balance returns what an account holds in the newest block.
func (c *Chain) Balance(address string) *big.Int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state(common.HexToAddress(address), c.tip().number).balance
}

// Nonce returns an account's nonce in the newest block.
func (c *Chain) Nonce(address string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state(common.HexToAddress(address), c.tip().number).nonce
}

// Height returns the number of the newest block.
func (c *Chain) Height() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tip().number
}

// Effects counts the transactions to an account that are in the chain and
// succeeded. For "" it counts deployments.
func (c *Chain) Effects(to string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, in := range c.included {
		create := in.tx.To() == nil
		if in.success && create == (to == "") && (create || *in.tx.To() == common.HexToAddress(to)) {
			n++
		}
	}
	return n
}

// SetFees changes the base fee of the next blocks and the tip that nodes
// suggest.
func (c *Chain) SetFees(base, tip *big.Int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.o.Base, c.o.Tip = base, tip
}

// SetLate says whether calls of Late fail when they are included.
func (c *Chain) SetLate(fails bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = fails
}

// SetMute says whether calls of Loud fail when they are included.
func (c *Chain) SetMute(mute bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mute = mute
}

// Watch calls f with every call that any node takes, before it is answered. f
// must not use the chain.
func (c *Chain) Watch(f func(method, params string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch = f
}

// Advance has time pass in which no block is made.
func (c *Chain) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew += uint64(d / time.Second)
}

// Mine makes n blocks. What the pools hold and can be included goes into the
// first.
func (c *Chain) Mine(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mine(n)
}

func (c *Chain) mine(n int) {
	for ; n > 0; n-- {
		c.append(c.execute(c.executable()))
	}
	for _, node := range c.nodes {
		node.forgetStale()
	}
}

// executable returns what can be included now: for each account its nonces
// without a gap, and of several transactions with one nonce the one that pays
// most.
func (c *Chain) executable() []*types.Transaction {
	best := make(map[common.Address]map[uint64]*types.Transaction)
	for _, node := range c.nodes {
		for from, byNonce := range node.pool {
			if best[from] == nil {
				best[from] = make(map[uint64]*types.Transaction)
			}
			for nonce, tx := range byNonce {
				old := best[from][nonce]
				if old == nil || tx.GasTipCapCmp(old) > 0 || tx.GasTipCapCmp(old) == 0 && tx.Hash().Cmp(old.Hash()) < 0 {
					best[from][nonce] = tx
				}
			}
		}
	}
	senders := slices.Collect(maps.Keys(best))
	sort.Slice(senders, func(i, j int) bool { return senders[i].Cmp(senders[j]) < 0 })
	var txs []*types.Transaction
	for _, from := range senders {
		for nonce := c.state(from, c.tip().number).nonce; ; nonce++ {
			tx := best[from][nonce]
			if tx == nil || !c.pays(tx) {
				break
			}
			txs = append(txs, tx)
		}
	}
	return txs
}

// pays says whether a block would take tx for its fee.
func (c *Chain) pays(tx *types.Transaction) bool {
	if c.o.Legacy {
		return true
	}
	tip, err := tx.EffectiveGasTip(c.o.Base)
	return err == nil && tip.Cmp(c.o.MinTip) >= 0
}

// Reorg replaces the newest depth blocks by depth+1 empty ones. Their
// transactions go back to the pools of all nodes.
func (c *Chain) Reorg(depth int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	depth = min(depth, len(c.blocks)-1)
	gone := c.blocks[len(c.blocks)-depth:]
	c.blocks = c.blocks[:len(c.blocks)-depth]
	for _, a := range c.accounts {
		a.truncate(c.tip().number)
	}
	c.forks++
	var back []*inclusion
	for _, b := range gone {
		for _, in := range b.txs {
			delete(c.included, in.tx.Hash())
			back = append(back, in)
		}
	}
	for range depth + 1 {
		c.append(nil)
	}
	for _, node := range c.nodes {
		for _, in := range back {
			node.put(in.from, in.tx)
		}
	}
}

// Drop empties the pools of all nodes.
func (c *Chain) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, node := range c.nodes {
		clear(node.pool)
	}
}

// Reset starts the chain again from another genesis block, with the same chain
// id and without any account. Connections break, as they do when a node is
// started again.
func (c *Chain) Reset(seed string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.o.Seed = seed
	c.genesis()
	for _, node := range c.nodes {
		clear(node.pool)
		node.starts++
	}
}

// Down makes all nodes refuse connections, or take them again.
func (c *Chain) Down(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, node := range c.nodes {
		node.faults.Down = down
	}
}

// Hang makes all nodes take requests without answering, or answer again.
func (c *Chain) Hang(hang bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, node := range c.nodes {
		node.faults.Hang = hang
	}
}
