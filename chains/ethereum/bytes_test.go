package ethereum_test

import (
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/fakenode"
)

// gate lets a number of requests pass.
type gate struct{ left int }

func (g *gate) Admit() error {
	if g.left == 0 {
		return chains.ErrBudget
	}
	return nil
}

func (g *gate) Count(int) {}

// TestBudget: a budget that ends in the middle of a look or a survey is no evidence
// and nobody's fault.
func TestBudget(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 2)
	g := &gate{-1}
	w.gauge = g
	w.open()
	w.chain.Mine(5)
	_, a := w.attempt(transfer(big.NewInt(1)), 0)
	if e, _ := w.look(a); !e.Absent {
		t.Fatalf("nobody holds it: %+v", e)
	}
	w.chain.Watch(func(method, _ string) {
		if method == "eth_syncing" { // in the last batch to the first node
			g.left = 0
		}
	})
	if e, _ := w.look(a); e.Absent || e.Known {
		t.Errorf("the second node was not asked: %+v", e)
	}
	before := w.nodes[0].Requests() + w.nodes[1].Requests()
	w.refused("a survey", w.job(transfer(big.NewInt(1)), 0), chains.ErrBudget)
	if _, err := w.net.Track(t.Context(), chains.Head{}, []chains.Watch{w.watch(a)}); !errors.Is(err, chains.ErrBudget) {
		t.Errorf("a look: %v", err)
	}
	if err := w.send(a); !errors.Is(err, chains.ErrBudget) {
		t.Errorf("sending: %v", err)
	}
	if n := w.nodes[0].Requests() + w.nodes[1].Requests() - before; n != 0 {
		t.Errorf("%d requests beyond the budget", n)
	}
	g.left = -1
	if s := w.net.(chains.Meter).Status(); s.Up != 1 {
		t.Errorf("the budget's end is taken for the node's: %+v", s)
	}
	w.mustSend(a)
}

// TestGlimpse: while transactions wait for their block, and then for its being
// final, neither the newest nor the final block is asked for in full, and what a
// short look cannot tell a full one does.
func TestGlimpse(t *testing.T) {
	for name, options := range map[string]chains.Options{"finalized": nil, "depth": {"confirmations": "3"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakenode.Options{}, options, 1)
			w.chain.Mine(5)
			asked := map[string]int{}
			w.chain.Watch(func(method, _ string) { asked[method]++ })
			_, a := w.attempt(transfer(big.NewInt(1)), 0)
			w.mustSend(a)
			var since chains.Head
			look := func(what string, headers int) (chains.Evidence, *chains.Sight) {
				t.Helper()
				clear(asked)
				s := w.sight(since, w.watch(a))
				if s.Final != (chains.Head{}) {
					since = s.Final
				}
				if asked["eth_getHeaderByNumber"] != headers || s.Head.Number != w.chain.Height() {
					t.Errorf("%s: %d headers, want %d; head %d", what, asked["eth_getHeaderByNumber"], headers, s.Head.Number)
				}
				return s.Evidence[0], s
			}
			if e, s := look("waiting", 0); e.Outcome != chains.Pending || !e.Known || s.Final != (chains.Head{}) {
				t.Errorf("waiting: %+v, %+v", e, s)
			}
			w.chain.Mine(1)
			if e, _ := look("included", 0); e.Outcome != chains.Succeeded || e.Settled || e.Confirmations != 1 {
				t.Errorf("included: %+v", e)
			}
			timed := w.watch(a)
			timed.Timed = true
			if s := w.sight(since, timed); s.Head.Time == 0 {
				t.Errorf("the chain's time matters, and is not asked for: %+v", s)
			} else {
				since = s.Final
			}
			w.advance(30 * time.Second)
			if e, s := look("in full", 2); e.Outcome != chains.Succeeded || e.Settled || s.Final.Hash == "" {
				t.Errorf("half a minute later: %+v, %+v", e, s)
			}
			// Its block vanishes and the transaction waits again.
			w.chain.Reorg(1)
			if e, _ := look("the block has gone", 3); e.Outcome != chains.Pending || !e.Known || e.Absent {
				t.Errorf("the block has gone: %+v", e)
			}
			w.chain.Mine(3)
			if e, s := look("final", 3-len(options)); !e.Settled || e.Block.Time == 0 || s.Final.Number < e.Block.Number || s.Replaced {
				t.Errorf("final: %+v, %+v", e, s)
			}
			// Nobody holds it any more: only a full look may say so.
			_, a = w.attempt(transfer(big.NewInt(2)), 1)
			if e, _ := look("lost", 2); e.Outcome != chains.Pending || e.Known || !e.Absent {
				t.Errorf("lost: %+v", e)
			}
		})
	}
}

// Many transactions of several accounts take two requests.
func TestOneBatch(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	var watches []chains.Watch
	for i := range uint64(10) {
		in := transfer(big.NewInt(1))
		in.Gas = 21000
		_, a := w.attempt(in, i)
		w.mustSend(a)
		watches = append(watches, w.watch(a))
	}
	n := w.nodes[0].Requests()
	w.sight(chains.Head{}, watches...)
	if got := w.nodes[0].Requests() - n; got != 2 {
		t.Errorf("%d requests for ten that wait", got)
	}
	w.chain.Mine(1)
	n = w.nodes[0].Requests()
	w.sight(chains.Head{}, watches...)
	if got := w.nodes[0].Requests() - n; got != 1 {
		t.Errorf("%d requests for ten that are included", got)
	}
	w.chain.Mine(5)
	s := w.sight(chains.Head{}, watches...)
	n = w.nodes[0].Requests()
	s = w.sight(s.Final, watches...)
	if got := w.nodes[0].Requests() - n; got != 2 {
		t.Errorf("%d requests for ten that are final", got)
	}
	for i, e := range s.Evidence {
		if !e.Settled {
			t.Errorf("%d: %+v", i, e)
		}
	}
	n = w.nodes[0].Requests()
	w.sight(s.Final)
	if got := w.nodes[0].Requests() - n; got != 1 {
		t.Errorf("%d requests for nothing", got)
	}
}

// The answers of a network that came by AT are held to 64 KiB, and what does
// not fit is asked for in parts.
func TestSmallAnswers(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	w.config.Added = true
	w.config.Options["endpoints"] = urls[0]
	var watches []chains.Watch
	for i := range uint64(16) {
		in := call(fakenode.Accepts)
		in.Gas, in.Data = 300000, make([]byte, 8<<10)
		_, a := w.attempt(in, i)
		w.mustSend(a)
		watches = append(watches, w.watch(a))
	}
	deps := w.deps()
	deps.AllowedHosts = []string{"a.example"}
	net, err := w.protocol().Open(w.config, deps)
	if err != nil {
		t.Fatal(err)
	}
	s, err := net.Track(t.Context(), chains.Head{}, watches)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range s.Evidence {
		if !e.Known {
			t.Errorf("%d: %+v", i, e)
		}
	}
	w.advance(time.Minute)
	w.nodes[0].SetFaults(fakenode.Faults{Huge: 65 << 10})
	if _, err := net.Identify(t.Context()); !errors.Is(err, chains.ErrUnreachable) {
		t.Errorf("65 KiB from a network that came by AT: %v", err)
	}
	if _, err := w.net.Identify(t.Context()); err != nil {
		t.Errorf("65 KiB from a network of the file: %v", err)
	}
}

// Preparing needs two requests, and one where nothing is left to ask: the gas limit
// is given, or no code runs.
func TestRequests(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	w.prepare(w.job(transfer(big.NewInt(1)), 0))
	given := call(fakenode.Accepts)
	given.Gas = 100_000
	paid := transfer(big.NewInt(1))
	paid.To = fakenode.Accepts
	for _, c := range []struct {
		name string
		in   chains.Intent
		want int
	}{
		{"a call", call(fakenode.Accepts), 2},
		{"a transfer to a contract", paid, 2},
		{"an explicit gas limit", given, 1},
		{"a plain transfer", transfer(big.NewInt(1)), 1},
	} {
		n := w.nodes[0].Requests()
		w.prepare(w.job(c.in, 0))
		if got := w.nodes[0].Requests() - n; got != c.want {
			t.Errorf("%s: %d requests", c.name, got)
		}
	}
}

// What changes seldom is not asked again for a while: neither the newest block in
// full nor whether the node is syncing. What a signature depends on always is.
func TestWarm(t *testing.T) {
	w := newWorld(t, fakenode.Options{}, nil, 1)
	asked := map[string]int{}
	w.chain.Watch(func(method, _ string) { asked[method]++ })
	prepare := func(what string, full int) {
		t.Helper()
		clear(asked)
		d := w.prepare(w.job(call(fakenode.Accepts), 0))
		if d.Head.Number != w.chain.Height() || (d.Head.Time != 0) != (full == 1) {
			t.Errorf("%s: head %+v, the chain is at %d", what, d.Head, w.chain.Height())
		}
		if asked["eth_syncing"] != full || asked["eth_getHeaderByNumber"] != full || asked["eth_getCode"] != full {
			t.Errorf("%s: want %d times: %v", what, full, asked)
		}
		for _, method := range []string{"eth_getTransactionCount", "eth_getBalance", "eth_maxPriorityFeePerGas", "eth_estimateGas", "eth_call"} {
			if asked[method] != 1 && full == 0 {
				t.Errorf("%s: %s %d times", what, method, asked[method])
			}
		}
	}
	prepare("the first", 1)
	w.chain.Mine(25)
	prepare("the second", 0)
	w.chain.Mine(1)
	clear(asked)
	if d := w.prepare(w.job(call(fakenode.Accepts), 0)); d.Head.Time == 0 {
		t.Error("26 blocks later: the newest block is not asked for")
	}
	prepare("and another", 0)
	w.advance(5*time.Minute - 1)
	prepare("just before it is too long ago", 0)
	w.advance(1)
	prepare("too long ago", 1)
	w.nodes[0].Restart() // the next connection may lead to another node
	prepare("over another connection", 1)
	prepare("and again", 0)
	timed := w.job(call(fakenode.Accepts), 0)
	timed.Timed = true
	if d := w.prepare(timed); d.Head.Time == 0 {
		t.Error("the chain's time matters, and is not asked for")
	}
	clear(asked)
	w.nodes[0].SetFaults(fakenode.Faults{NoTip: true})
	w.prepare(w.job(call(fakenode.Accepts), 0))
	if got := asked["eth_gasPrice"]; got != 1 {
		t.Errorf("without a suggested tip the price is asked %d times", got)
	}
	n := w.nodes[0].Requests()
	w.prepare(w.job(call(fakenode.Accepts), 0))
	if got := w.nodes[0].Requests() - n; got != 2 {
		t.Errorf("%d requests to a node without a suggestion, the second time", got)
	}
}
