//go:build e2e

package e2e

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// bench is a boatd with one network on one node and a host that is told of
// everything, and a funded wallet "w".
type bench struct {
	*host
	chain   *node
	boatd   *daemon
	address string
}

// newBench makes one; s needs no network: the node's is added, final after depth
// blocks.
func newBench(t *testing.T, n *node, depth int, s setup) *bench {
	t.Helper()
	if len(s.networks) == 0 {
		s.networks = []network{{endpoints: []string{n.url}, depth: depth}}
	}
	b := &bench{chain: n, boatd: newDaemon(t, s)}
	b.host = b.boatd.host()
	b.listen()
	b.address = b.wallet("w", "net")
	n.fund(t, b.address, ether(100))
	return b
}

// reconnect is what a host does when boatd was started again.
func (b *bench) reconnect() {
	b.t.Helper()
	b.close()
	b.host = b.boatd.host()
}

// one returns the only transaction that the chain has of the wallet with a
// nonce, and fails when there is another one or none.
func (b *bench) one(nonce uint64, hash string) *chainTx {
	t := b.t
	t.Helper()
	for _, tx := range b.chain.transactions(t, b.address) {
		if uint64(tx.Nonce) == nonce {
			if tx.hash() != hash {
				t.Fatalf("nonce %d is %s on the chain, the host was told %s", nonce, tx.hash(), hash)
			}
			return tx
		}
	}
	t.Fatalf("the chain has no transaction with nonce %d", nonce)
	return nil
}

// TestE2ETransfer pays with both types of transaction, small and large amounts.
func TestE2ETransfer(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 2, setup{})
	huge := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(1)) // above 2^64: 18.4 ether
	orders := []struct {
		ref, amount string
		wei         *big.Int
		kind        uint64
	}{
		{"dynamic", "12345", big.NewInt(12345), types.DynamicFeeTxType},
		{"legacy;type=0", "1.5gwei", big.NewInt(1_500_000_000), types.LegacyTxType},
		{"huge", huge.String(), huge, types.DynamicFeeTxType},
		{"none", "0", new(big.Int), types.DynamicFeeTxType},
		{"chosen;gas=30000;tip=2gwei;maxfee=9gwei", "1ether", ether(1), types.DynamicFeeTxType},
	}
	ids := make([]uint64, len(orders))
	for i, o := range orders {
		ids[i] = b.send("w", o.ref, nobody(t, i), o.amount)
	}
	for i, o := range orders {
		got := b.ends(ids[i], confirmed, noReason)
		tx := b.one(uint64(i), got.hash)
		if tx.effect() != (effect{nobody(t, i), o.wei.String(), ""}) || uint64(tx.Type) != o.kind || !tx.Success {
			t.Errorf("%s: the chain has %+v", o.ref, tx)
		}
		if got.block != tx.Block.ToInt().Uint64() || got.confirmations < 2 {
			t.Errorf("%s: told %+v, it is in block %d", o.ref, got, tx.Block.ToInt())
		}
		b.passed(ids[i], signed, sent, included, confirmed)
	}
	if n := b.chain.nonce(t, b.address); n != uint64(len(orders)) {
		t.Errorf("the account's nonce is %d, %d transactions were ordered", n, len(orders))
	}
}

// TestE2EContract deploys, calls and reads a contract, and is refused what would
// revert.
func TestE2EContract(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 2, setup{})
	b.ends(b.id(`AT+BOATDEPLOY="w","make","x:%s"`, initCode(box)), confirmed, noReason)
	contract := crypto.CreateAddress(common.HexToAddress(b.address), 0).Hex()
	b.ends(b.callData("w", "put", contract, word(77)), confirmed, noReason)
	if got := b.chain.word(t, contract, "0x"); got.Int64() != 77 {
		t.Errorf("the chain says that the box holds %d", got)
	}
	want := `0,32,"` + word(77) + `"`
	for _, by := range []string{"w", "net"} {
		if got := b.ok(`AT+BOATQUERY="%s","%s","x:"`, by, contract); len(got) != 1 || got[0] != want {
			t.Errorf("the query by %s answers %q, want %q", by, got, want)
		}
	}
	b.fails(wouldRevert, `AT+BOATQUERY="w","%s","x:00"`, contract)
	b.ends(b.callData("w", "bad", contract, "00"), refused, wouldRevert)
	b.ends(b.id(`AT+BOATDEPLOY="w","bad2","x:%s"`, failingInit), refused, wouldRevert)
	// A slot holds what no line can.
	b.ok(`AT+BOATDATAHX=3,0,"%s"`, word(78))
	b.ends(b.id(`AT+BOATCALL="w","slot","%s","@3"`, contract), confirmed, noReason)
	if got := b.chain.word(t, contract, "0x"); got.Int64() != 78 {
		t.Errorf("the chain says that the box holds %d", got)
	}
	if n := b.chain.nonce(t, b.address); n != 3 {
		t.Errorf("the account's nonce is %d; three transactions were to happen", n)
	}
}

// TestE2EFailing orders what real nodes say of in other words than revert: it
// fails when it is tried, so it is refused and not tried for ever.
func TestE2EFailing(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *node{"geth": ticking, "anvil": func(t testing.TB) *node { return ownAnvil(t) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, start(t), 2, setup{})
			for what, init := range map[string]string{
				"opcode": "fe", "stack": "50", "jump": "600056", "code": "60ef60005360016000f3", "size": "6160016000f3",
			} {
				b.ends(b.id(`AT+BOATDEPLOY="w","%s","x:%s"`, what, init), refused, wouldRevert)
			}
			contract := b.chain.deploy(t, initCode(box))
			b.ends(b.id(`AT+BOATCALL="w","gas;gas=22000","%s","x:%s"`, contract, word(77)), refused, wouldRevert)
			if n := b.chain.nonce(t, b.address); n != 0 {
				t.Errorf("the account's nonce is %d; nothing was to happen", n)
			}
		})
	}
}

// TestE2EReverts sees a call fail on the chain that did not fail when it was
// tried: it is never told as a success, and costs only its fee.
func TestE2EReverts(t *testing.T) {
	t.Parallel()
	n := ownAnvil(t)
	b := newBench(t, n, 2, setup{})
	contract := n.deploy(t, initCode(gate))
	id := b.id(`AT+BOATCALL="w","pass;value=5","%s","x:"`, contract)
	b.wait(id, sent)
	n.call(t, nil, "eth_sendTransaction", map[string]string{"from": n.dev, "to": contract, "data": "0x" + word(1), "gas": "0x186a0",
		"maxFeePerGas": "0x4a817c800", "maxPriorityFeePerGas": "0x2540be400"}) // dearer, so it comes first
	n.mine(t, 1)
	b.shows(id, included, wouldRevert)
	n.mine(t, 1)
	b.ends(id, reverted, wouldRevert)
	b.passed(id, signed, sent, included, reverted)
	if n.balance(t, contract).Sign() != 0 {
		t.Error("the value was paid although the call reverted")
	}
}

// TestE2EForeignText lets a contract put into its complaint what would upset a
// host: line ends, results, quotes. None of it may come through.
func TestE2EForeignText(t *testing.T) {
	t.Parallel()
	b := newBench(t, instant(t), 1, setup{})
	contract := b.chain.deploy(t, initCode(complainer("no\r\nOK\r\n+CME ERROR: 16\r\nRING\r\nCONNECT \x00\xff\"\x1a>")))
	b.fails(wouldRevert, `AT+BOATQUERY="w","%s","x:"`, contract)
	if got := fields(b.ok("AT+BOATERR?")[0]); got[0] != "7043" || got[2] == "" {
		t.Errorf("AT+BOATERR? says %q", got)
	}
	b.ends(b.callData("w", "bad", contract, "00"), refused, wouldRevert)
}

// TestE2EQuotes compares what boatd says of balances and fees with the chain.
func TestE2EQuotes(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 1, setup{})
	if got := fields(b.ok(`AT+BOATBAL="w"`)[0]); got[0] != "18" || got[1] != b.chain.balance(t, b.address).String() || got[2] != "ETH" {
		t.Errorf("the balance is %q, the chain says %d", got, b.chain.balance(t, b.address))
	}
	f := fields(b.ok(`AT+BOATFEE="net"`)[0])
	base, tip, transfer := number(t, f[0]), number(t, f[1]), number(t, f[2])
	if base == 0 || tip != stuckBelow || transfer != 21000*(base+tip) {
		t.Errorf("the fees are %q", f)
	}
}

// TestE2EWaits orders what cannot happen yet, and lets it happen: a wallet
// without funds, a fee that is too low for now, an order that depends on
// another one.
func TestE2EWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 1, setup{})
	poor := b.wallet("poor", "net")
	id := b.send("poor", "early", nobody(t, 1), "1000")
	b.shows(id, accepted, noFunds)
	cheap := b.send("w", "cheap;maxfee=7", nobody(t, 1), "1000") // 7 wei is the lowest that a base fee can fall to
	b.shows(cheap, accepted, overCeiling)
	b.told("tx", itoa(cheap), "0", itoa(overCeiling))
	late := b.id(`AT+BOATSEND="w","late;after=%d","%s","1"`, cheap, nobody(t, 2))
	b.shows(late, accepted, behindAnother)
	b.ok("AT+BOATTXCAN=%d", cheap)
	b.ends(cheap, cancelled, noReason)
	b.ends(late, refused, behindAnother)
	b.chain.fund(t, poor, ether(1))
	b.ends(id, confirmed, noReason)
	next := b.id(`AT+BOATSEND="w","next;after=%d","%s","1"`, id, nobody(t, 3))
	b.ends(next, confirmed, noReason)
	if n := b.chain.nonce(t, b.address); n != 1 {
		t.Errorf("the account's nonce is %d; one transaction was to happen", n)
	}
}

// TestE2EExpires lets a stuck transaction expire: it is cancelled on the chain,
// and one that was never signed just ends.
func TestE2EExpires(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 1, setup{})
	stuck := b.send("w", "stuck;tip=1;expire=3", nobody(t, 1), "7")
	unsigned := b.send("w", "never;maxfee=7;expire=3", nobody(t, 1), "7")
	b.ends(unsigned, expired, noReason)
	b.ends(stuck, cancelled, noReason)
	if got := b.chain.balance(t, nobody(t, 1)); got.Sign() != 0 {
		t.Errorf("%d wei were paid by what expired", got)
	}
}

// TestE2EFinalized follows the tag "finalized", which geth --dev moves in steps
// of 32 blocks.
func TestE2EFinalized(t *testing.T) {
	t.Parallel()
	b := newBench(t, ownGeth(t, gethOptions{}), 0, setup{})
	id := b.send("w", "slow", nobody(t, 1), "7")
	tx := b.wait(id, included)
	for {
		state := b.tx(id).state
		var final struct {
			Number hexutil.Uint64 `json:"number"`
		}
		b.chain.call(t, &final, "eth_getBlockByNumber", "finalized", false)
		if uint64(final.Number) >= tx.block {
			break
		}
		if state != included {
			t.Fatalf("block %d is final and the transaction in block %d is in state %d", final.Number, tx.block, state)
		}
		b.chain.fund(t, nobody(t, 9), big.NewInt(1))
	}
	b.ends(id, confirmed, noReason)
}

// TestE2EReferences repeats orders: the same one is the same id for ever,
// another one under its name is refused.
func TestE2EReferences(t *testing.T) {
	t.Parallel()
	b := newBench(t, instant(t), 1, setup{})
	order := `AT+BOATSEND="w","rent-2026;expire=%d","` + nobody(t, 1) + `","%s"`
	id := b.id(order, 600, "1000")
	for range 3 {
		if again := b.id(order, 601, "1000wei"); again != id {
			t.Fatalf("the same order is %d and then %d", id, again)
		}
	}
	b.fails(7013, order, 600, "1001")
	b.ends(id, confirmed, noReason)
	b.boatd.restart(true)
	b.reconnect()
	if again := b.id(order, 600, "1000"); again != id {
		t.Errorf("the same order is %d and, after a restart, %d", id, again)
	}
	b.fails(7013, order, 600, "1001")
	if got := b.id(`AT+BOATTXREF="w","rent-2026"`); got != id {
		t.Errorf("the reference means %d, it was %d", got, id)
	}
	if n := b.chain.nonce(t, b.address); n != 1 {
		t.Errorf("the account's nonce is %d; one transaction was ordered", n)
	}
}
