//go:build e2e

package e2e

import (
	"math/big"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// An intent is one effect that a host wants once, and what it knows about it.
type intent struct {
	wallet, ref string
	want        effect // no two intents have the same
	id          uint64 // 0 while no answer has told it
	cancelAsked bool   // perhaps: the answer may have been lost
	attempts    []string
	end         txState
}

func transferIntent(wallet, ref, to string, wei *big.Int) *intent {
	return &intent{wallet: wallet, ref: ref, want: effect{to, wei.String(), ""}}
}

// newSeed is what a random test begins with; E2E_SEED repeats one.
func newSeed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("E2E_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("E2E_SEED: %v", err)
		}
	}
	t.Logf("E2E_SEED=%d", seed)
	return seed
}

// settle waits until every intent has ended.
func (h *host) settle(all []*intent) {
	h.t.Helper()
	for _, in := range all {
		h.wait(in.id, confirmed)
	}
}

// audit compares what hosts were told with what the chain did. accounts are the
// wallets of every account. Every intent whose id is known must have ended, and
//
//   - its end is what the chain shows: 4 its effect once, 5 failed in a block, 7
//     nothing or a transfer of nothing to oneself, 8 and 9 nothing at all;
//   - every transaction of an account is an attempt of exactly one intent;
//   - nonces have no gaps;
//   - an intent without an id happened at most once.
func audit(t testing.TB, h *host, n *node, accounts map[string][]string, all []*intent) {
	t.Helper()
	chain := map[string][]*chainTx{}
	for address := range accounts {
		chain[address] = n.transactions(t, address)
	}
	for _, in := range all {
		if in.id != 0 {
			in.end, in.attempts = h.tx(in.id), h.attempts(in.id)
		}
	}
	compare(t, chain, accounts, all)
}

// A complaint book takes what is wrong; a test is one.
type complaintBook interface {
	Helper()
	Errorf(format string, args ...any)
}

// compare is audit with everything known: chain has the transactions of each
// account.
func compare(t complaintBook, chain map[string][]*chainTx, accounts map[string][]string, all []*intent) {
	t.Helper()
	ids := map[uint64]*intent{}
	owner := map[string]*intent{}
	for _, in := range all {
		if in.id == 0 {
			continue
		}
		if twin := ids[in.id]; twin != nil {
			t.Errorf("id %d is %s/%q and %s/%q", in.id, twin.wallet, twin.ref, in.wallet, in.ref)
		}
		ids[in.id] = in
		for _, hash := range in.attempts {
			if owner[hash] != nil {
				t.Errorf("%s is an attempt of %d and of %d", hash, owner[hash].id, in.id)
			}
			owner[hash] = in
		}
	}
	happened := map[*intent][]*chainTx{}
	for address, wallets := range accounts {
		for nonce, tx := range chain[address] {
			if uint64(tx.Nonce) != uint64(nonce) {
				t.Errorf("%s: transaction %d of the chain has nonce %d", address, nonce, tx.Nonce)
			}
			in := owner[tx.hash()]
			if in == nil {
				in = unacknowledged(all, tx.effect())
			}
			if in == nil || !slices.Contains(wallets, in.wallet) {
				t.Errorf("%s: nobody ordered %s: %+v", address, tx.hash(), tx.effect())
				continue
			}
			happened[in] = append(happened[in], tx)
		}
	}
	for _, in := range all {
		in.judge(t, happened[in])
	}
}

// unacknowledged finds the intent that the host repeats no more and never had an
// id for.
func unacknowledged(all []*intent, e effect) *intent {
	for _, in := range all {
		if in.id == 0 && in.want == e {
			return in
		}
	}
	return nil
}

// judge compares one intent's end with its transactions on the chain.
func (in *intent) judge(t complaintBook, happened []*chainTx) {
	t.Helper()
	bad := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s/%q, id %d, told %+v: "+format, append([]any{in.wallet, in.ref, in.id, in.end}, args...)...)
	}
	if len(happened) > 1 {
		bad("the chain has %d transactions for it", len(happened))
		return
	}
	if in.id == 0 {
		return // at most once is all that can be asked
	}
	var tx *chainTx
	if len(happened) == 1 {
		tx = happened[0]
		if in.end.hash != tx.hash() {
			bad("the chain has %s", tx.hash())
		}
	}
	did := tx != nil && tx.effect() == in.want
	switch in.end.state {
	case confirmed:
		if !did || !tx.Success {
			bad("it did not happen")
		}
	case reverted:
		if !did || tx.Success {
			bad("the chain does not show it failed")
		}
	case cancelled:
		switch {
		case !in.cancelAsked:
			bad("nobody asked for that")
		case did:
			bad("it happened")
		case tx == nil && len(in.attempts) > 0:
			bad("something was signed and the chain shows no cancellation")
		}
	case expired, refused:
		if tx != nil || len(in.attempts) > 0 {
			bad("something was signed")
		}
	default:
		bad("it has not ended truthfully")
	}
}
