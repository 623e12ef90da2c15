//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"
	"math/big"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// TestE2ETwoWalletsOneAccount puts one key behind three wallets on two names of
// one chain: there is one queue and one series of nonces for all.
func TestE2ETwoWalletsOneAccount(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	b := newBench(t, n, 1, setup{networks: []network{{endpoints: []string{n.url}, depth: 1}, {name: "other", endpoints: []string{n.url}, depth: 1}}})
	wallets := []string{"w", "twin", "cousin"}
	b.ok(`AT+BOATWALADD="twin","net","w"`)
	b.ok(`AT+BOATWALADD="cousin","other","w"`)
	var all []*intent
	for i := range 15 {
		in := transferIntent(wallets[i%3], fmt.Sprint("r", i), nobody(t, i), big.NewInt(int64(i)))
		in.id = b.send(in.wallet, in.ref, in.want.to, in.want.value)
		all = append(all, in)
	}
	b.settle(all)
	for _, in := range all {
		b.ends(in.id, confirmed, noReason)
	}
	audit(t, b.host, n, map[string][]string{b.address: wallets}, all)
}

// TestE2ETwoChannels has two hosts race for one wallet, one reference, one slot
// number and the PIN.
func TestE2ETwoChannels(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	d := newDaemon(t, setup{pin: true, networks: []network{{endpoints: []string{n.url}, depth: 1}}})
	hosts := []*host{d.host(), d.host()}
	hosts[0].ok(`AT+BOATPWD="","4711","83920174"`)
	both := func(do func(i int, h *host)) {
		var wg sync.WaitGroup
		for i, h := range hosts {
			wg.Go(func() { do(i, h) })
		}
		wg.Wait()
	}
	try := func(h *host, line string) int {
		r, err := h.do(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		return r.code
	}
	both(func(_ int, h *host) {
		for range 3 {
			if code := try(h, `AT+BOATPIN="1147"`); code != 16 {
				t.Errorf("a wrong PIN answers code %d", code)
			}
		}
	})
	if got := fields(hosts[1].ok("AT+BOATPIN?")[0]); got[0] != "4" {
		t.Errorf("after six wrong PINs on two channels %s tries of ten are left", got[0])
	}
	both(func(_ int, h *host) { h.ok(`AT+BOATPIN="4711"`) })
	address := hosts[0].wallet("w", "net")
	n.fund(t, address, ether(1))
	contract := n.deploy(t, initCode(box))

	ids := make([][]uint64, 2)
	both(func(i int, h *host) {
		h.ok(`AT+BOATDATAHX=5,0,"%s"`, word(int64(1+i)))
		for k := range 6 {
			ids[i] = append(ids[i], h.send("w", fmt.Sprint("same-", k), nobody(t, 1), k))
			ids[i] = append(ids[i], h.send("w", fmt.Sprint("mine-", i, "-", k), nobody(t, 2), 10*i+k))
		}
		h.ends(h.id(`AT+BOATCALL="w","slot-%d","%s","@5"`, i, contract), confirmed, noReason)
	})
	seen := map[uint64]bool{}
	for k, id := range ids[0] {
		if shared := k%2 == 0; (ids[1][k] == id) != shared {
			t.Errorf("order %d has the ids %d and %d", k, id, ids[1][k])
		}
		seen[id], seen[ids[1][k]] = true, true
	}
	for id := range seen {
		hosts[0].ends(id, confirmed, noReason)
	}
	txs := n.transactions(t, address)
	slots := map[string]int{}
	for i, tx := range txs {
		if int(tx.Nonce) != i {
			t.Errorf("transaction %d has nonce %d", i, tx.Nonce)
		}
		if len(tx.Input) > 0 {
			slots[hex.EncodeToString(tx.Input)]++
		}
	}
	if len(seen) != 18 || len(txs) != 20 || slots[word(1)] != 1 || slots[word(2)] != 1 {
		t.Errorf("%d ids of 18, %d transactions of 20, calls %v", len(seen), len(txs), slots)
	}
}

// TestE2EKeySuspended changes the state of a key between acceptance and
// signature, and between signature and sending.
func TestE2EKeySuspended(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	p := newProxy(t, n)
	b := newBench(t, n, 1, setup{networks: []network{{endpoints: []string{p.url}, depth: 1}}})
	b.ends(b.send("w", "first", nobody(t, 1), "1"), confirmed, noReason)
	p.set(fault{instead: (*exchange).drop})
	waits := b.send("w", "waits", nobody(t, 1), "2")
	b.shows(waits, accepted, unreachable)
	b.ok(`AT+BOATKEYSET="w",2`)
	b.fails(keyInactive, `AT+BOATSEND="w","refused","%s","3"`, nobody(t, 1))
	p.heal()
	b.shows(waits, accepted, keyInactive)
	b.ok(`AT+BOATKEYSET="w",1`)
	b.ends(waits, confirmed, noReason)

	p.set(refuseBytes(false))
	signedOnly := b.send("w", "signed", nobody(t, 1), "4")
	unsigned := b.send("w", "unsigned", nobody(t, 1), "5")
	b.shows(signedOnly, signed, unreachable)
	b.ok(`AT+BOATKEYSET="w",3`)
	p.heal()
	b.ends(unsigned, refused, keyInactive)
	height := b.chain.height(t)
	eventually(t, "five more blocks", func() bool { return b.chain.height(t) >= height+5 })
	if got := b.tx(signedOnly); got.state != signed || b.pooled(got.hash) {
		t.Errorf("the key is retired, and its transaction is %+v", got)
	}
	if c := b.chain.nonce(t, b.address); c != 2 {
		t.Errorf("the account's nonce is %d; two transactions were to happen", c)
	}
}

// TestE2EPolicyTightened tightens limits between acceptance and signature.
func TestE2EPolicyTightened(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	p := newProxy(t, n)
	s := setup{networks: []network{{endpoints: []string{p.url}, depth: 1}}}
	b := newBench(t, n, 1, s)
	p.set(fault{instead: (*exchange).drop})
	large := b.send("w", "large", nobody(t, 1), "5ether")
	other := b.send("w", "other", nobody(t, 2), "7")
	small := b.send("w", "small", nobody(t, 1), "7")
	b.shows(small, accepted, unreachable)
	s.tables = fmt.Sprintf("[[limit]]\nwallet = \"w\"\nper_transaction = \"1ether\"\nrecipients = [%q]\n", nobody(t, 1))
	b.boatd.configure(s)
	b.boatd.restart(false)
	b.reconnect()
	b.fails(byPolicy, `AT+BOATSEND="w","more","%s","2ether"`, nobody(t, 1))
	p.heal()
	b.ends(large, refused, byPolicy)
	b.ends(other, refused, byPolicy)
	b.ends(small, confirmed, noReason)
}

// TestE2EApproveThenTransferFrom queues, without a network, a call that only
// succeeds once the one before it has happened.
func TestE2EApproveThenTransferFrom(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	p := newProxy(t, n)
	b := newBench(t, n, 1, setup{networks: []network{{endpoints: []string{p.url}, depth: 1}}})
	contract := n.deploy(t, initCode(token))
	p.set(fault{instead: (*exchange).drop})
	approve := b.callData("w", "approve", contract, "095ea7b3"+addressWord(b.address)+word(100))
	take := b.callData("w", "take", contract, "23b872dd"+addressWord(b.address)+addressWord(nobody(t, 1))+word(60))
	b.shows(take, accepted, unreachable)
	p.heal()
	b.ends(approve, confirmed, noReason)
	b.ends(take, confirmed, noReason)
	b.told("tx", itoa(take), "0", itoa(behindAnother))
	if got := n.word(t, contract, "0x70a08231"+addressWord(nobody(t, 1))); got.Int64() != 60 {
		t.Errorf("60 were to be moved, the contract says %d", got)
	}
}

// An outsider is somebody else who has the wallet's key.
type outsider struct {
	key *ecdsa.PrivateKey
	n   *node
}

// newOutsider imports a key that the test has, too, into a boatd.
func newOutsider(t *testing.T, n *node, s setup) (*bench, *outsider) {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return importing(t, n, s, key), &outsider{key, n}
}

func importing(t *testing.T, n *node, s setup, key *ecdsa.PrivateKey) *bench {
	t.Helper()
	s.at += "allow_key_import = true\n"
	b := &bench{chain: n, boatd: newDaemon(t, s)}
	b.host = b.boatd.host()
	b.listen()
	b.ok(`AT+BOATKEYIMP="w",0,"x:%x"`, crypto.FromECDSA(key))
	b.address = b.wallet("w", "net")
	if want := crypto.PubkeyToAddress(key.PublicKey).Hex(); b.address != want {
		t.Fatalf("the imported key has the address %s, want %s", b.address, want)
	}
	n.fund(t, b.address, ether(100))
	return b
}

// pay sends a transaction of the outsider's own and waits until it is mined.
func (o *outsider) pay(t testing.TB, nonce uint64) {
	t.Helper()
	to := common.HexToAddress(nobody(t, 77))
	tx, err := types.SignNewTx(o.key, types.LatestSignerForChainID(big.NewInt(1337)), &types.DynamicFeeTx{ChainID: big.NewInt(1337), Nonce: nonce,
		GasTipCap: big.NewInt(5e9), GasFeeCap: big.NewInt(20e9), Gas: 21000, To: &to, Value: big.NewInt(1)})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	o.n.call(t, nil, "eth_sendRawTransaction", hexutil.Encode(raw))
	o.n.receipt(t, tx.Hash().Hex())
}

// TestE2EDisplaced has somebody else use the nonce of a transaction that waits.
func TestE2EDisplaced(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	b, o := newOutsider(t, n, setup{networks: []network{{endpoints: []string{n.url}, depth: 2}}})
	id := b.send("w", "lost;tip=1", nobody(t, 1), "7")
	b.shows(id, sent, noReason)
	o.pay(t, 0)
	b.shows(id, sent, disagreement)
	b.ends(id, displaced, noReason)
	b.ends(b.send("w", "next", nobody(t, 1), "8"), confirmed, noReason)
	if got := n.balance(t, nobody(t, 1)); got.Int64() != 8 {
		t.Errorf("%d wei were paid, want 8", got)
	}
}

// TestE2EUsedElsewhere lets the chain's nonce run ahead of the journal's: boatd
// signs nothing more until somebody who may says that this is intended.
func TestE2EUsedElsewhere(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	for name, may := range map[string]bool{"by AT": true, "by file": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup{networks: []network{{endpoints: []string{n.url}, depth: 1}}}
			if may {
				s.networks[0].lines = `at_may_set = ["external_use"]`
			}
			b, o := newOutsider(t, n, s)
			b.ends(b.send("w", "own", nobody(t, 1), "1"), confirmed, noReason)
			o.pay(t, 1)
			id := b.send("w", "after", nobody(t, 1), "2")
			b.shows(id, accepted, disagreement)
			b.told("alarm", itoa(disagreement), "w")
			height := n.height(t)
			eventually(t, "three more blocks", func() bool { return n.height(t) >= height+3 })
			if b.tx(id).state != accepted || b.alarms(disagreement) != 1 {
				t.Errorf("it is %+v after %d alarms", b.tx(id), b.alarms(disagreement))
			}
			if may {
				b.ok(`AT+BOATNETSET="net","external_use","true"`)
			} else {
				b.fails(7003, `AT+BOATNETSET="net","external_use","true"`)
				s.networks[0].lines = "external_use = true"
				s.at = "allow_key_import = true\n"
				b.boatd.configure(s)
				b.boatd.restart(false)
				b.reconnect()
			}
			b.one(2, b.ends(id, confirmed, noReason).hash)
		})
	}
}

// TestE2ELeadingZeros signs transactions of which r or s begins with a zero
// byte: their encodings are shorter, and a client that pads them is refused. The
// test finds such transactions beforehand, since a signature is determined by
// key and transaction (RFC 6979).
func TestE2ELeadingZeros(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	b, o := newOutsider(t, n, setup{networks: []network{{endpoints: []string{n.url}, depth: 1}}})
	for nonce, short := range []func(*types.Transaction) bool{
		func(tx *types.Transaction) bool { _, r, _ := tx.RawSignatureValues(); return r.BitLen() <= 248 },
		func(tx *types.Transaction) bool { _, _, s := tx.RawSignatureValues(); return s.BitLen() <= 248 },
	} {
		tx := o.find(t, uint64(nonce), short)
		id := b.send("w", fmt.Sprintf("zero-%d;type=0;gas=21000;maxfee=20gwei", nonce), nobody(t, 1), tx.Value())
		got := b.ends(id, confirmed, noReason)
		if got.hash != tx.Hash().Hex()[2:] {
			t.Errorf("the transaction is %s, it was to be %s", got.hash, tx.Hash())
		}
		b.one(uint64(nonce), got.hash)
	}
}

// find tries values until the signed transaction is as wanted.
func (o *outsider) find(t testing.TB, nonce uint64, want func(*types.Transaction) bool) *types.Transaction {
	t.Helper()
	to := common.HexToAddress(nobody(t, 1))
	for value := int64(1); value < 100_000; value++ {
		tx, err := types.SignNewTx(o.key, types.LatestSignerForChainID(big.NewInt(1337)), &types.LegacyTx{Nonce: nonce,
			GasPrice: big.NewInt(20e9), Gas: 21000, To: &to, Value: big.NewInt(value)})
		if err != nil {
			t.Fatal(err)
		}
		if want(tx) {
			return tx
		}
	}
	t.Fatal("no value gives such a signature")
	return nil
}

// TestE2ETokens pays in tokens, on both nodes: one that calls itself OK, with a
// line end, and one that returns nothing. What is not there is not sent.
func TestE2ETokens(t *testing.T) {
	t.Parallel()
	anvil := ownAnvil(t)
	anvil.call(t, nil, "evm_setIntervalMining", 1)
	for name, n := range map[string]*node{"geth": instant(t), "anvil": anvil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, n, 1, setup{})
			for i, code := range []string{tokenOK, tokenMute} {
				b.ends(b.id(`AT+BOATDEPLOY="w","make-%d","x:%s"`, i, code), confirmed, noReason)
				contract := crypto.CreateAddress(common.HexToAddress(b.address), uint64(2*i)).Hex()
				if got := b.ok(`AT+BOATBAL="w","%s"`, contract); len(got) != 1 || got[0] != []string{`6,"1000000","ok__"`, `6,"1000000","usd"`}[i] {
					t.Errorf("the balance is %q", got)
				}
				b.ends(b.id(`AT+BOATSEND="w","pay-%d","%s","0.25whole","%s"`, i, nobody(t, 1), contract), confirmed, noReason)
				if got := n.word(t, contract, "0x70a08231"+addressWord(nobody(t, 1))); got.Int64() != 250_000 {
					t.Errorf("250000 were to be moved, the contract says %d", got)
				}
				b.ends(b.id(`AT+BOATSEND="w","much-%d","%s","0.750001whole","%s"`, i, nobody(t, 1), contract), refused, wouldRevert)
			}
		})
	}
}
