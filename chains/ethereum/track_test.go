package ethereum_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
)

func (w *world) sight(since chains.Head, watches ...chains.Watch) *chains.Sight {
	w.t.Helper()
	s, err := w.net.Track(w.t.Context(), since, watches)
	if err != nil {
		w.t.Fatalf("Track: %v", err)
	}
	return s
}

func (w *world) watch(attempts ...chains.Attempt) chains.Watch {
	return chains.Watch{Account: w.account, Attempts: attempts}
}

// A balancer in front of two nodes, of which one is 20 blocks behind: a
// transaction that is in a block stays there.
func TestNoFlicker(t *testing.T) {
	w := newWorld(t, fakenode.Options{Finality: 50}, nil, 1)
	w.chain.Mine(30)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	w.chain.Mine(1)
	if e, _ := w.look(a); e.Outcome != chains.Succeeded {
		t.Fatalf("included: %+v", e)
	}
	w.nodes[0].SetFaults(fakenode.Faults{Alternate: 20})
	behind := 0
	for i := range 40 {
		e, s := w.look(a)
		if e.Outcome != chains.Succeeded || e.Block.Number != 31 || e.Settled || e.Absent || e.Consumed {
			t.Fatalf("look %d: %+v", i, e)
		}
		if s.Head.Number < 31 {
			t.Errorf("look %d: the head went back to %d", i, s.Head.Number)
		}
		if errors.Is(e.Err, chains.ErrDisagree) {
			behind++
		}
		// Full looks that begin with either node.
		if w.advance(31 * time.Second); i%3 == 0 {
			if _, err := w.net.(chains.Balancer).Balance(t.Context(), w.account.Address); err != nil {
				t.Fatal(err)
			}
		}
	}
	if behind < 5 {
		t.Errorf("the node was behind in %d looks of 40", behind)
	}
	// A node that is not behind may say that it is gone.
	w.nodes[0].SetFaults(fakenode.Faults{})
	w.chain.Reorg(1)
	w.chain.Drop()
	if e, _ := w.look(a); e.Outcome != chains.Pending || !e.Absent {
		t.Errorf("after a reorganisation: %+v", e)
	}
	w.nodes[0].SetFaults(fakenode.Faults{Lag: 20})
	w.advance(2 * time.Second)
	if e, _ := w.look(a); e.Outcome != chains.Pending || e.Absent {
		t.Errorf("a lagging node remembers nothing and proves nothing: %+v", e)
	}
}

// One block behind is normal, and the first endpoint stays the first.
func TestSlightlyBehind(t *testing.T) {
	w := newWorld(t, fakenode.Options{Finality: 50}, nil, 2)
	w.chain.Mine(30)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	w.chain.Mine(1)
	w.look(a)
	asked := w.nodes[1].Requests()
	w.nodes[0].SetFaults(fakenode.Faults{Lag: 1})
	if e, s := w.look(a); e.Outcome != chains.Succeeded || s.Head.Number != 31 || w.nodes[1].Requests() != asked {
		t.Errorf("%+v, head %d", e, s.Head.Number)
	}
	// Far behind: the other one knows.
	w.nodes[0].SetFaults(fakenode.Faults{Lag: 20})
	if e, s := w.look(a); e.Outcome != chains.Succeeded || e.Err != nil || s.Head.Number != 31 || w.nodes[1].Requests() == asked {
		t.Errorf("%+v, head %d", e, s.Head.Number)
	}
}

// A height that nobody shows any more is forgotten in the end.
func TestShorterChain(t *testing.T) {
	w := newWorld(t, fakenode.Options{Finality: 50}, nil, 1)
	w.chain.Mine(30)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	w.chain.Mine(1)
	w.look(a)
	w.nodes[0].SetFaults(fakenode.Faults{Lag: 20})
	w.advance(11 * time.Minute)
	if e, s := w.look(a); e.Outcome != chains.Pending || s.Head.Number != 11 {
		t.Errorf("%+v, head %d", e, s.Head.Number)
	}
}

func TestConsumed(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 2)
	w.chain.Mine(5)
	_, mine := w.attempt(transfer(big.NewInt(1)), 0)
	// Somebody else with the key is faster.
	_, theirs := w.attempt(transfer(big.NewInt(2)), 0)
	if err := w.nodes[0].Submit(theirs.Raw); err != nil {
		t.Fatal(err)
	}
	w.chain.Mine(1)
	if e, _ := w.look(mine); e.Consumed || !e.Absent || e.Known {
		t.Errorf("not final: %+v", e)
	}
	w.chain.Mine(2)
	if e, _ := w.look(mine); !e.Consumed || !e.Absent || e.Outcome != chains.Pending {
		t.Errorf("final: %+v", e)
	}
	// A node that cannot show the state at its final block proves nothing.
	w.nodes[0].SetFaults(fail("eth_getTransactionCount", "missing trie node", -32000))
	if e, _ := w.look(mine); e.Consumed {
		t.Errorf("pruned: %+v", e)
	}
}

// With a depth, what counts is the state that many blocks down.
func TestConsumedByDepth(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, chains.Options{"confirmations": "3"}, 1)
	w.chain.Mine(5)
	_, mine := w.attempt(transfer(big.NewInt(1)), 0)
	_, theirs := w.attempt(transfer(big.NewInt(2)), 0)
	if err := w.nodes[0].Submit(theirs.Raw); err != nil {
		t.Fatal(err)
	}
	for depth, want := range []bool{1: false, 2: false, 3: true} {
		if e, _ := w.look(mine); e.Consumed != want {
			t.Errorf("%d blocks down: %+v", depth, e)
		}
		w.chain.Mine(1)
	}
}

// Where the nonce is consumed, an endpoint that failed just now is asked all
// the same: it may be the one that has it.
func TestAbsentAndConsumed(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 2)
	w.chain.Mine(5)
	_, mine := w.attempt(transfer(big.NewInt(1)), 0)
	if err := w.nodes[1].Submit(mine.Raw); err != nil {
		t.Fatal(err)
	}
	w.nodes[0].SetFaults(fakenode.Faults{Nonce: 1})
	w.nodes[1].SetFaults(fakenode.Faults{Down: true})
	if e, _ := w.look(mine); !e.Consumed || !e.Absent {
		t.Errorf("the other one is down: %+v", e)
	}
	w.nodes[1].SetFaults(fakenode.Faults{})
	if e, _ := w.look(mine); !e.Consumed || e.Absent || !e.Known {
		t.Errorf("the other one is back: %+v", e)
	}
	// Without that it is left alone for a while.
	w.nodes[0].SetFaults(fakenode.Faults{})
	w.nodes[1].SetFaults(fakenode.Faults{Down: true})
	w.look(mine)
	n := w.nodes[1].Requests()
	w.nodes[1].SetFaults(fakenode.Faults{})
	w.look(mine)
	if w.nodes[1].Requests() != n {
		t.Error("an endpoint that failed just now was asked for nothing")
	}
}

// Absent takes every endpoint that can be reached; those that are syncing,
// indexing or behind have no voice, and one that has it decides.
func TestAbsent(t *testing.T) {
	indexing, syncing, down, lag := fakenode.Faults{Indexing: true}, fakenode.Faults{Syncing: true}, fakenode.Faults{Down: true}, fakenode.Faults{Lag: 20}
	for name, c := range map[string]struct {
		first, second fakenode.Faults
		holder        int // the node that has it; -1 none
		absent, known bool
	}{
		"nobody has it":            {holder: -1, absent: true},
		"the first has it":         {holder: 0, known: true},
		"the second has it":        {holder: 1, known: true},
		"the second is down":       {second: down, holder: -1, absent: true},
		"the second is indexing":   {second: indexing, holder: -1, absent: true},
		"the first is indexing":    {first: indexing, holder: -1},
		"the first is syncing":     {first: syncing, holder: -1},
		"both are behind":          {first: lag, second: lag, holder: -1},
		"the first is down":        {first: down, holder: -1, absent: true},
		"the first is down, it is": {first: down, holder: 1, known: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakenode.Options{}, nil, 2)
			w.chain.Mine(30)
			_, a := w.attempt(transfer(big.NewInt(1)), 0)
			if c.holder >= 0 {
				if err := w.nodes[c.holder].Submit(a.Raw); err != nil {
					t.Fatal(err)
				}
			}
			w.nodes[0].SetFaults(c.first)
			w.nodes[1].SetFaults(c.second)
			if e, _ := w.look(a); e.Absent != c.absent || e.Known != c.known || e.Outcome != chains.Pending {
				t.Errorf("%+v", e)
			}
		})
	}
}

// What nobody had the time to say is not said.
func TestAbsentInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakenode.Options{}, nil, 2)
		_, a := w.attempt(transfer(big.NewInt(1)), 0)
		w.nodes[1].SetFaults(fakenode.Faults{Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if s, err := w.net.Track(ctx, chains.Head{}, []chains.Watch{w.watch(a)}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%+v, %v", s, err)
		}
		// With more time it is an endpoint that cannot be reached.
		if e, _ := w.look(a); !e.Absent {
			t.Errorf("%+v", e)
		}
	})
}

// geth's "transaction indexing is in progress" is neither a receipt nor none.
func TestIndexing(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	w.chain.Mine(3)
	w.nodes[0].SetFaults(fakenode.Faults{Indexing: true})
	if e, _ := w.look(a); e.Outcome != chains.Pending || e.Absent || e.Known || e.Err == nil || !strings.Contains(e.Err.Error(), "indexing") {
		t.Errorf("%+v", e)
	}
	w.nodes[0].SetFaults(fakenode.Faults{})
	if e, _ := w.look(a); !e.Settled {
		t.Errorf("%+v", e)
	}
}

func TestAgree(t *testing.T) {
	other := `{"transactionHash":"0x%s","blockHash":"0x%064x","blockNumber":"0x1","status":"0x1","gasUsed":"0x5208","effectiveGasPrice":"0x1"}`
	for name, c := range map[string]struct {
		agree   string
		faults  []fakenode.Faults // of the second and third node
		settled bool
	}{
		"two of three":                  {"2", []fakenode.Faults{{}, {}}, true},
		"two of three, one down":        {"2", []fakenode.Faults{{Down: true}, {}}, true},
		"two of three, one indexing":    {"2", []fakenode.Faults{{}, {Indexing: true}}, true},
		"two of three, two down":        {"2", []fakenode.Faults{{Down: true}, {Down: true}}, false},
		"two of three, two behind":      {"2", []fakenode.Faults{{Lag: 20}, {Lag: 20}}, false},
		"three of three":                {"3", []fakenode.Faults{{}, {}}, true},
		"three of three, one down":      {"3", []fakenode.Faults{{Down: true}, {}}, false},
		"three of three, one disagrees": {"3", []fakenode.Faults{{Results: map[string]string{"eth_getTransactionReceipt": other}}, {}}, false},
		"two of three, one disagrees":   {"2", []fakenode.Faults{{Results: map[string]string{"eth_getTransactionReceipt": other}}, {}}, true},
		"three, a block disagrees":      {"3", []fakenode.Faults{{}, {Results: map[string]string{"eth_getHeaderByNumber": fmt.Sprintf(`{"hash":"0x%064x","number":"0x1","timestamp":"0x1"}`, 5)}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakenode.Options{}, chains.Options{"agree": c.agree}, 3)
			_, a := w.attempt(transfer(big.NewInt(1)), 0)
			w.mustSend(a)
			w.chain.Mine(15)
			for i, f := range c.faults {
				if text, ok := f.Results["eth_getTransactionReceipt"]; ok {
					f.Results = map[string]string{"eth_getTransactionReceipt": fmt.Sprintf(text, a.Hash, 7)}
				}
				w.nodes[i+1].SetFaults(f)
			}
			e, _ := w.look(a)
			if e.Outcome != chains.Succeeded || e.Settled != c.settled || errors.Is(e.Err, chains.ErrDisagree) == c.settled {
				t.Errorf("%+v", e)
			}
		})
	}
}

// What the wallet calls final does not make a transaction final.
func TestSinceSettlesNothing(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	w.chain.Mine(1)
	e, _ := w.look(a)
	s := w.sight(chains.Head{Number: e.Block.Number, Hash: e.Block.Hash, Time: e.Block.Time}, w.watch(a))
	if s.Evidence[0].Settled || s.Replaced {
		t.Errorf("%+v", s)
	}
}

// A receipt whose block is not the chain's is not final, whatever the tag says.
func TestForeignReceipt(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	w.chain.Mine(5)
	w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{"eth_getTransactionReceipt": fmt.Sprintf(
		`{"transactionHash":"0x%s","blockHash":"0x%064x","blockNumber":"0x1","status":"0x1","gasUsed":"0x5208","effectiveGasPrice":"0x1"}`, a.Hash, 7)}})
	if e, _ := w.look(a); e.Settled {
		t.Errorf("%+v", e)
	}
}

// Two attempts with one nonce cannot both be in the chain.
func TestContradiction(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	_, b := w.attempt(transfer(big.NewInt(2)), 1)
	w.mustSend(a)
	w.mustSend(b)
	w.chain.Mine(5)
	if e, _ := w.look(a, b); e.Outcome != chains.Pending || e.Settled || e.Absent || !errors.Is(e.Err, chains.ErrDisagree) {
		t.Errorf("%+v", e)
	}
}

func TestNoFinalizedTag(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	w.nodes[0].SetFaults(fakenode.Faults{NoFinal: true})
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	w.chain.Mine(100)
	e, s := w.look(a)
	if e.Outcome != chains.Succeeded || e.Settled || e.Confirmations != 100 || e.Err == nil || s.Final != (chains.Head{}) {
		t.Errorf("%+v, %+v", e, s)
	}
	// With a depth the tag is not needed.
	w.config.Options["confirmations"] = "12"
	w.open()
	if e, s := w.look(a); !e.Settled || e.Err != nil || s.Final.Number != 100-11 {
		t.Errorf("%+v, %+v", e, s)
	}
}

// Right after the start of a chain nothing is final, and that is no error.
func TestNothingFinalYet(t *testing.T) {
	w := newWorld(t, fakenode.Options{Finality: 32}, nil, 1)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	w.mustSend(a)
	w.chain.Mine(10)
	e, s := w.look(a)
	if e.Settled || e.Err != nil || s.Final != (chains.Head{}) {
		t.Errorf("%+v, %+v", e, s)
	}
	w.chain.Mine(23)
	if e, s := w.look(a); !e.Settled || s.Final.Number != 1 {
		t.Errorf("%+v, %+v", e, s)
	}
	w = newWorld(t, fakenode.Options{}, chains.Options{"confirmations": "12"}, 1)
	w.chain.Mine(10)
	if s := w.sight(chains.Head{}); s.Final != (chains.Head{}) {
		t.Errorf("%+v", s)
	}
	w.chain.Mine(1)
	if s := w.sight(chains.Head{}); s.Final.Hash == "" || s.Final.Number != 0 {
		t.Errorf("%+v", s)
	}
}

// The final block never goes back, and another block in its place is told.
func TestFinal(t *testing.T) {
	w := newWorld(t, fakenode.Options{Finality: 5}, nil, 1)
	w.chain.Mine(30)
	first := w.sight(chains.Head{}).Final
	if first.Number != 25 {
		t.Fatalf("final %+v", first)
	}
	w.nodes[0].SetFaults(fakenode.Faults{Lag: 20})
	if s := w.sight(first); s.Final != first || s.Replaced {
		t.Errorf("behind: %+v", s)
	}
	w.advance(time.Minute)
	w.nodes[0].SetFaults(fakenode.Faults{})
	w.chain.Mine(3)
	if s := w.sight(first); s.Final.Number != 28 || s.Replaced {
		t.Errorf("%+v", s)
	}
	w.chain.Reorg(4)
	if s := w.sight(first); s.Replaced {
		t.Errorf("what was final is still there: %+v", s)
	}
	w.chain.Reorg(20)
	s := w.sight(first)
	if !s.Replaced || s.Final.Number == 0 || s.Final == first {
		t.Errorf("what was final is gone: %+v", s)
	}
	if again := w.sight(s.Final); again.Replaced {
		t.Errorf("%+v", again)
	}
}

// reverted, then reorganised into success
func TestRevertedThenSuccess(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	_, a := w.attempt(call(fakenode.Late), 0)
	w.mustSend(a)
	w.chain.Mine(1)
	e, _ := w.look(a)
	if e.Outcome != chains.Reverted || e.Settled || !errors.Is(e.Err, chains.ErrReverts) || e.FeePaid.Sign() <= 0 {
		t.Errorf("%+v", e)
	}
	w.chain.SetLate(false)
	w.chain.Reorg(1)
	w.chain.Mine(3)
	if e, _ := w.look(a); e.Outcome != chains.Succeeded || !e.Settled || e.Err != nil {
		t.Errorf("%+v", e)
	}
}

func TestFeePaid(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	before := w.chain.Balance(w.account.Address)
	_, a := w.attempt(transfer(big.NewInt(5)), 0)
	w.mustSend(a)
	w.chain.Mine(3)
	e, _ := w.look(a)
	spent := new(big.Int).Sub(before, w.chain.Balance(w.account.Address))
	if want := new(big.Int).Sub(spent, big.NewInt(5)); e.FeePaid.Cmp(want) != 0 {
		t.Errorf("fee %v, the account says %v", e.FeePaid, want)
	}
	if e.Block.Time == 0 {
		t.Error("the block has no time")
	}
}

// A block that was not asked for proves nothing.
func TestAnotherBlock(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	w.chain.Mine(9)
	w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{"eth_getHeaderByNumber": fmt.Sprintf(`{"hash":"0x%064x","number":"0x9","timestamp":"0x1"}`, 5)}})
	since := chains.Head{Number: 3, Hash: strings.Repeat("0", 64)}
	if s, err := w.net.Track(t.Context(), since, nil); !errors.Is(err, chains.ErrRefused) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestMalformedLooks(t *testing.T) {
	for _, method := range []string{"eth_getHeaderByNumber", "eth_getTransactionReceipt", "eth_getTransactionByHash", "eth_syncing", "eth_getTransactionCount"} {
		for _, answer := range []string{`true`, `"0x"`, `{}`, `[]`, `{"hash":"0x00"}`, `1e400`, `"\r\nERROR\r\n"`} {
			w := newWorld(t, fakenode.Options{}, nil, 1)
			_, a := w.attempt(transfer(big.NewInt(1)), 0)
			w.chain.Mine(3)
			w.nodes[0].SetFaults(fakenode.Faults{Results: map[string]string{method: answer}})
			_, err := w.net.Track(t.Context(), chains.Head{}, []chains.Watch{w.watch(a)})
			if !errors.Is(err, chains.ErrRefused) && !errors.Is(err, chains.ErrUnreachable) || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%s %s: %v", method, answer, err)
			}
		}
	}
}
