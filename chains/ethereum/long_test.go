package ethereum_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
	"github.com/boatd/boatd/internal/jsonrpc"
)

// up says what the network thinks of its endpoints.
func (w *world) up(what string) {
	w.t.Helper()
	if s := w.net.(chains.Meter).Status(); s.Up != 1 {
		w.t.Errorf("%s: the node is blamed: %+v", what, s)
	}
}

// A contract can log more than an answer may hold. The transaction is included and
// settled all the same, others beside it are seen, the node is not to blame, and
// the receipt is not asked for again and again.
func TestLongReceipt(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(call(fakenode.Loud), 0)
	w.mustSend(a)
	_, b := w.attempt(call(fakenode.Accepts), 1)
	w.mustSend(b)
	if e, _ := w.look(a); e.Outcome != chains.Pending || !e.Known {
		t.Fatalf("waiting: %+v", e)
	}
	asked := w.nodes[0].Calls("eth_getTransactionReceipt")
	w.chain.Mine(1)
	for i := range 4 {
		s := w.sight(chains.Head{}, w.watch(a), w.watch(b))
		for j, e := range s.Evidence {
			if e.Outcome != chains.Succeeded || e.Block.Number != 1 || e.Err != nil || (e.FeePaid == nil) != (j == 0) {
				t.Errorf("look %d: %d: %+v", i, j, e)
			}
		}
		w.up("included")
	}
	w.chain.Mine(3)
	if e, _ := w.look(a); e.Outcome != chains.Succeeded || !e.Settled {
		t.Errorf("final: %+v", e)
	}
	// In a short look and then in a full one with others, each time again as one of
	// two, alone, and between two questions for its block; those of b are five.
	if n := w.nodes[0].Calls("eth_getTransactionReceipt") - asked; n > 16 {
		t.Errorf("the receipts were asked for %d times", n)
	}
}

// The status is that of the block: where a transaction comes into another one and
// reverts there, it has not succeeded.
func TestLongReceiptReorganised(t *testing.T) {
	w := newWorld(t, fakenode.Options{Finality: 50}, nil, 1)
	_, a := w.attempt(call(fakenode.Loud), 0)
	w.mustSend(a)
	w.chain.Mine(1)
	if e, _ := w.look(a); e.Outcome != chains.Succeeded {
		t.Fatalf("included: %+v", e)
	}
	w.chain.Reorg(1)
	if e, _ := w.look(a); e.Outcome != chains.Pending || e.Absent || !e.Known {
		t.Errorf("reorganised: %+v", e)
	}
	w.chain.SetMute(true)
	w.chain.Mine(1)
	if e, _ := w.look(a); e.Outcome != chains.Reverted {
		t.Errorf("included again: %+v", e)
	}
	// The same without a look in between.
	w.chain.SetMute(false)
	w.chain.Reorg(1)
	w.chain.Mine(1)
	w.look(a)
	w.chain.SetMute(true)
	w.chain.Reorg(1)
	w.chain.Mine(1)
	if e, _ := w.look(a); e.Outcome == chains.Succeeded {
		t.Errorf("in another block: %+v", e)
	}
	if e, _ := w.look(a); e.Outcome != chains.Reverted {
		t.Errorf("in another block: %+v", e)
	}
}

// Two endpoints agree on a receipt that neither can hand over.
func TestLongReceiptAgreed(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, chains.Options{"agree": "2"}, 2)
	_, a := w.attempt(call(fakenode.Loud), 0)
	w.mustSend(a)
	w.chain.Mine(4)
	if e, _ := w.look(a); e.Outcome != chains.Succeeded || !e.Settled {
		t.Errorf("%+v", e)
	}
}

// Logs that are too many to be read are no fault of the node.
func TestLongLogs(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(call(fakenode.Loud), 0)
	w.mustSend(a)
	w.chain.Mine(1)
	if logs, err := w.net.(chains.Logger).Logs(t.Context(), a.Hash); !errors.Is(err, chains.ErrRefused) {
		t.Errorf("%d logs, %v", len(logs), err)
	}
	w.up("logs")
}

// A call that reverts with more than can be read reverts, and is not tried for
// ever. Where the gas is given nobody can tell a long answer from a long complaint.
func TestLongRevert(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	data, err := json.Marshal("0x08c379a0" + strings.Repeat("ab", 600<<10))
	if err != nil {
		t.Fatal(err)
	}
	long := &jsonrpc.Error{Code: 3, Message: "execution reverted", Data: data}
	w.nodes[0].SetFaults(fakenode.Faults{Errors: map[string]*jsonrpc.Error{"eth_estimateGas": long, "eth_call": long}})
	job := w.job(call(fakenode.Accepts), 0)
	w.refused("estimate", job, chains.ErrReverts)
	job.Intent.Gas = 100_000
	w.refused("simulation", job, chains.ErrRefused)
	w.up("revert")
	if out, err := w.net.(chains.Querier).Query(t.Context(), nil, fakenode.Accepts, nil); err == nil {
		t.Errorf("a question: %d bytes", len(out))
	}
	w.up("question")
}
