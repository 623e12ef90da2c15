package ethereum_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum"
	"github.com/boatd/boatd/internal/fakenode"
)

func (w *world) protocol() chains.Protocol { return ethereum.ProtocolOver(w.chain.Connect) }

// Bytes go to every endpoint; one that takes them is enough.
func TestBroadcast(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 3)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	for i, n := range w.nodes {
		if n.Pooled() != 1 {
			t.Errorf("node %d has %d transactions", i, n.Pooled())
		}
	}
	w.chain.Drop()
	w.nodes[0].SetFaults(fakenode.Faults{Down: true})
	w.nodes[1].SetFaults(fail("eth_sendRawTransaction", "transaction underpriced", -32000))
	w.mustSend(a)
	if w.nodes[2].Pooled() != 1 {
		t.Error("the third node has nothing")
	}
	// One that failed lately is left alone while others work.
	n := w.nodes[0].Requests()
	w.nodes[0].SetFaults(fakenode.Faults{})
	w.mustSend(a)
	if w.nodes[0].Requests() != n {
		t.Error("an endpoint that failed just now was asked")
	}
	w.advance(time.Minute)
	w.mustSend(a)
	if w.nodes[0].Pooled() != 1 {
		t.Error("the first node is well again and has nothing")
	}
	w.nodes[0].SetFaults(fakenode.Faults{Down: true})
	w.nodes[2].SetFaults(fakenode.Faults{Down: true})
	w.nodes[1].SetFaults(fail("eth_sendRawTransaction", "transaction underpriced", -32000))
	if err := w.send(a); !errors.Is(err, chains.ErrUnderpriced) {
		t.Errorf("what the one that was reached says: %v", err)
	}
}

// The answer got lost; the transaction did not.
func TestLostAnswer(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.nodes[0].SetFaults(fakenode.Faults{Lose: true})
	if err := w.send(a); !errors.Is(err, chains.ErrUnreachable) {
		t.Errorf("%v", err)
	}
	if w.nodes[0].Pooled() != 1 {
		t.Fatal("the node did not take it")
	}
	w.nodes[0].SetFaults(fakenode.Faults{})
	w.advance(time.Minute)
	w.mustSend(a)
	w.chain.Mine(3)
	w.mustSend(a) // "nonce too low", and it is in the chain
	if n := w.chain.Effects("0x0000000000000000000000000000000000001234"); n != 1 {
		t.Errorf("%d effects", n)
	}
}

// What nodes say of signed bytes is a reason, and the right one.
func TestSendErrors(t *testing.T) {
	for _, c := range []struct {
		message string
		code    int64
		want    error
	}{
		{"already known", -32000, nil},
		{"Known transaction", -32000, nil},
		{"AlreadyKnown", -32010, nil},
		{"nonce too low: next nonce 5, tx nonce 4", -32000, chains.ErrRefused},
		{"replacement transaction underpriced", -32000, chains.ErrUnderpriced},
		{"FeeTooLow, MaxFeePerGas too low", -32010, chains.ErrUnderpriced},
		{"insufficient funds for gas * price + value", -32000, chains.ErrFunds},
		{"intrinsic gas too low", -32000, chains.ErrRefused},
		{"exceeds block gas limit", -32005, chains.ErrRefused},
		{"invalid sender", -32000, chains.ErrOtherChain},
		{"Too Many Requests", 429, chains.ErrUnreachable},
		{"limit exceeded", -32005, chains.ErrUnreachable},
		{"the method eth_sendRawTransaction does not exist/is not available", -32601, chains.ErrRefused},
		{"txpool is full", -32000, chains.ErrRefused},
		{"\r\nOK\r\n+CME ERROR: 3\r\n", -32603, chains.ErrRefused},
	} {
		w := newWorld(t, fakenode.Options{}, nil, 1)
		_, a := w.attempt(transfer(big.NewInt(1)), 0)
		w.nodes[0].SetFaults(fail("eth_sendRawTransaction", c.message, c.code))
		err := w.send(a)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%q: %v, want %v", c.message, err, c.want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q is in the error's text", err)
		}
		if len(w.told) != 0 {
			t.Errorf("%q: quarantined by a word", c.message)
		}
	}
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	for _, result := range []string{`"0x` + strings.Repeat("0", 64) + `"`, `null`, `true`, `"0x"`} {
		w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{"eth_sendRawTransaction": result}})
		if err := w.send(a); !errors.Is(err, chains.ErrRefused) {
			t.Errorf("answer %s: %v", result, err)
		}
		w.advance(time.Minute * 10)
	}
}

// A gap: geth queues what comes after, and takes all when the gap is filled.
func TestOrder(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	var all []chains.Attempt
	for i := range uint64(3) {
		_, a := w.attempt(transfer(big.NewInt(1)), i)
		all = append(all, a)
	}
	w.mustSend(all[2])
	w.mustSend(all[1])
	w.chain.Mine(1)
	if e, _ := w.look(all[1]); e.Outcome != chains.Pending || !e.Known {
		t.Errorf("%+v", e)
	}
	w.mustSend(all[0])
	w.chain.Mine(3)
	for i, a := range all {
		if e, _ := w.look(a); !e.Settled {
			t.Errorf("%d: %+v", i, e)
		}
	}
}

// Endpoints without batches, without headers, and slow ones do everything,
// too.
func TestPoorNodes(t *testing.T) {
	for name, f := range map[string]fakenode.Faults{
		"no batches":     {NoBatch: true},
		"no headers":     {NoHeaders: true},
		"neither":        {NoBatch: true, NoHeaders: true, NoTip: true},
		"no first block": {NoGenesis: true},
		"no counting":    fail("eth_getBlockTransactionCountByHash", "the method does not exist/is not available", -32601),
		"no history":     fail("eth_feeHistory", "the method does not exist/is not available", -32601),
		"no height":      fail("eth_blockNumber", "the method does not exist/is not available", -32601),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakenode.Options{}, nil, 1)
			w.chain.Mine(5)
			w.nodes[0].SetFaults(f)
			w.nodes[0].Restart()
			w.config.Chain = &w.id
			w.open()
			job, a := w.attempt(transfer(big.NewInt(1)), 0)
			w.mustSend(a)
			d, err := w.net.(chains.Replacer).PrepareReplacement(t.Context(), job, []chains.Attempt{a}, chains.Bumped, nil)
			if err != nil {
				t.Fatal(err)
			}
			b := w.sign(job, d)
			w.mustSend(b)
			w.chain.Mine(3)
			if e, _ := w.look(a, b); !e.Settled || e.Attempt != 1 {
				t.Errorf("%+v", e)
			}
		})
	}
}
