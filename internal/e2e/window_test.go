//go:build e2e

package e2e

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"
)

// window is how many transactions of an account are signed and not included at
// most.
const window = 16

// signedOf counts the orders that are signed.
func (b *bench) signedOf(ids []uint64) (n int) {
	b.t.Helper()
	for _, id := range ids {
		if b.tx(id).state >= signed {
			n++
		}
	}
	return n
}

// TestE2EWindow orders more than may be in flight behind a transaction that no
// miner wants: the rest waits, and when that one is gone all happen in order.
func TestE2EWindow(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticking(t), 1, setup{})
	ids := []uint64{b.send("w", "first;tip=1", nobody(t, 0), "1")}
	for i := 1; i < window+6; i++ {
		ids = append(ids, b.send("w", fmt.Sprint("n", i), nobody(t, i), "1"))
	}
	b.shows(ids[window-1], sent, noReason)
	b.shows(ids[window], accepted, behindAnother)
	height := b.chain.height(t)
	eventually(t, "three more blocks", func() bool { return b.chain.height(t) >= height+3 })
	if n := b.signedOf(ids); n != window {
		t.Errorf("%d transactions are signed, at most %d may be", n, window)
	}
	b.ok(`AT+BOATTXBUMP=%d,"9gwei"`, ids[0])
	for i, id := range ids {
		b.one(uint64(i), b.ends(id, confirmed, noReason).hash)
	}
}

// TestE2EDelegatedAccount gives the account code to run (EIP-7702). A node holds
// only one transaction of such an account, and a transfer to it costs more than
// one to others, also a transfer that cancels.
func TestE2EDelegatedAccount(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	b, o := newOutsider(t, n, setup{networks: []network{{endpoints: []string{n.url}, depth: 1}}})
	o.delegate(t, n.deploy(t, initCode(sink)))
	ids := []uint64{b.send("w", "no;tip=1", nobody(t, 1), "1")}
	for i := range 3 {
		ids = append(ids, b.send("w", fmt.Sprint("n", i), nobody(t, 1), "2"))
	}
	b.shows(ids[0], sent, noReason)
	b.shows(ids[1], accepted, behindAnother)
	if c := b.signedOf(ids); c != 1 {
		t.Errorf("%d transactions are signed, at most one may be", c)
	}
	b.ok("AT+BOATTXCAN=%d", ids[0])
	b.ends(ids[0], cancelled, noReason)
	for _, id := range ids[1:] {
		b.ends(id, confirmed, noReason)
	}
	if got := n.balance(t, nobody(t, 1)); got.Int64() != 6 {
		t.Errorf("%d wei were paid, want 6", got)
	}
}

// delegate has the outsider's account run the code of a contract. It uses up two
// nonces: that of the transaction and that of the authorisation.
func (o *outsider) delegate(t testing.TB, contract string) {
	t.Helper()
	auth, err := types.SignSetCode(o.key, types.SetCodeAuthorization{ChainID: *uint256.NewInt(1337), Address: common.HexToAddress(contract), Nonce: 1})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := types.SignNewTx(o.key, types.LatestSignerForChainID(big.NewInt(1337)), &types.SetCodeTx{ChainID: uint256.NewInt(1337),
		GasTipCap: uint256.NewInt(2e9), GasFeeCap: uint256.NewInt(20e9), Gas: 200_000, AuthList: []types.SetCodeAuthorization{auth}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	o.n.call(t, nil, "eth_sendRawTransaction", hexutil.Encode(raw))
	if r := o.n.receipt(t, tx.Hash().Hex()); r.Status != 1 {
		t.Fatalf("the delegation failed: %+v", r)
	}
}
