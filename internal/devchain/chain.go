package main

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

// funded is the account of geth --dev, whose key is public.
var funded = func() (a struct {
	key     *ecdsa.PrivateKey
	address common.Address
}) {
	a.key, _ = crypto.HexToECDSA("b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291")
	a.address = crypto.PubkeyToAddress(a.key.PublicKey)
	return a
}()

// A chain is a node and what takes the place of its consensus client.
type chain struct {
	node   *node.Node
	eth    *eth.Ethereum
	beacon *catalyst.SimulatedBeacon
	config *params.ChainConfig

	// mu is held while blocks are made or taken away: the clock and the
	// methods come from goroutines of their own.
	mu     sync.Mutex
	stop   chan struct{} // ends mining by the clock; nil: blocks only on command
	closed bool
}

// startChain starts a node with one funded account that listens on host:port.
func startChain(host string, port int, chainID uint64) (*chain, error) {
	config := *params.AllDevChainProtocolChanges
	config.ChainID = new(big.Int).SetUint64(chainID)
	stack, err := node.New(&node.Config{
		P2P:                  p2p.Config{NoDiscovery: true, NoDial: true},
		HTTPHost:             host,
		HTTPPort:             port,
		HTTPModules:          []string{"eth", "net", "web3", "txpool", "dev"},
		HTTPVirtualHosts:     node.DefaultConfig.HTTPVirtualHosts,
		HTTPTimeouts:         rpc.DefaultHTTPTimeouts,
		BatchRequestLimit:    node.DefaultConfig.BatchRequestLimit,
		BatchResponseMaxSize: node.DefaultConfig.BatchResponseMaxSize,
		HTTPBodyLimit:        node.DefaultConfig.HTTPBodyLimit,
	})
	if err != nil {
		return nil, fmt.Errorf("making the node: %w", err)
	}
	c := &chain{node: stack, config: &config}
	if err := c.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the node: %w", err), stack.Close())
	}
	return c, nil
}

func (c *chain) start() (err error) {
	alloc := core.SystemContractAllocs()
	maps.Copy(alloc, types.GenesisAlloc{funded.address: {Balance: new(big.Int).Lsh(big.NewInt(1), 200)}})
	conf := ethconfig.Defaults
	conf.SyncMode = ethconfig.FullSync
	conf.Genesis = &core.Genesis{Config: c.config, GasLimit: conf.Miner.GasCeil, Alloc: alloc}
	conf.TrieCleanCache, conf.TrieDirtyCache, conf.SnapshotCache = 16, 16, 16 // MB; the chain is small
	if c.eth, err = eth.New(c.node, &conf); err != nil {
		return err
	}
	logs := filters.NewFilterSystem(c.eth.APIBackend, filters.Config{})
	c.node.RegisterAPIs([]rpc.API{
		{Namespace: "eth", Service: filters.NewFilterAPI(logs)},
		{Namespace: "dev", Service: &devAPI{c}},
	})
	if err := c.node.Start(); err != nil {
		return err
	}
	c.beacon, err = catalyst.NewSimulatedBeacon(0, common.Address{}, c.eth)
	return err
}

func (c *chain) url() string { return c.node.HTTPEndpoint() }

func (c *chain) close() error {
	c.setPeriod(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.node.Close()
}

// setPeriod starts, changes or, with 0, stops mining by the clock.
func (c *chain) setPeriod(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		close(c.stop)
		c.stop = nil
	}
	if d > 0 && !c.closed {
		c.stop = make(chan struct{})
		go c.mineEvery(d, c.stop)
	}
}

func (c *chain) mineEvery(d time.Duration, stop <-chan struct{}) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			c.tick(stop)
		}
	}
}

// tick makes a block unless the clock was stopped while it waited for mu.
func (c *chain) tick(stop <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-stop:
	default:
		c.beacon.Commit()
	}
}

func (c *chain) head() uint64 { return c.eth.BlockChain().CurrentBlock().Number.Uint64() }

// mine makes n blocks and returns the number of the newest. The caller holds mu.
func (c *chain) mine(n uint64) (uint64, error) {
	want := c.head() + n
	for range n {
		c.beacon.Commit() // an error of it is only logged, but shows in the height
	}
	if got := c.head(); got != want {
		return got, fmt.Errorf("the newest block is %d after mining, not %d", got, want)
	}
	return want, nil
}

// reorg replaces the newest depth blocks by depth+1 empty ones and puts their
// transactions back into the pool. The caller holds mu.
func (c *chain) reorg(depth uint64) (uint64, error) {
	head := c.head()
	if depth == 0 || depth > head {
		return 0, fmt.Errorf("cannot replace %d of %d blocks", depth, head)
	}
	var again types.Transactions
	for n := head - depth + 1; n <= head; n++ {
		again = append(again, c.eth.BlockChain().GetBlockByNumber(n).Transactions()...)
	}
	again = append(again, c.waiting()...)
	c.eth.TxPool().Clear() // Fork wants an empty pool
	if err := c.beacon.Fork(c.eth.BlockChain().GetCanonicalHash(head - depth)); err != nil {
		return 0, fmt.Errorf("going back %d blocks: %w", depth, err)
	}
	if err := c.eth.TxPool().Sync(); err != nil { // the pool has taken them back by now
		return 0, err
	}
	c.eth.TxPool().Clear()
	newest, err := c.mine(depth + 1)
	c.eth.TxPool().Add(again, true) // one that is in it already, or cannot be, is no matter here
	return newest, err
}

// waiting returns the pool's transactions in an order in which they can be
// added again.
func (c *chain) waiting() (txs types.Transactions) {
	pending, queued := c.eth.TxPool().Content()
	for _, part := range []map[common.Address][]*types.Transaction{pending, queued} {
		for _, list := range part {
			txs = append(txs, list...)
		}
	}
	slices.SortStableFunc(txs, func(a, b *types.Transaction) int {
		return int(a.Nonce()) - int(b.Nonce())
	})
	return txs
}

// fund pays amount to an address in a new block. The caller holds mu.
func (c *chain) fund(to common.Address, amount *big.Int) (common.Hash, error) {
	const gwei = 1_000_000_000
	if err := c.eth.TxPool().Sync(); err != nil { // else it may not know of the newest block
		return common.Hash{}, err
	}
	base := c.eth.BlockChain().CurrentBlock().BaseFee
	tx, err := types.SignNewTx(funded.key, types.LatestSigner(c.config), &types.DynamicFeeTx{
		ChainID:   c.config.ChainID,
		Nonce:     c.eth.TxPool().Nonce(funded.address),
		GasTipCap: big.NewInt(2 * gwei),
		GasFeeCap: new(big.Int).Add(new(big.Int).Lsh(base, 1), big.NewInt(2*gwei)),
		Gas:       100_000, // a contract may receive too
		To:        &to,
		Value:     amount,
	})
	if err != nil {
		return common.Hash{}, fmt.Errorf("signing: %w", err)
	}
	if err := c.eth.TxPool().Add(types.Transactions{tx}, true)[0]; err != nil {
		return common.Hash{}, fmt.Errorf("funding %v: %w", to, err)
	}
	newest, err := c.mine(1)
	if err != nil {
		return common.Hash{}, err
	}
	if c.eth.BlockChain().GetBlockByNumber(newest).Transaction(tx.Hash()) == nil {
		return common.Hash{}, fmt.Errorf("funding %v: transaction %v was not mined", to, tx.Hash())
	}
	return tx.Hash(), nil
}
